// Mappings with a page that nobody may touch on either side, and the options of the
// sanitizers that watch the rest.
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/sys.h"
#include "shared_fuzz.h"

namespace ossloop::fuzz {
namespace {

constexpr std::size_t kPage = 4096;
// So wide that an index which is wrong by much does not fall behind it either.
constexpr std::size_t kGuard = std::size_t{1} << 24;

std::size_t whole_pages(std::size_t bytes) { return (bytes + kPage - 1) / kPage * kPage; }

void* fenced(std::size_t bytes, int protection, int flags, int fd, std::int64_t offset,
             int& error) {
  const std::size_t inside = whole_pages(bytes);
  error = 0;
  void* const area = inside == 0 || inside > std::size_t{1} << 44
                         ? MAP_FAILED
                         : ::mmap(nullptr, inside + 2 * kGuard, PROT_NONE,
                                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (area == MAP_FAILED) {
    error = inside == 0 ? -EINVAL : -ENOMEM;
    return nullptr;
  }
  void* const at = static_cast<std::byte*>(area) + kGuard;
  if (::mmap(at, bytes, protection, flags | MAP_FIXED, fd, offset) != MAP_FAILED) return at;
  error = -errno;
  ::munmap(area, inside + 2 * kGuard);
  return nullptr;
}

void* map(int fd, std::int64_t offset, std::size_t bytes, bool writable, int& error) {
  return fenced(bytes, writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd, offset,
                error);
}

void* map_as(void*, std::size_t bytes, int protection, int flags, int fd, int& error) {
  return fenced(bytes, protection, flags, fd, 0, error);
}

void* map_ring(int fd, std::int64_t offset, std::size_t bytes, int& error) {
  constexpr int kProtection = PROT_READ | PROT_WRITE;
  constexpr int kAnonymous = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  void* const first = fenced(2 * bytes, PROT_NONE, kAnonymous, -1, 0, error);
  if (first == nullptr) return nullptr;
  for (std::byte* at = static_cast<std::byte*>(first);
       at != static_cast<std::byte*>(first) + 2 * bytes; at += bytes) {
    if (::mmap(at, bytes, kProtection, MAP_SHARED | MAP_FIXED, fd, offset) != MAP_FAILED) continue;
    error = -errno;
    ::munmap(static_cast<std::byte*>(first) - kGuard, 2 * bytes + 2 * kGuard);
    return nullptr;
  }
  return first;
}

void unmap(void* address, std::size_t bytes) {
  ::munmap(static_cast<std::byte*>(address) - kGuard, whole_pages(bytes) + 2 * kGuard);
}

}  // namespace

void guard_mappings() {
  base::Sys table = base::kernel_sys();
  table.map = map;
  table.map_as = map_as;
  table.map_ring = map_ring;
  table.unmap = unmap;
  base::set_sys(table);
}

std::byte* guarded_memory(std::size_t bytes) {
  int error = 0;
  auto* const at = static_cast<std::byte*>(
      fenced(bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0, error));
  if (at == nullptr) ::_exit(1);
  return at + whole_pages(bytes) - bytes;
}

}  // namespace ossloop::fuzz

extern "C" const char* __asan_default_options();
extern "C" const char* __ubsan_default_options();

// SIGTRAP is what the supervisor asks a process by that does not end.
extern "C" const char* __asan_default_options() {
  return "halt_on_error=1:exitcode=77:handle_abort=1:handle_sigbus=1:handle_sigfpe=1:"
         "handle_sigill=1:handle_sigtrap=1:detect_leaks=0:quarantine_size_mb=8:"
         "malloc_context_size=12";
}
extern "C" const char* __ubsan_default_options() { return "halt_on_error=1:print_stacktrace=1"; }
