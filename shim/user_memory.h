// What the program points at. The kernel answers EFAULT to a pointer that leads nowhere;
// who looks before the kernel does must not die of it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace ossloop::shim {

// How often the program unmapped, moved or protected memory.
extern std::atomic<unsigned> memory_changes;

// Reads what a program points at, or writes there; false where the kernel would answer
// EFAULT.
bool copy_from_user(void* to, const void* from, size_t bytes);
bool copy_to_user(void* to, const void* from, size_t bytes);

// Asks the kernel about each page of [begin, end).
bool ask_readable(uintptr_t begin, uintptr_t end);

// The pages that a thread was last told of: programs come with the same few again and
// again.
struct KnownPages {
  static constexpr int kMost = 4;
  uintptr_t page[kMost];
  unsigned changes;
  unsigned oldest;
};
extern constinit __attribute__((tls_model("initial-exec"))) thread_local KnownPages known_pages;

// Is it known that [pointer, pointer + bytes) may be read?
inline bool known_readable(const void* pointer, size_t bytes) {
  constexpr uintptr_t kPage = 4096;
  const auto begin = reinterpret_cast<uintptr_t>(pointer);
  const uintptr_t page = begin & ~(kPage - 1);
  const KnownPages& known = known_pages;
  return bytes <= kPage - (begin - page) &&
         known.changes == memory_changes.load(std::memory_order_relaxed) &&
         (page == known.page[0] || page == known.page[1] || page == known.page[2] ||
          page == known.page[3]) &&
         page != 0;
}

// May it be read? Without a system call where the answer is known.
inline bool readable(const void* pointer, size_t bytes) {
  const auto begin = reinterpret_cast<uintptr_t>(pointer);
  return known_readable(pointer, bytes) || ask_readable(begin, begin + bytes);
}

// The same of a text up to its end, or to what no path is longer than.
bool readable_text(const char* text);

}  // namespace ossloop::shim
