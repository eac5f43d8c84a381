// Which descriptors of this process are ours. Lives in the preloaded file; the
// engine fills it. Reading it is one load; nothing here locks or allocates, and only
// await_change() waits.
#pragma once

#include <errno.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace ossloop::shim {

struct Handle;  // the engine's

class DescriptorTable {
 public:
  // Higher numbers are nobody's: an open returns the lowest free one.
  static constexpr int kSize = 1 << 20;

  // Not yet looked at: it came with exec, or from a call we do not see.
  bool unknown(int fd) const { return in_range(fd) && load(fd) == 0; }
  bool foreign(int fd) const { return !in_range(fd) || load(fd) == kForeign; }
  bool ours(int fd) const { return in_range(fd) && load(fd) > kInChange; }
  // A thread is about to have the kernel close the number, or put something else there.
  bool in_change(int fd) const { return in_range(fd) && load(fd) == kInChange; }
  // One of the virtual folders, as the preloaded file numbers them; 0: none.
  unsigned folder(int fd) const {
    const std::uintptr_t value = in_range(fd) ? load(fd) : 0;
    return value > kForeign && value <= kLastFolder ? static_cast<unsigned>(value) : 0;
  }

  // Looked at once: another thread may change it at any moment.
  Handle* handle(int fd) const {
    const std::uintptr_t value = in_range(fd) ? load(fd) : 0;
    return value > kInChange ? reinterpret_cast<Handle*>(value) : nullptr;
  }
  // None above it is ours or in change. To look at all there may be would bring 8 MiB into memory.
  int highest() const { return highest_.load(); }
  void set(int fd, Handle* handle) {
    if (!in_range(fd)) return;
    reach(fd);
    slots_[fd].store(reinterpret_cast<std::uintptr_t>(handle));
  }
  void set_foreign(int fd) {
    if (in_range(fd)) slots_[fd].store(kForeign);
  }
  // As long as nobody, not a handler either, has put something else there since it was looked at.
  void found_foreign(int fd) {
    std::uintptr_t present = 0;
    if (in_range(fd)) slots_[fd].compare_exchange_strong(present, kForeign);
  }
  void set_folder(int fd, unsigned folder) {
    if (in_range(fd)) slots_[fd].store(folder);
  }
  // Between a look at the table and the kernel's change of the number a call would go to what the
  // number was, or to nothing: it waits for both, but not for ever. In a child that was copied
  // without fork() the thread that changes it is not.
  void await_change(int fd) {
    constexpr int kLongestMs = 1000;
    for (int moment = 0; in_change(fd); ++moment) {
      if (moment == kLongestMs) end_change(fd, nullptr);
      constexpr timespec kMoment{0, 1'000'000};
      const int saved = errno;
      ::syscall(SYS_nanosleep, &kMoment, nullptr);
      errno = saved;
    }
  }
  // False where something else stands there by now than `handle`; nullptr: not ours. `before`: what
  // to put back if nothing comes of it.
  bool begin_change(int fd, Handle* handle, std::uintptr_t& before) {
    if (!in_range(fd)) return false;
    before = load(fd);
    const bool is_it =
        handle != nullptr ? before == reinterpret_cast<std::uintptr_t>(handle) : before < kInChange;
    if (!is_it) return false;
    reach(fd);
    return slots_[fd].compare_exchange_strong(before, kInChange);
  }
  bool undo_change(int fd, std::uintptr_t before) {
    std::uintptr_t present = kInChange;
    return in_range(fd) && slots_[fd].compare_exchange_strong(present, before);
  }
  // In the child of a fork(): the threads that were about to change numbers are not here.
  void forget_changes() {
    for (int fd = highest(); fd >= 0; --fd) {
      if (in_change(fd)) end_change(fd, nullptr);
    }
  }
  // Unless the kernel has given the number away already, and that was seen.
  bool end_change(int fd, Handle* handle) {
    return undo_change(fd, reinterpret_cast<std::uintptr_t>(handle));
  }
  // The number is free again, and may come back as anything.
  void forget(int fd) {
    if (in_range(fd)) slots_[fd].store(0);
  }

 private:
  static constexpr std::uintptr_t kForeign = 1;
  static constexpr std::uintptr_t kLastFolder = 4;
  static constexpr std::uintptr_t kInChange = 5;
  static bool in_range(int fd) { return static_cast<unsigned>(fd) < kSize; }
  std::uintptr_t load(int fd) const {
    const std::uintptr_t value = slots_[fd].load(std::memory_order_acquire);
    return value;
  }
  void reach(int fd) {
    int highest = highest_.load();
    while (highest < fd && !highest_.compare_exchange_weak(highest, fd)) {
    }
  }

  std::atomic<int> highest_;
  std::atomic<std::uintptr_t> slots_[kSize];
};

}  // namespace ossloop::shim
