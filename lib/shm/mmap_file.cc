#include "shm/mmap_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

#include "base/fd.h"

namespace ossloop::shm {

using base::Fd;
using base::sys;

int MapFile::make(std::size_t bytes) const {
  remove();
  const Fd fd(directory_.make_file(name_));
  return fd ? reserve(fd.get(), 0, bytes) : fd.get();
}

void MapFile::remove() const { directory_.remove(name_); }

Mapping MapFile::map(std::size_t bytes, int& error) const {
  const Fd fd(directory_.open(name_, O_RDWR));
  struct stat status {};
  error = fd ? sys().fstat(fd.get(), &status) : fd.get();
  if (error == 0 && status.st_size < static_cast<off_t>(bytes)) error = -EIO;
  if (error != 0) return {};
  return Mapping(sys().map(fd.get(), 0, bytes, true, error), bytes);
}

void* MapFile::map_as(void* address, std::size_t bytes, int protection, int flags,
                      int& error) const {
  const int access = (protection & PROT_WRITE) != 0 ? O_RDWR : O_RDONLY;
  const Fd fd(directory_.open(name_, access));
  struct stat status {};
  error = fd ? sys().fstat(fd.get(), &status) : fd.get();
  if (error == 0 && status.st_size < static_cast<off_t>(bytes)) error = -EINVAL;
  return error == 0 ? sys().map_as(address, bytes, protection, flags, fd.get(), error) : nullptr;
}

}  // namespace ossloop::shm
