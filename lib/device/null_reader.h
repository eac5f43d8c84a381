// The reader of sound that nobody hears: in the writer's process it takes what is due, at
// the pace of the device, until a program comes that records.
//
// Who is a lane's reader says abi::Consumer::reader, operated by stream/lane_reader.h. All
// calls with the side's lock held.
#pragma once

#include <cstdint>

#include "device/open_half.h"
#include "stream/flow.h"

namespace ossloop::device {

class NullReader {
 public:
  explicit NullReader(OpenHalf& half)
      : half_(half), flow_(half.contract(), half.direction(), half.slot()) {
    flow_.hears_always();
  }

  // Takes what is due, if the open goes on alone and has no reader. False: it has one.
  bool run(std::int64_t now_ns);

 private:
  void take(std::int64_t now_ns);
  void next_section(const Section& before);

  OpenHalf& half_;
  ConsumerFlow flow_;
};

}  // namespace ossloop::device
