// What the system requests tell of: all instances of one runtime folder.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "shm/names.h"
#include "shm/runtime_directory.h"
#include "shm/segment.h"

namespace ossloop::oss {

class InstanceSet {
 public:
  using MakeInit = std::function<shm::SegmentInit(int instance)>;

  // `configured`: instances 0 … n-1 exist without a segment of their own;
  // `make_init` says how one is made for them.
  InstanceSet(shm::RuntimeDirectory directory, int configured, MakeInit make_init = nullptr);

  const shm::RuntimeDirectory& directory() const { return directory_; }
  bool exists(int instance) const;
  // One more than the highest instance there is.
  int count() const;
  // The instance's segment if it was ever used; nullptr else.
  std::shared_ptr<shm::Segment> segment(int instance) const;
  // The same, made if the instance exists and was never used. nullptr with error:
  // -ENXIO (no such instance), or what the system says.
  std::shared_ptr<shm::Segment> make_segment(int instance, int& error) const;
  // Does somebody hold the place? A killed program's word in the segment may
  // still say so; the claim on the node does not.
  bool held(int instance, const shm::Place& place) const;
  // The opens of the side that programs hold, each by its main half (abi::Half), by slots.
  std::vector<const abi::Half*> opens(abi::Segment& segment, int instance,
                                      abi::SideIndex side) const;
  // Those of one slot.
  std::vector<const abi::Half*> opens(abi::Segment& segment, int instance, abi::SideIndex side,
                                      std::uint32_t slot) const;

 private:
  const shm::RuntimeDirectory directory_;
  const int configured_;
  const MakeInit make_init_;
};

// Audio devices are numbered through: the client side of an instance, then its
// server side.
inline int audio_device(int instance, abi::SideIndex side) {
  return instance * 2 + (side == abi::kServer ? 1 : 0);
}
inline constexpr abi::SideIndex side_of(int audio_device) {
  return audio_device % 2 == 1 ? abi::kServer : abi::kClient;
}

}  // namespace ossloop::oss
