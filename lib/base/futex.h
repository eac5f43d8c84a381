// The kernel's futex call. What libc builds on it believes the words in memory and ends
// the program when the kernel refuses one; ours lie where others write, and in
// sandboxes that refuse.
#pragma once

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>

namespace ossloop::base {

// 0 or a count, or -errno; errno is left alone. `deadline`: CLOCK_MONOTONIC for
// FUTEX_WAIT_BITSET, nullptr for none.
inline int futex(std::atomic<std::uint32_t>& word, int operation, std::uint32_t value,
                 const timespec* deadline = nullptr) {
  const int saved = errno;
  const long result =
      ::syscall(SYS_futex, &word, operation, value, deadline, nullptr, FUTEX_BITSET_MATCH_ANY);
  if (result >= 0) return static_cast<int>(result);
  const int error = -errno;
  errno = saved;
  return error;
}

inline timespec as_timespec(std::int64_t ns) {
  return {static_cast<time_t>(ns / 1'000'000'000), static_cast<long>(ns % 1'000'000'000)};
}

}  // namespace ossloop::base
