// The policy of most tests: time is not waited for.
#pragma once

#include "config/config.h"

namespace ossloop::test {

inline config::InstancePolicy free_clock() {
  config::InstancePolicy policy;
  policy.clock_mode = abi::ClockMode::kFree;
  return policy;
}

}  // namespace ossloop::test
