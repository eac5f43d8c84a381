// The policy of most tests: time is not waited for.
#pragma once

#include "config/config.h"

namespace ossloop::test {

inline config::InstancePolicy free_clock() {
  config::InstancePolicy policy;
  config::set<"clock">(policy, config::kFreeClock);
  return policy;
}

}  // namespace ossloop::test
