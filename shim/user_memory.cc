#include "shim/user_memory.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

namespace ossloop::shim {

constinit std::atomic<unsigned> memory_changes{0};
__attribute__((tls_model("initial-exec"))) thread_local constinit KnownPages known_pages{};

namespace {

constexpr uintptr_t kPage = 4096;

// A sandbox forbids the call: it is not asked again, as some write a line each time.
constinit std::atomic<bool> refused{false};

bool copy(long number, void* ours, const void* theirs, size_t bytes) {
  const int saved = errno;
  iovec local{ours, bytes};
  iovec remote{const_cast<void*>(theirs), bytes};
  if (!refused.load(std::memory_order_relaxed)) {
    const long copied = ::syscall(number, ::getpid(), &local, 1UL, &remote, 1UL, 0UL);
    const int error = errno;
    errno = saved;
    if (copied == static_cast<long>(bytes)) return true;
    if (copied >= 0 || error == EFAULT) return false;
    if (error == EPERM || error == ENOSYS) refused.store(true, std::memory_order_relaxed);
  }
  // Then the caller's pointer is believed.
  if (number == SYS_process_vm_readv) {
    ::memcpy(ours, theirs, bytes);
  } else {
    ::memcpy(const_cast<void*>(theirs), ours, bytes);
  }
  return true;
}

}  // namespace

bool copy_from_user(void* to, const void* from, size_t bytes) {
  return copy(SYS_process_vm_readv, to, from, bytes);
}

bool copy_to_user(void* to, const void* from, size_t bytes) {
  return copy(SYS_process_vm_writev, const_cast<void*>(from), to, bytes);
}

bool ask_readable(uintptr_t begin, uintptr_t end) {
  if (end < begin) return false;
  KnownPages& known = known_pages;
  if (const unsigned changes = memory_changes.load(std::memory_order_acquire);
      changes != known.changes) {
    for (uintptr_t& page : known.page) page = 0;
    known.changes = changes;
  }
  for (uintptr_t page = begin & ~(kPage - 1); page < end; page += kPage) {
    char byte;
    if (!copy_from_user(&byte, reinterpret_cast<const void*>(page < begin ? begin : page), 1)) {
      return false;
    }
    known.page[known.oldest++ % KnownPages::kMost] = page;
    if (page + kPage < page) break;
  }
  return true;
}

bool readable_text(const char* text) {
  // Counted, and not compared with where it ends: a wild pointer may have no such place.
  size_t room = kPage - reinterpret_cast<uintptr_t>(text) % kPage;
  for (size_t seen = 0; seen < PATH_MAX; seen += room, room = kPage) {
    if (!readable(text + seen, 1)) return false;
    if (::memchr(text + seen, '\0', room) != nullptr) return true;
  }
  return true;
}

}  // namespace ossloop::shim
