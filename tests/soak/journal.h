// What a program has done, for tools/soak to read even when it was killed: a file of
// three numbers that is mapped (--journal).
#pragma once

#include <sys/mman.h>

#include <atomic>

#include "../bench/stream.h"

namespace soak {

struct Journal {
  enum Stage : std::int64_t { kNothing, kOpen, kForked };
  std::atomic<std::int64_t> stage;
  // What a player's writes have accepted of its last stream, for each of two senders;
  // what a recorder's reads have brought.
  std::atomic<std::int64_t> frames[2];

  static Journal& of(const bench::Arguments& arguments) {
    static Journal nobody_reads{};
    const char* const path = arguments.text("--journal", nullptr);
    if (path == nullptr) return nobody_reads;
    const int fd = ::open(path, O_RDWR);
    if (fd < 0) bench::fail(path);
    void* const address =
        ::mmap(nullptr, sizeof(Journal), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (address == MAP_FAILED) bench::fail(path);
    ::close(fd);
    return *static_cast<Journal*>(address);
  }

  void at_least(Stage reached) {
    std::int64_t before = stage.load();
    while (before < reached && !stage.compare_exchange_weak(before, reached)) {
    }
  }
};

}  // namespace soak
