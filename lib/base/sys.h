// The system calls the loop may use.
//
// The library lives behind names such as open() and close() that its own shim
// answers, so it never calls them: it goes through this table, which reaches
// the kernel directly. Tests put a table of their own in its place.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>

namespace ossloop::base {

// Every function returns what the kernel does: a value, or -errno.
struct Sys {
  int (*open)(const char* path, int flags, mode_t mode);
  int (*openat)(int dirfd, const char* path, int flags, mode_t mode);
  int (*close)(int fd);
  ssize_t (*read)(int fd, void* data, std::size_t bytes);
  ssize_t (*write)(int fd, const void* data, std::size_t bytes);
  ssize_t (*pread)(int fd, void* data, std::size_t bytes, std::int64_t offset);
  int (*dup3)(int fd, int to, int flags);  // of fd == to: as dup2
  int (*fcntl)(int fd, int command, std::intptr_t argument);
  int (*fstat)(int fd, struct stat* status);
  // `flags` as fstatat: AT_SYMLINK_NOFOLLOW.
  int (*fstatat)(int dirfd, const char* path, struct stat* status, int flags);
  int (*mkdirat)(int dirfd, const char* path, mode_t mode);
  int (*mkfifoat)(int dirfd, const char* path, mode_t mode);
  // Both of an O_PATH descriptor too: what nobody may open can be mended.
  int (*fchmod)(int fd, mode_t mode);
  int (*fchgrp)(int fd, gid_t group);
  int (*linkat)(int dirfd, const char* from, const char* to);
  int (*unlinkat)(int dirfd, const char* path);
  int (*ftruncate)(int fd, std::int64_t bytes);
  int (*fallocate)(int fd, std::int64_t offset, std::int64_t bytes);
  // Gives the memory back; the file keeps its length.
  int (*punch_hole)(int fd, std::int64_t offset, std::int64_t bytes);
  // A file without a name, open for reading and writing.
  int (*memory_file)(const char* name, bool close_on_exec);
  // nullptr on failure, with the reason in `error` (-errno).
  void* (*map)(int fd, std::int64_t offset, std::size_t bytes, bool writable, int& error);
  // The same as a program asks for it.
  void* (*map_as)(void* address, std::size_t bytes, int protection, int flags, int fd, int& error);
  // For writing, and twice, one behind the other: unmap() so many bytes two times.
  void* (*map_ring)(int fd, std::int64_t offset, std::size_t bytes, int& error);
  void (*unmap)(void* address, std::size_t bytes);
  // Gives the calling thread an empty descriptor table of its own.
  int (*own_descriptor_table)();
  // Copies between this process's memory and itself without ever faulting:
  // the count of bytes copied, or -EFAULT.
  ssize_t (*copy_from_user)(void* to, const void* from, std::size_t bytes);
  ssize_t (*copy_to_user)(void* to, const void* from, std::size_t bytes);
  // CLOCK_MONOTONIC in nanoseconds.
  std::int64_t (*now_ns)();
  std::int64_t (*seek)(int fd, std::int64_t offset, int whence);
  // Not ended with a zero byte.
  ssize_t (*readlink)(const char* path, char* to, std::size_t bytes);
};

// The table in force. Set once at start (the default reaches the kernel).
const Sys& sys();
void set_sys(const Sys& table);
Sys kernel_sys();

}  // namespace ossloop::base
