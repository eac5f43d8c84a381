// What the processes of "converting" know of each other, in memory that they share.
#pragma once

#include <sys/types.h>

#include <atomic>

#include "conversion.h"

namespace soak {

// One program that is killed, or that comes to its end.
struct Life {
  // Before it is started.
  PcmFormat format;
  PcmFormat living;  // of who lives on
  int block_frames;
  std::int64_t last;  // frames, if it is to end by itself; else 0
  // Its own.
  std::atomic<int> opened;
  std::atomic<std::int64_t> frames;  // accepted by its writes, or heard
  // Of who has seen its end; release.
  std::atomic<int> over;
};

struct Lives {
  static constexpr std::size_t kMostHeard = std::size_t{256} << 20;
  static constexpr int kKept = 8;

  Life& of(int life) { return kept[life % kKept]; }

  Life kept[kKept];
  std::atomic<int> number;  // of the last one, counted from 1 on; release
  // Of who lives on: for which of them it has its device open, how often it was told that
  // one has gone, of which it has heard all, what it plays, and how much was compared.
  std::atomic<int> opened;
  std::atomic<int> ends;
  std::atomic<int> judged;
  std::atomic<std::uint64_t> stream;
  std::atomic<std::int64_t> compared;
  std::byte heard[kMostHeard];  // by a recorder that is killed
};

// What both have in common.
struct Roles {
  const char* killed_path;
  const char* living_path;
  bool killed_plays;
  bool killed_is_server;
  ossloop::audio::Quality quality;
};

// A process that plays or records, is killed, or ends where it is told to.
[[noreturn]] void live_once(const Roles& roles, Life& life, std::uint64_t stream, std::byte* heard);
// The process at the other end.
[[noreturn]] void live_on(const Roles& roles, Lives& lives, unsigned seed);

int open_with(const char* path, int flags, const PcmFormat& format);
// Waits a moment.
void wait_a_bit();

}  // namespace soak
