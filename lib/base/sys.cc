#include "base/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstring>

#include "base/scoped_block.h"

namespace ossloop::base {
namespace {

template <typename... Arguments>
long call(long number, Arguments... arguments) {
  const int saved = errno;
  const long result = ::syscall(number, arguments...);
  if (result != -1) return result;
  const int error = errno;
  errno = saved;
  return -error;
}

// One that takes the arguments of its function as they are.
template <long Number, typename Result, typename... Arguments>
Result plain(Arguments... arguments) {
  return static_cast<Result>(call(Number, arguments...));
}

int sys_open(const char* path, int flags, mode_t mode) {
  return static_cast<int>(call(SYS_openat, AT_FDCWD, path, flags, mode));
}
int sys_dup3(int fd, int to, int flags) {
  if (fd == to) return static_cast<int>(call(SYS_fcntl, fd, F_GETFD)) < 0 ? -EBADF : fd;
  return static_cast<int>(call(SYS_dup3, fd, to, flags));
}
int sys_fstat(int fd, struct stat* status) {
  return static_cast<int>(call(SYS_newfstatat, fd, "", status, AT_EMPTY_PATH));
}
int sys_mkfifoat(int dirfd, const char* path, mode_t mode) {
  return static_cast<int>(call(SYS_mknodat, dirfd, path, S_IFIFO | mode, 0));
}
int sys_fchmod(int fd, mode_t mode) {
  constexpr long kFchmodat2 = 452;  // since Linux 6.6
  const int result = static_cast<int>(call(SYS_fchmod, fd, mode));
  if (result != -EBADF) return result;
  if (call(kFchmodat2, fd, "", mode, AT_EMPTY_PATH) == 0) return 0;
  char path[48];
  std::snprintf(path, sizeof path, "/proc/thread-self/fd/%d", fd);
  return static_cast<int>(call(SYS_fchmodat, AT_FDCWD, path, mode));
}
int sys_fchgrp(int fd, gid_t group) {
  return static_cast<int>(call(SYS_fchownat, fd, "", static_cast<uid_t>(-1), group, AT_EMPTY_PATH));
}
int sys_linkat(int dirfd, const char* from, const char* to) {
  return static_cast<int>(call(SYS_linkat, dirfd, from, dirfd, to, 0));
}
int sys_unlinkat(int dirfd, const char* path) {
  return static_cast<int>(call(SYS_unlinkat, dirfd, path, 0));
}
int sys_ftruncate(int fd, std::int64_t bytes) {
  const ScopedWriteSignalBlock signals;
  return static_cast<int>(call(SYS_ftruncate, fd, bytes));
}
int sys_fallocate(int fd, std::int64_t offset, std::int64_t bytes) {
  const ScopedWriteSignalBlock signals;
  return static_cast<int>(call(SYS_fallocate, fd, 0, offset, bytes));
}
int sys_punch_hole(int fd, std::int64_t offset, std::int64_t bytes) {
  constexpr int kMode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
  return static_cast<int>(call(SYS_fallocate, fd, kMode, offset, bytes));
}
int sys_memory_file(const char* name, bool close_on_exec) {
  // MFD_ALLOW_SEALING, with or without MFD_CLOEXEC.
  return static_cast<int>(call(SYS_memfd_create, name, 2U | (close_on_exec ? 1U : 0U)));
}
void* map(void* address, std::size_t bytes, int protection, int flags, int fd, std::int64_t offset,
          int& error) {
  const long result = call(SYS_mmap, address, bytes, protection, flags, fd, offset);
  const bool failed = result < 0 && result > -4096;
  error = failed ? static_cast<int>(result) : 0;
  return failed ? nullptr : reinterpret_cast<void*>(result);
}
void* sys_map(int fd, std::int64_t offset, std::size_t bytes, bool writable, int& error) {
  const int protection = writable ? PROT_READ | PROT_WRITE : PROT_READ;
  return map(nullptr, bytes, protection, MAP_SHARED, fd, offset, error);
}
void* sys_map_as(void* address, std::size_t bytes, int protection, int flags, int fd, int& error) {
  return map(address, bytes, protection, flags, fd, 0, error);
}
void* sys_map_ring(int fd, std::int64_t offset, std::size_t bytes, int& error) {
  constexpr int kProtection = PROT_READ | PROT_WRITE;
  constexpr int kAnonymous = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  void* const first = map(nullptr, 2 * bytes, PROT_NONE, kAnonymous, -1, 0, error);
  if (first == nullptr) return nullptr;
  for (std::byte* at = static_cast<std::byte*>(first);
       error == 0 && at != static_cast<std::byte*>(first) + 2 * bytes; at += bytes) {
    map(at, bytes, kProtection, MAP_SHARED | MAP_FIXED, fd, offset, error);
  }
  if (error == 0) return first;
  call(SYS_munmap, first, 2 * bytes);
  return nullptr;
}
void sys_unmap(void* address, std::size_t bytes) { call(SYS_munmap, address, bytes); }

int sys_own_descriptor_table() {
  // CLOSE_RANGE_UNSHARE over the whole range: nothing is copied only to be closed.
  constexpr unsigned kUnshare = 2;
  return static_cast<int>(call(SYS_close_range, 0U, ~0U, kUnshare));
}

ssize_t copy(long number, void* to, const void* from, std::size_t bytes) {
  if (bytes == 0) return 0;
  const bool reading = number == SYS_process_vm_readv;
  iovec local{reading ? to : const_cast<void*>(from), bytes};
  iovec remote{reading ? const_cast<void*>(from) : to, bytes};
  // A sandbox may forbid the call, and is not asked again; then the caller's pointer is
  // believed.
  static std::atomic<bool> refused{false};
  const long result = refused.load(std::memory_order_relaxed)
                          ? -EPERM
                          : call(number, ::getpid(), &local, 1UL, &remote, 1UL, 0UL);
  if (result == -EPERM || result == -ENOSYS) refused.store(true, std::memory_order_relaxed);
  if (result < 0 && result != -EFAULT) {
    std::memcpy(to, from, bytes);
    return static_cast<ssize_t>(bytes);
  }
  if (result != static_cast<long>(bytes)) return -EFAULT;
  // Once more by hand: valgrind does not see that the kernel has written there.
  if (!reading) std::memcpy(to, from, bytes);
  return result;
}
ssize_t sys_copy_from_user(void* to, const void* from, std::size_t bytes) {
  return copy(SYS_process_vm_readv, to, from, bytes);
}
ssize_t sys_copy_to_user(void* to, const void* from, std::size_t bytes) {
  return copy(SYS_process_vm_writev, to, from, bytes);
}

std::int64_t sys_now_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

ssize_t sys_readlink(const char* path, char* to, std::size_t bytes) {
  return call(SYS_readlinkat, AT_FDCWD, path, to, bytes);
}

constexpr Sys kKernel{
    .open = sys_open,
    .openat = plain<SYS_openat>,
    .close = plain<SYS_close>,
    .read = plain<SYS_read>,
    .write = plain<SYS_write>,
    .pread = plain<SYS_pread64>,
    .dup3 = sys_dup3,
    .fcntl = plain<SYS_fcntl>,
    .fstat = sys_fstat,
    .fstatat = plain<SYS_newfstatat>,
    .mkdirat = plain<SYS_mkdirat>,
    .mkfifoat = sys_mkfifoat,
    .fchmod = sys_fchmod,
    .fchgrp = sys_fchgrp,
    .linkat = sys_linkat,
    .unlinkat = sys_unlinkat,
    .ftruncate = sys_ftruncate,
    .fallocate = sys_fallocate,
    .punch_hole = sys_punch_hole,
    .memory_file = sys_memory_file,
    .map = sys_map,
    .map_as = sys_map_as,
    .map_ring = sys_map_ring,
    .unmap = sys_unmap,
    .own_descriptor_table = sys_own_descriptor_table,
    .copy_from_user = sys_copy_from_user,
    .copy_to_user = sys_copy_to_user,
    .now_ns = sys_now_ns,
    .seek = plain<SYS_lseek>,
    .readlink = sys_readlink,
};
Sys in_force = kKernel;

}  // namespace

const Sys& sys() { return in_force; }
void set_sys(const Sys& table) { in_force = table; }
Sys kernel_sys() { return kKernel; }

}  // namespace ossloop::base
