// A device's buffer in the program's memory.
#include <stdarg.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "shim/engine_loader.h"
#include "shim/real.h"

namespace {

using namespace ossloop::shim;

constexpr size_t kPage = 4096;

// Allocators map memory while the loader looks for the real function: then the
// kernel is asked at once.
std::atomic<int> looking{0};

template <typename Function, typename... Arguments>
auto call_real(Function& real, long number, Arguments... arguments)
    -> decltype(real(arguments...)) {
  using Result = decltype(real(arguments...));
  if (!real.known()) {
    if (looking.fetch_add(1) != 0) {
      looking.fetch_sub(1);
      return (Result)::syscall(number, arguments...);
    }
    real.find();
    looking.fetch_sub(1);
  }
  return real(arguments...);
}

uintptr_t address_of(const void* pointer) { return reinterpret_cast<uintptr_t>(pointer); }

// The part of memory that [address, address + bytes) takes up, in pages.
uintptr_t end_of(const void* address, size_t bytes) {
  return address_of(address) + (bytes + kPage - 1) / kPage * kPage;
}

void unmapped(const void* address, size_t bytes) {
  memory_changes.fetch_add(1, std::memory_order_release);
  const EngineApi* engine = loaded_engine();
  if (engine == nullptr) return;
  if (!engine->maps_overlap(address_of(address), end_of(address, bytes))) return;
  engine->unmapped(address_of(address), end_of(address, bytes));
}

template <typename Next>
void* map(void* address, size_t bytes, int protection, int flags, int fd, off_t offset, Next next) {
  if ((flags & MAP_ANONYMOUS) == 0 && fd >= 0 && is_ours(fd)) {
    const int saved = errno;
    int error = bytes == 0 || offset != 0 ? -EINVAL : 0;
    void* result = nullptr;
    if (error == 0) result = loaded_engine()->map(fd, address, bytes, protection, flags, &error);
    errno = error == 0 ? saved : -error;
    return error == 0 ? result : MAP_FAILED;
  }
  void* result = next();
  if ((flags & MAP_FIXED) != 0 && result != MAP_FAILED) unmapped(result, bytes);
  return result;
}

}  // namespace

OSSLOOP_EXPORT void* mmap(void* address, size_t bytes, int protection, int flags, int fd,
                          off_t offset) noexcept {
  return map(address, bytes, protection, flags, fd, offset, [&] {
    return call_real(OSSLOOP_REAL(mmap), SYS_mmap, address, bytes, protection, flags, fd, offset);
  });
}
OSSLOOP_EXPORT void* mmap64(void* address, size_t bytes, int protection, int flags, int fd,
                            off64_t offset) noexcept {
  return map(address, bytes, protection, flags, fd, offset, [&] {
    return call_real(OSSLOOP_REAL(mmap64), SYS_mmap, address, bytes, protection, flags, fd, offset);
  });
}

OSSLOOP_EXPORT int munmap(void* address, size_t bytes) noexcept {
  const int result = call_real(OSSLOOP_REAL(munmap), SYS_munmap, address, bytes);
  if (result == 0) unmapped(address, bytes);
  return result;
}

// Ways in which a buffer of the program may go bad, of which no device has anything.
OSSLOOP_EXPORT int shmdt(const void* address) noexcept {
  const int result = OSSLOOP_REAL(shmdt)(address);
  memory_changes.fetch_add(1, std::memory_order_release);
  return result;
}

OSSLOOP_EXPORT int brk(void* end) noexcept {
  const int result = OSSLOOP_REAL(brk)(end);
  memory_changes.fetch_add(1, std::memory_order_release);
  return result;
}

OSSLOOP_EXPORT void* sbrk(intptr_t bytes) noexcept {
  void* const result = OSSLOOP_REAL(sbrk)(bytes);
  if (bytes < 0) memory_changes.fetch_add(1, std::memory_order_release);
  return result;
}

OSSLOOP_EXPORT int mprotect(void* address, size_t bytes, int protection) noexcept {
  const int result = call_real(OSSLOOP_REAL(mprotect), SYS_mprotect, address, bytes, protection);
  memory_changes.fetch_add(1, std::memory_order_release);
  return result;
}

// A buffer may move and shrink, but not grow: there is no more of it.
OSSLOOP_EXPORT void* mremap(void* address, size_t bytes, size_t new_bytes, int flags,
                            ...) noexcept {
  va_list arguments;
  va_start(arguments, flags);
  void* target = va_arg(arguments, void*);
  va_end(arguments);
  const EngineApi* engine = loaded_engine();
  const bool ours =
      engine != nullptr && engine->maps_overlap(address_of(address), end_of(address, bytes));
  if (ours && end_of(nullptr, new_bytes) > end_of(nullptr, bytes)) {
    errno = EINVAL;
    return MAP_FAILED;
  }
  void* result =
      call_real(OSSLOOP_REAL(mremap), SYS_mremap, address, bytes, new_bytes, flags, target);
  if (result == MAP_FAILED) return result;
  memory_changes.fetch_add(1, std::memory_order_release);
  if ((flags & MREMAP_FIXED) != 0) unmapped(target, new_bytes);
  if (ours) {
    engine->map_moved(address_of(address), end_of(address, bytes), address_of(result),
                      end_of(nullptr, new_bytes));
  }
  return result;
}
