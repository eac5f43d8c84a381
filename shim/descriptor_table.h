// Which descriptors of this process are ours. Lives in the preloaded file; the
// engine fills it. Reading it is one load, and nothing here locks or allocates.
#pragma once

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
  bool ours(int fd) const { return in_range(fd) && load(fd) > kLastFolder; }
  // One of the virtual folders, as the preloaded file numbers them; 0: none.
  unsigned folder(int fd) const {
    const std::uintptr_t value = in_range(fd) ? load(fd) : 0;
    return value > kForeign && value <= kLastFolder ? static_cast<unsigned>(value) : 0;
  }

  Handle* handle(int fd) const { return ours(fd) ? reinterpret_cast<Handle*>(load(fd)) : nullptr; }
  void set(int fd, Handle* handle) {
    if (in_range(fd)) slots_[fd].store(reinterpret_cast<std::uintptr_t>(handle));
  }
  void set_foreign(int fd) {
    if (in_range(fd)) slots_[fd].store(kForeign);
  }
  void set_folder(int fd, unsigned folder) {
    if (in_range(fd)) slots_[fd].store(folder);
  }
  // The number is free again, and may come back as anything.
  void forget(int fd) {
    if (in_range(fd)) slots_[fd].store(0);
  }

 private:
  static constexpr std::uintptr_t kForeign = 1;
  static constexpr std::uintptr_t kLastFolder = 4;
  static bool in_range(int fd) { return static_cast<unsigned>(fd) < kSize; }
  std::uintptr_t load(int fd) const {
    const std::uintptr_t value = slots_[fd].load(std::memory_order_acquire);
    return value;
  }

  std::atomic<std::uintptr_t> slots_[kSize];
};

}  // namespace ossloop::shim
