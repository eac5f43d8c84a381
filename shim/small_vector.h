// A list of numbers that an entry remembers for the time of a call. Without malloc:
// poll() is called in signal handlers.
#pragma once

#include <stddef.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace ossloop::shim {

template <typename Note>
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

  Note few_[32];
  Note* notes_ = few_;
  size_t count_ = 0;
  size_t most_ = 32;
};

}  // namespace ossloop::shim
