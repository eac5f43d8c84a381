// The one table of requests: code, name, where it is served, handler. Dispatch, the
// trace log and the reference page of `ossloopctl api` are made from it.
#pragma once

#include <cstdint>
#include <span>

#include "oss/dsp.h"
#include "oss/mixer.h"
#include "oss/system.h"

namespace ossloop::oss {

// Who serves: what stands behind a descriptor.
struct Target {
  Dsp* dsp;  // nullptr on a mixer
  System& system;
  Mixer& mixer;
};

// What an argument is, for people.
enum class ArgumentKind : std::uint8_t { kNone, kNumber, kText, kStructure };

struct Request {
  std::uint32_t code;
  const char* name;
  ArgumentKind argument;
  bool audio_only;       // not on a mixer: -EINVAL there
  std::int32_t refusal;  // the -errno that is all it ever gives; 0: it is served
  const char* help;      // what it does, or why it is refused
  // `argument`: a copy of the caller's, as long as the code says.
  int (*handle)(const Target& target, void* argument);
};

inline constexpr std::uint32_t argument_bytes(std::uint32_t code) { return code >> 16 & 0x3fff; }
inline constexpr bool takes_argument(std::uint32_t code) { return (code & 0x40000000) != 0; }
inline constexpr bool gives_argument(std::uint32_t code) { return (code & 0x80000000) != 0; }

std::span<const Request> requests();

// The row for a code. Old programs have other direction bits and sizes than OSS
// 4.1 (0xc004501e for COOKEDMODE), so what is not found as it stands is matched
// by type and number; of several such rows, one of the same size, and one that
// also writes or also does not. nullptr: unknown.
const Request* find_request(std::uint32_t code);

// Serves an ioctl. `argument` is the caller's, and may point anywhere. -EINVAL:
// unknown request, or not for this descriptor. -EFAULT.
int serve(const Target& target, int fd, std::uint32_t code, void* argument);

}  // namespace ossloop::oss
