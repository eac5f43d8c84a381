// How long a wait may still last, when it has to be begun again.
#pragma once

#include <stdint.h>
#include <time.h>

namespace ossloop::shim {

class Deadline {
 public:
  static Deadline milliseconds(int64_t ms) { return Deadline(ms < 0 ? kEver : ms * 1'000'000); }
  static Deadline time(const timespec* time) {
    if (time == nullptr || time->tv_sec > kYears) return Deadline(kEver);
    return Deadline(time->tv_sec * 1'000'000'000 + time->tv_nsec);
  }
  // One that the kernel would take.
  static bool valid(const timespec* time) {
    return time == nullptr ||
           (time->tv_sec >= 0 && time->tv_nsec >= 0 && time->tv_nsec < 1'000'000'000);
  }

  // The same, but no longer than so.
  Deadline at_most_ms(int64_t ms) const {
    const Deadline shorter = milliseconds(ms);
    return shorter.end_ns_ < end_ns_ ? shorter : *this;
  }

  bool ever() const { return end_ns_ == kEver; }
  int64_t left_ns() const {
    const int64_t left = end_ns_ - now_ns();
    return left > 0 ? left : 0;
  }
  bool over() const { return !ever() && left_ns() == 0; }
  // Rounded up, as a wait must not end early.
  int left_ms() const { return ever() ? -1 : static_cast<int>((left_ns() + 999'999) / 1'000'000); }
  // nullptr: for ever.
  const timespec* left(timespec& storage) const {
    if (ever()) return nullptr;
    storage.tv_sec = static_cast<time_t>(left_ns() / 1'000'000'000);
    storage.tv_nsec = static_cast<long>(left_ns() % 1'000'000'000);
    return &storage;
  }

 private:
  static constexpr int64_t kEver = INT64_MAX;
  static constexpr time_t kYears = 1'000'000'000;
  explicit Deadline(int64_t ns) : end_ns_(ns >= kEver - now_ns() ? kEver : now_ns() + ns) {}
  static int64_t now_ns() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
  }

  int64_t end_ns_;
};

}  // namespace ossloop::shim
