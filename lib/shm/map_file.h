// The buffer that a program maps: a file of the side in the runtime folder.
#pragma once

#include <cstddef>
#include <string>

#include "abi/segment.h"
#include "base/fd.h"
#include "shm/segment.h"

namespace ossloop::shm {

class MapFile {
 public:
  MapFile(const std::string& folder, int instance, abi::SideIndex side, bool recorded);

  const std::string& path() const { return path_; }

  // Makes the file anew, of zeros, in the place of one that an earlier open left
  // and may still have mapped. The memory is reserved: 0, -ENOSPC, or what open says.
  int make(std::size_t bytes) const;
  void remove() const;
  // What all moving goes through: the whole file. -EIO: it is shorter than that.
  Mapping map(std::size_t bytes, int& error) const;
  // As a program asks for it. One that only reads cannot make it writable later.
  // -EINVAL: longer than the file is.
  void* map_as(void* address, std::size_t bytes, int protection, int flags, int& error) const;

 private:
  std::string path_;
};

}  // namespace ossloop::shm
