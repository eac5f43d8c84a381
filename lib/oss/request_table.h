// The one table of requests: code, name, handler.
#pragma once

#include <cstdint>
#include <span>

#include "oss/dsp.h"

namespace ossloop::oss {

struct Request {
  std::uint32_t code;
  const char* name;
  // `argument`: a copy of the caller's, as long as the code says.
  int (*handle)(Dsp& dsp, void* argument);
};

inline constexpr std::uint32_t argument_bytes(std::uint32_t code) { return code >> 16 & 0x3fff; }
inline constexpr bool takes_argument(std::uint32_t code) { return (code & 0x40000000) != 0; }
inline constexpr bool gives_argument(std::uint32_t code) { return (code & 0x80000000) != 0; }

std::span<const Request> requests();

// The row for a code. Old programs have other direction bits and sizes than OSS
// 4.1 (0xc004501e for COOKEDMODE), so what is not found as it stands is matched
// by type and number; of two such rows, the one that also writes or also does
// not. nullptr: unknown.
const Request* find_request(std::uint32_t code);

// Serves an ioctl on an audio descriptor. `argument` is the caller's, and may
// point anywhere. -EINVAL: unknown request. -EFAULT.
int serve(Dsp& dsp, std::uint32_t code, void* argument);

}  // namespace ossloop::oss
