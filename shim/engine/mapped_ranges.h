// Where the program has mapped buffers of devices, so that unmapping is noticed.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>

#include "device/endpoint.h"
#include "shim/engine/open_file.h"

namespace ossloop::shim {

class MappedRanges {
 public:
  static constexpr int kMost = 64;  // at once

  // Does [begin, end) hold any of them? Locks nothing: most memory is somebody else's.
  bool overlaps(std::uintptr_t begin, std::uintptr_t end) const;

  // mmap of a device: the address, or nullptr with error.
  void* add(OpenFile& file, int fd, const device::MapRequest& request, int& error);
  // The range is not mapped any more, or was moved to `to`.
  void remove(std::uintptr_t begin, std::uintptr_t end);
  void move(std::uintptr_t begin, std::uintptr_t end, std::uintptr_t to, std::size_t bytes);
  // The open ends; what is mapped stays memory.
  void forget(OpenFile& file);

  void before_fork() { mutex_.lock(); }
  void after_fork() { mutex_.unlock(); }

 private:
  struct Range {
    std::atomic<std::uintptr_t> begin{0}, end{0};  // end 0: free
    OpenFile* file = nullptr;
    int which = 0;
  };
  Range* free_one();
  void drop(Range& range);
  void release(OpenFile& file, int which);

  std::mutex mutex_;  // all changes
  std::atomic<int> count_{0};
  Range ranges_[kMost];
};

}  // namespace ossloop::shim
