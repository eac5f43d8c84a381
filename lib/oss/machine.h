// What the system requests tell of: all instances of one runtime folder.
#pragma once

#include <bitset>
#include <functional>
#include <memory>
#include <string>

#include "shm/segment.h"

namespace ossloop::oss {

class Machine {
 public:
  // `configured`: instances 0 … n-1 exist without a segment of their own.
  Machine(std::string folder, int configured);

  const std::string& folder() const { return folder_; }
  bool exists(int instance) const;
  // One more than the highest instance there is.
  int count() const;
  // The instance's segment if it was ever used; nullptr else.
  std::shared_ptr<shm::Segment> segment(int instance) const;
  // Does somebody hold the side? A killed program's word in the segment may
  // still say so; the claim on the node does not.
  bool held(int instance, abi::SideIndex side) const;

 private:
  const std::string folder_;
  const int configured_;
};

// Audio devices are numbered through: the client side of an instance, then its
// server side.
inline int audio_device(int instance, abi::SideIndex side) {
  return instance * 2 + (side == abi::kServer ? 1 : 0);
}

}  // namespace ossloop::oss
