// What the measuring programs share: clocks, a sorted sample, and one line of
// JSON as their only output.
#pragma once

#include <sys/resource.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace bench {

inline std::int64_t clock_ns(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}
inline std::int64_t now_ns() { return clock_ns(CLOCK_MONOTONIC); }
// Of all threads of this process, in user and kernel mode.
inline std::int64_t cpu_ns() { return clock_ns(CLOCK_PROCESS_CPUTIME_ID); }

// The programs that are measured come and go by their own rules; a measurement
// that cannot be made ends the program with one line.
[[noreturn]] inline void fail(const char* what) {
  std::fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, std::strerror(errno));
  std::exit(1);
}

inline void sleep_until(std::int64_t deadline_ns) {
  timespec deadline{};
  deadline.tv_sec = static_cast<time_t>(deadline_ns / 1'000'000'000);
  deadline.tv_nsec = static_cast<long>(deadline_ns % 1'000'000'000);
  while (::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &deadline, nullptr) == EINTR) {
  }
}

// The value that a share of all is not above: 0.5 is the median.
inline double quantile(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const double last = static_cast<double>(values.size() - 1);
  return values[static_cast<std::size_t>(share * last + 0.5)];
}

// Noise at half of full scale, the same each time: nothing clips, which would
// make a rate conversion several times as dear.
class Noise {
 public:
  std::int16_t next() {
    state_ = state_ * 6364136223846793005U + 1442695040888963407U;
    return static_cast<std::int16_t>(static_cast<std::int16_t>(state_ >> 48) / 2);
  }

 private:
  std::uint64_t state_ = 1;
};

// "--name value" of the command line, or what stands for it.
class Arguments {
 public:
  Arguments(int count, char** words) : count_(count), words_(words) {}
  const char* text(const char* name, const char* otherwise) const {
    for (int i = 1; i + 1 < count_; ++i) {
      if (std::strcmp(words_[i], name) == 0) return words_[i + 1];
    }
    return otherwise;
  }
  std::int64_t number(const char* name, std::int64_t otherwise) const {
    const char* word = text(name, nullptr);
    return word != nullptr ? std::atoll(word) : otherwise;
  }

 private:
  int count_;
  char** words_;
};

}  // namespace bench
