// Memory for the time of a look-up. Not the stack: a thread that opens some file of
// which we only look at the name may have hardly any.
#pragma once

#include <errno.h>
#include <limits.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace ossloop::shim {

struct PathMemory {
  char text[PATH_MAX];
  char real[PATH_MAX];
  char rest[2 * PATH_MAX];
  char target[PATH_MAX];
};

class PathPages {
 public:
  PathPages() = default;
  ~PathPages() {
    if (memory_ != nullptr) ::syscall(SYS_munmap, memory_, sizeof *memory_);
  }
  PathPages(const PathPages&) = delete;
  PathPages& operator=(const PathPages&) = delete;

  // nullptr if there is none to be had.
  PathMemory* get() const {
    if (memory_ != nullptr) return memory_;
    const int saved = errno;
    const long found = ::syscall(SYS_mmap, nullptr, sizeof *memory_, PROT_READ | PROT_WRITE,
                                 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    errno = saved;
    if (found != -1) memory_ = reinterpret_cast<PathMemory*>(found);
    return memory_;
  }
  explicit operator bool() const { return get() != nullptr; }
  PathMemory* operator->() const { return memory_; }
  PathMemory& operator*() const { return *memory_; }

 private:
  mutable PathMemory* memory_ = nullptr;
};

}  // namespace ossloop::shim
