#include "shm/map_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

namespace ossloop::shm {

using base::Fd;
using base::sys;

MapFile::MapFile(const std::string& folder, int instance, abi::SideIndex side, bool recorded)
    : path_(folder + (side == abi::kServer ? "/server" : "/pcm") + std::to_string(instance) +
            (recorded ? ".recorded" : ".played")) {}

int MapFile::make(std::size_t bytes) const {
  remove();
  const Fd fd(sys().open(path_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  return fd ? reserve(fd.get(), bytes) : fd.get();
}

void MapFile::remove() const { sys().unlinkat(AT_FDCWD, path_.c_str()); }

Mapping MapFile::map(std::size_t bytes, int& error) const {
  const Fd fd(sys().open(path_.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC, 0));
  struct stat status {};
  error = fd ? sys().fstat(fd.get(), &status) : fd.get();
  if (error == 0 && status.st_size < static_cast<off_t>(bytes)) error = -EIO;
  if (error != 0) return {};
  return Mapping(sys().map(fd.get(), 0, bytes, true, error), bytes);
}

void* MapFile::map_as(void* address, std::size_t bytes, int protection, int flags,
                      int& error) const {
  const int access = (protection & PROT_WRITE) != 0 ? O_RDWR : O_RDONLY;
  const Fd fd(sys().open(path_.c_str(), access | O_NOFOLLOW | O_CLOEXEC, 0));
  struct stat status {};
  error = fd ? sys().fstat(fd.get(), &status) : fd.get();
  if (error == 0 && status.st_size < static_cast<off_t>(bytes)) error = -EINVAL;
  return error == 0 ? sys().map_as(address, bytes, protection, flags, fd.get(), error)
                    : nullptr;
}

}  // namespace ossloop::shm
