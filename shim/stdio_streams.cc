#include "shim/stdio_streams.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shim/engine_loader.h"
#include "shim/owned_records.h"

namespace ossloop::shim {
namespace {

// Flags of a stream: libc's <libio.h>, which it no longer installs.
constexpr int kUnbuffered = 0x2, kNoReads = 0x4, kNoWrites = 0x8, kLineBuffered = 0x200;

struct StreamData {
  int fd = -1;
};
constinit OwnedRecords<FILE, StreamData> streams;
using Stream = decltype(streams)::Record;

ssize_t read_stream(void* cookie, char* data, size_t bytes) {
  return ::read(static_cast<Stream*>(cookie)->fd, data, bytes);
}

// As libc's own: goes on until all is written or nothing more can be.
ssize_t write_stream(void* cookie, const char* data, size_t bytes) {
  size_t done = 0;
  while (done < bytes) {
    const ssize_t written = ::write(static_cast<Stream*>(cookie)->fd, data + done, bytes - done);
    if (written < 0) break;
    done += static_cast<size_t>(written);
  }
  return static_cast<ssize_t>(done);
}

int seek_stream(void* cookie, off64_t* offset, int whence) {
  const off64_t place = ::lseek64(static_cast<Stream*>(cookie)->fd, *offset, whence);
  if (place < 0) return -1;
  *offset = place;
  return 0;
}

int close_stream(void* cookie) {
  auto* stream = static_cast<Stream*>(cookie);
  const int fd = stream->fd;
  streams.give_back(stream);
  return ::close(fd);
}

struct Standard {
  FILE* original = nullptr;
  FILE* ours = nullptr;
};
Standard standards[3];

FILE*& variable(int fd) { return fd == 0 ? stdin : fd == 1 ? stdout : stderr; }

// What was printed before the number changed goes where the number leads now, as
// it would with one stream.
void take_over(FILE* from, FILE* to) {
  const size_t pending = static_cast<size_t>(from->_IO_write_ptr - from->_IO_write_base);
  if (from->_IO_write_ptr > from->_IO_write_base) ::fwrite(from->_IO_write_base, 1, pending, to);
  ::__fpurge(from);
}

FILE* make_standard(int fd, const FILE* like) {
  FILE* file = make_stream(fd, fd == 0 ? "r" : "w");
  if (file == nullptr) return nullptr;
  if (fd == 2 || (like->_flags & kUnbuffered) != 0) {
    ::setvbuf(file, nullptr, _IONBF, 0);
  } else if ((like->_flags & kLineBuffered) != 0) {
    ::setvbuf(file, nullptr, _IOLBF, 0);
  }
  return file;
}

}  // namespace

int open_flags_of(const char* mode) {
  int flags = 0;
  switch (*mode) {
    case 'r':
      flags = O_RDONLY;
      break;
    case 'w':
      flags = O_WRONLY | O_CREAT | O_TRUNC;
      break;
    case 'a':
      flags = O_WRONLY | O_CREAT | O_APPEND;
      break;
    default:
      return -1;
  }
  for (const char* more = mode + 1; *more != '\0' && *more != ','; ++more) {
    if (*more == '+') flags = (flags & ~O_ACCMODE) | O_RDWR;
    if (*more == 'e') flags |= O_CLOEXEC;
    if (*more == 'x') flags |= O_EXCL;
  }
  return flags;
}

FILE* make_stream(int fd, const char* mode) {
  Stream* stream = streams.take();
  if (stream == nullptr) return nullptr;
  stream->fd = fd;
  FILE* file = ::fopencookie(stream, mode, {read_stream, write_stream, seek_stream, close_stream});
  if (file == nullptr) {
    streams.give_back(stream);
    return nullptr;
  }
  file->_fileno = fd;
  stream->owner.store(file);
  return file;
}

bool is_stream(FILE* file) { return streams.find(file) != nullptr; }

FILE* change_stream(FILE* file, int fd, const char* mode) {
  Stream* stream = streams.find(file);
  if (stream == nullptr) return file;
  const int access = open_flags_of(mode) & O_ACCMODE;
  ::fflush(file);
  ::__fpurge(file);
  ::clearerr(file);
  file->_flags &= ~(kNoReads | kNoWrites);
  if (access == O_RDONLY) file->_flags |= kNoWrites;
  if (access == O_WRONLY) file->_flags |= kNoReads;
  file->_fileno = fd;
  stream->fd = fd;
  return file;
}

void settle_standard_stream(int fd) {
  // The streams of a vfork() child are its parent's.
  if (!own_process()) return;
  Standard& standard = standards[fd];
  FILE*& present = variable(fd);
  const bool exchanged = standard.ours != nullptr && present == standard.ours;
  if (descriptors.ours(fd) == exchanged) return;
  const int saved = errno;
  if (exchanged) {
    present = standard.original;
    take_over(standard.ours, standard.original);
  } else if (present != nullptr && present->_fileno == fd && !is_stream(present)) {
    if (standard.ours == nullptr || !is_stream(standard.ours)) {
      standard.ours = make_standard(fd, present);
    }
    if (standard.ours != nullptr) {
      standard.original = present;
      present = standard.ours;
      take_over(standard.original, standard.ours);
    }
  }
  errno = saved;
}

FILE* original_of(FILE* file) {
  for (int fd = 0; fd < 3; ++fd) {
    if (file == nullptr || file != standards[fd].ours) continue;
    if (variable(fd) == file) variable(fd) = standards[fd].original;
    return standards[fd].original;
  }
  return nullptr;
}

void flush_streams() {
  for (Stream* stream = streams.first(); stream != nullptr; stream = stream->next) {
    FILE* file = stream->owner.load();
    // One that is locked is in the hands of a thread that may wait for ever.
    if (file == nullptr || ::ftrylockfile(file) != 0) continue;
    if (file->_IO_write_ptr > file->_IO_write_base) ::fflush_unlocked(file);
    ::funlockfile(file);
  }
}

}  // namespace ossloop::shim
