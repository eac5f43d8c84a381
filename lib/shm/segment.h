// An instance's segment, mapped into this process.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "abi/layout.h"
#include "base/fd.h"
#include "shm/names.h"
#include "shm/runtime_directory.h"

namespace ossloop::shm {

// A piece of a segment's file in memory; unmapped with its last owner.
class Mapping {
 public:
  Mapping() = default;
  Mapping(void* address, std::size_t bytes) : address_(address), bytes_(bytes) {}
  Mapping(Mapping&& other) noexcept;
  Mapping& operator=(Mapping&& other) noexcept;
  ~Mapping();

  std::byte* data() const { return static_cast<std::byte*>(address_); }
  std::size_t bytes() const { return bytes_; }

 private:
  void* address_ = nullptr;
  std::size_t bytes_ = 0;
};

// Gives a part of a file its memory, so that no later write to it can fail. 0 or -errno.
int reserve(int fd, std::uint64_t offset, std::uint64_t bytes);

// Fills a segment that is made because there is none yet: all but the header.
using SegmentInit = std::function<void(abi::Segment&)>;

// All functions open the file by name and close it again, unless a descriptor is
// kept: run them where descriptors disturb nobody (device/device_thread.h).
class Segment {
 public:
  // Maps instance `number`; makes it if it is missing. nullptr with error:
  // -ENOSPC when the memory cannot be reserved, -EPROTO when the file is not a
  // segment of our layout and somebody uses it (an unused one is replaced),
  // else what open says.
  static std::shared_ptr<Segment> open(const RuntimeDirectory& directory, int number,
                                       const SegmentInit& init, int& error);
  // Only if it is there: -ENOENT.
  static std::shared_ptr<Segment> open_existing(const RuntimeDirectory& directory, int number,
                                                int& error);

  ~Segment() { kept_.release(); }
  abi::Segment& contract() const { return *reinterpret_cast<abi::Segment*>(mapping_.data()); }
  // Is the file of this name still the one that is mapped?
  bool current() const;

  // Keeps the file open, so that a program that changes its root or its user
  // later finds its ring. The descriptor belongs to the thread's table; a forked
  // child, which does not have it, forgets it.
  void keep_descriptor();
  void drop_descriptor() { kept_.reset(); }
  void forget_descriptor() { kept_.release(); }

  // Reserves memory for a ring, so that no write to it can fail: `offset` is where it
  // begins in the file. 0, -ENOSPC, or what open says.
  int add_ring(std::size_t bytes, std::uint64_t& offset) const;
  // Maps a ring, twice (Sys::map_ring). -EIO when nobody has reserved so much there. With
  // the claim of a side.
  Mapping map_ring(std::uint64_t offset, std::uint64_t bytes, int& error) const;
  // Copies from a ring without a claim: its memory may be given back meanwhile. 0,
  // -EIO, or what the system says.
  int read_ring(std::uint64_t offset, std::byte* to, std::size_t bytes) const;
  // Nobody reads or writes there any more.
  void drop_ring(std::uint64_t offset, std::uint64_t bytes) const;

  // If nobody has the instance open: gives back the memory of the rings, and that of the
  // files which mean nothing now.
  void give_back() const;
  // As long as it is open nobody gives it back: for who listens and claims nothing. In the
  // caller's table; invalid where that cannot be.
  base::Fd hold_rings() const;

 private:
  Segment(const RuntimeDirectory& directory, int number, Mapping mapping, dev_t device,
          ino_t inode);
  static std::shared_ptr<Segment> map_file(const RuntimeDirectory& directory, int number,
                                           int& error);

  base::Fd open_file() const;
  bool has_rings() const;
  template <typename Work>
  int with_file(Work work) const;

  RuntimeDirectory directory_;
  int number_;
  base::Fd kept_;
  Mapping mapping_;
  dev_t device_;
  ino_t inode_;
};

}  // namespace ossloop::shm
