// The requests that tell names and numbers of the system and its devices. One
// member per request; each returns 0 or -errno and works on a copy of the
// caller's argument.
#pragma once

#include <cstdint>

#include "oss/instances.h"
#include "oss/soundcard.h"

namespace ossloop::oss {

// What a side can do now, PCM_CAP_ bits. The server says which way the loop goes;
// without one both are possible.
std::int32_t side_caps(abi::Segment* segment, abi::SideIndex side);

class System {
 public:
  // `device`: the audio device that -1 stands for, or -1 on a mixer.
  System(const InstanceSet& instances, int device) : instances_(instances), device_(device) {}

  std::int32_t version() const;
  int system_info(oss_sysinfo& info);
  // -EINVAL: no such device, or engine.
  int audio_info(oss_audioinfo& info);
  int engine_info(oss_audioinfo& info);
  // -ENXIO: no such card.
  int card_info(oss_card_info& info);

 private:
  // A place for an open. Those of the first places have the numbers of their devices.
  struct EngineName {
    int device;
    std::uint32_t slot;
  };
  int engines() const;
  bool find_engine(int number, EngineName& engine) const;
  int further_engine(int instance) const;
  std::uint32_t slots(int instance) const;
  int describe(int device, oss_audioinfo& info) const;

  const InstanceSet& instances_;
  const int device_;
};

}  // namespace ossloop::oss
