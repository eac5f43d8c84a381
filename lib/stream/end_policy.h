// What a reader is told at the end of a stream: the policy `eof`.
#pragma once

#include <errno.h>

#include "abi/policy.h"

namespace ossloop::device {

struct EndPolicy {
  int error;        // of the read that comes to the end, once; 0: none
  bool reads_zero;  // reads give 0 bytes from there until the next stream begins
  bool stops;       // recording has to be started anew, by a read or a trigger
  bool silence;     // the clock goes on, and what is due is silence

  bool is_told() const { return error != 0 || reads_zero; }
};

constexpr EndPolicy end_policy(abi::Eof eof) {
  switch (eof) {
    case abi::Eof::kReset:
      return {.error = -ECONNRESET, .reads_zero = false, .stops = true, .silence = false};
    case abi::Eof::kEof:
      return {.error = 0, .reads_zero = true, .stops = true, .silence = false};
    case abi::Eof::kSilence:
      return {.error = 0, .reads_zero = false, .stops = false, .silence = true};
    case abi::Eof::kWait:
      break;
  }
  // The next stream follows with no sign.
  return {.error = 0, .reads_zero = false, .stops = false, .silence = false};
}

}  // namespace ossloop::device
