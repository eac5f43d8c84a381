// Whose half lies where in a segment, and which halves a program has open.
#pragma once

#include <cstdint>

#include "abi/layout.h"

namespace ossloop::device {

inline bool is_open(std::uint64_t open_word) { return (open_word & 1) != 0; }
inline std::uint64_t serial_of(std::uint64_t open_word) { return open_word >> 1; }

// Ways of an open, as abi::Half::access counts them.
enum Access : std::uint32_t { kRead = 1, kWrite = 2, kReadWrite = 3 };

inline abi::SideIndex other(abi::SideIndex side) {
  return side == abi::kServer ? abi::kClient : abi::kServer;
}

// The direction in which a side plays (kWrite) or records (kRead).
inline abi::DirectionIndex direction_of(abi::SideIndex side, Access way) {
  return (side == abi::kClient) == (way == kWrite) ? abi::kClientToServer : abi::kServerToClient;
}

inline abi::Half& half_of(abi::Direction& direction, abi::SideIndex side, std::uint32_t slot) {
  return side == abi::kServer ? direction.server : direction.client[slot];
}
inline abi::Half& half_of(abi::Segment& segment, abi::SideIndex side, Access way,
                          std::uint32_t slot = 0) {
  return half_of(segment.direction[direction_of(side, way)], side, slot);
}

// The ways that a side has open, 0 if none.
inline std::uint32_t open_ways(abi::Segment& segment, abi::SideIndex side, std::uint32_t slot = 0) {
  std::uint32_t ways = 0;
  for (const Access way : {kRead, kWrite}) {
    const abi::Half& half = half_of(segment, side, way, slot);
    if (is_open(half.open.load(std::memory_order_acquire))) ways |= way;
  }
  return ways;
}

// Does the client with this half go on where its direction has no server?
inline bool client_goes_on(abi::Segment& segment, const abi::Half& half) {
  const std::uint32_t place = half.place.load(std::memory_order_relaxed);
  if ((place & abi::kOpenAlways) != 0) return true;
  return (place & abi::kDuplexOpen) != 0 && open_ways(segment, abi::kServer) != 0;
}

// The words of a reader that claims nothing and delays nobody, in its own memory: a tap.
struct Listener {
  abi::Half half{};
  abi::Consumer lane[abi::kClients]{};
};

// What is told of an open but once stands in the half that plays, if it has one.
inline abi::Half& main_half(abi::Segment& segment, abi::SideIndex side, std::uint32_t ways,
                            std::uint32_t slot = 0) {
  return half_of(segment, side, (ways & kWrite) != 0 ? kWrite : kRead, slot);
}

// Calls `work(half, ways)` with the main half of each open that a side has in a slot.
template <typename Work>
void each_open(abi::Segment& segment, abi::SideIndex side, std::uint32_t slot, Work work) {
  const std::uint32_t ways = open_ways(segment, side, slot);
  abi::Half& plays = half_of(segment, side, kWrite, slot);
  abi::Half& records = half_of(segment, side, kRead, slot);
  const bool by_one =
      ways == kReadWrite && plays.access.load(std::memory_order_relaxed) == kReadWrite;
  if ((ways & kWrite) != 0) work(plays, by_one ? ways : std::uint32_t{kWrite});
  if ((ways & kRead) != 0 && !by_one) work(records, std::uint32_t{kRead});
}

}  // namespace ossloop::device
