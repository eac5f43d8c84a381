// A list of numbers that an entry remembers for the time of a call. Without malloc:
// poll() is called in signal handlers.
#pragma once

#include <stddef.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace ossloop::shim {

// What does not fit into the `few` is mapped: a signal handler that leaves the call for good
// (siglongjmp) leaves it behind.
template <typename Note, size_t few = 32>
class SmallVector {
 public:
  SmallVector() = default;
  ~SmallVector() {
    if (notes_ != few_) ::syscall(SYS_munmap, notes_, most_ * sizeof(Note));
  }
  SmallVector(const SmallVector&) = delete;
  SmallVector& operator=(const SmallVector&) = delete;

  // False when there is no memory.
  bool add(const Note& note) {
    if (count_ == most_ && !grow()) return false;
    notes_[count_++] = note;
    return true;
  }
  Note* begin() { return notes_; }
  const Note* begin() const { return notes_; }
  const Note* end() const { return notes_ + count_; }
  size_t count() const { return count_; }

 private:
  bool grow() {
    const size_t bytes = most_ * sizeof(Note);
    const long fresh = ::syscall(SYS_mmap, nullptr, 8 * bytes, PROT_READ | PROT_WRITE,
                                 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (fresh == -1) return false;
    Note* const more = reinterpret_cast<Note*>(fresh);
    for (size_t i = 0; i < count_; ++i) more[i] = notes_[i];
    if (notes_ != few_) ::syscall(SYS_munmap, notes_, bytes);
    notes_ = more;
    most_ *= 8;
    return true;
  }

  Note few_[few];
  Note* notes_ = few_;
  size_t count_ = 0;
  size_t most_ = few;
};

}  // namespace ossloop::shim
