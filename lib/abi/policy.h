// The values of abi::Policy's fields, in the order of their names in config/key_table.h.
#pragma once

#include <cstdint>

namespace ossloop::abi {

// What the consumer's read reports at the end of a stream.
enum class Eof : std::uint32_t { kReset, kEof, kSilence, kWait };
// What happens when the producer has no data in time, and when the consumer
// does not fetch in time.
enum class Underrun : std::uint32_t { kSilence, kStall };
enum class Overrun : std::uint32_t { kWait, kDrop };
enum class ClockMode : std::uint32_t { kRealtime, kFree };
// Whether programs may change levels.
enum class Volume : std::uint32_t { kFree, kLock };
// Whether a side plays and records at once.
enum class Duplex : std::uint32_t { kOff, kOn };
// Whether a client needs a server to open.
enum class OpenRule : std::uint32_t { kServer, kAlways };

}  // namespace ossloop::abi
