// The values of abi::Policy's fields, and what people call them.
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

inline constexpr const char* kEofNames[] = {"reset", "eof", "silence", "wait"};
inline constexpr const char* kUnderrunNames[] = {"silence", "stall"};
inline constexpr const char* kOverrunNames[] = {"wait", "drop"};
inline constexpr const char* kQualityNames[] = {"quick", "low", "medium", "high", "very-high"};
inline constexpr const char* kVolumeNames[] = {"free", "lock"};

}  // namespace ossloop::abi
