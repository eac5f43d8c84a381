// What has been heard of a stream, by one recorder or by two processes that share one.
#pragma once

#include <sys/mman.h>

#include <atomic>
#include <new>

#include "frames.h"

namespace soak {

constexpr int kSenders = 2;

// A fault in the sound: told, and the end.
[[noreturn]] inline void broken(const char* what, int id, std::int64_t heard, std::int64_t got) {
  std::fprintf(stderr, "broken %s: stream %d, after frame %lld came %lld\n", what, id,
               static_cast<long long>(heard), static_cast<long long>(got));
  std::fflush(stdout);
  ::_exit(1);  // other threads may be in the midst of a call
}

template <typename Type>
Type* shared_memory() {
  void* const address = ::mmap(nullptr, sizeof(Type), PROT_READ | PROT_WRITE,
                               MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (address == MAP_FAILED) bench::fail("mmap");
  return new (address) Type;
}

// Each of two processes hears a part of the frames: together they must hear each once.
class Parts {
 public:
  static constexpr std::int64_t kMostFrames = 1 << 22;

  void hear(int sender, int id, std::int64_t number) {
    if (number >= kMostFrames) broken("count", id, kMostFrames, number);
    const std::uint64_t bit = std::uint64_t{1} << (number % 64);
    if ((heard_[sender][number / 64].fetch_or(bit) & bit) != 0)
      broken("double", id, number, number);
  }
  void must_be_whole(int sender, int id, std::int64_t last) const {
    for (std::int64_t number = 1; number <= last; ++number) {
      if ((heard_[sender][number / 64].load() >> (number % 64) & 1) == 0)
        broken("loss", id, number - 1, last);
    }
  }
  std::int64_t highest(int sender) const {
    for (std::int64_t word = kMostFrames / 64 - 1; word >= 0; --word) {
      const std::uint64_t bits = heard_[sender][word].load();
      if (bits != 0) return word * 64 + 63 - __builtin_clzll(bits);
    }
    return 0;
  }

 private:
  std::atomic<std::uint64_t> heard_[kSenders][kMostFrames / 64];
};

class Heard {
 public:
  // With two senders (who share one open) the stream bears an odd number, which is the
  // first one's; the second one has the next.
  Heard(int senders, Parts* parts) : senders_(senders), parts_(parts) {}

  // From now on another process hears the rest.
  void share() { shared_ = true; }

  void frame(Frames::Place place) {
    const int sender = senders_ == 1 ? 0 : (place.id - 1) % kSenders;
    if (id_ == 0) id_ = place.id - sender;
    if (place.id - sender != id_) broken("stream", place.id, last_[0], place.number);
    std::int64_t& last = last_[sender];
    if (shared_ ? place.number <= last : place.number != last + 1)
      broken("order", place.id, last, place.number);
    last = place.number;
    if (parts_ != nullptr) parts_->hear(sender, place.id, place.number);
  }

  // "stream ID FRAMES", and the same of a second sender.
  void tell_end() {
    std::printf("stream");
    for (int sender = 0; sender < senders_; ++sender) {
      if (shared_) last_[sender] = parts_->highest(sender);
      if (shared_) parts_->must_be_whole(sender, id_ + sender, last_[sender]);
      std::printf(" %d %lld", id_ == 0 ? 0 : id_ + sender, static_cast<long long>(last_[sender]));
      last_[sender] = 0;
    }
    std::printf("\n");
    std::fflush(stdout);
    id_ = 0;
  }

 private:
  int senders_;
  Parts* parts_;
  bool shared_ = false;
  int id_ = 0;
  std::int64_t last_[kSenders] = {};
};

}  // namespace soak
