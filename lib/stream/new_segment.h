// What a segment holds when it is made.
#pragma once

#include "abi/layout.h"
#include "config/policy.h"
#include "stream/format_word.h"

namespace ossloop::device {

// All but the header.
inline void fill_segment(abi::Segment& segment, const config::InstancePolicy& policy) {
  config::store_policy(policy, segment.policy);
  for (abi::Direction& direction : segment.direction) {
    direction.server.format.store(pack(kServerDefault));
  }
}

}  // namespace ossloop::device
