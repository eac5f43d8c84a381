// The buffer that a program maps: a file of the side in the runtime folder.
#pragma once

#include <cstddef>
#include <string>

#include "abi/layout.h"
#include "shm/names.h"
#include "shm/runtime_directory.h"
#include "shm/segment.h"

namespace ossloop::shm {

class MapFile {
 public:
  MapFile(const RuntimeDirectory& directory, int instance, const Place& place, bool recorded)
      : directory_(directory), name_(map_name(instance, place, recorded)) {}

  std::string path() const { return directory_.path_of(name_); }

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
  RuntimeDirectory directory_;
  std::string name_;
};

}  // namespace ossloop::shm
