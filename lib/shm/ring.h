// The frames between a writer and its reader: addresses only, the positions are kept in
// abi::Producer and abi::Consumer.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace ossloop::shm {

class Ring {
 public:
  Ring() = default;
  // `data` holds the ring twice, one behind the other (Sys::map_ring), so that every
  // run of frames lies in one piece. The frame `position` lies where `byte` bytes have
  // gone by. A ring holds a frame at least.
  Ring(std::byte* data, std::size_t bytes, std::size_t frame_bytes, std::uint64_t position = 0,
       std::uint64_t byte = 0)
      : data_(data),
        bytes_(bytes),
        frame_bytes_(frame_bytes),
        position_(position),
        byte_(byte % bytes) {}

  explicit operator bool() const { return data_ != nullptr; }
  std::uint64_t capacity_frames() const { return bytes_ / frame_bytes_; }
  std::size_t frame_bytes() const { return frame_bytes_; }
  std::size_t bytes() const { return bytes_; }
  // The first of the two that lie one behind the other.
  std::byte* data() const { return data_; }

  // The frames from `position` on, at most so many as the ring holds; how many comes
  // back in `frames`.
  std::byte* piece(std::uint64_t position, std::size_t& frames) const {
    frames = static_cast<std::size_t>(std::min<std::uint64_t>(frames, capacity_frames()));
    return data_ + (byte_ + (position - position_) * frame_bytes_) % bytes_;
  }

  // At most so many frames as the ring holds.
  void copy_in(std::uint64_t position, const void* from, std::size_t frames) const {
    std::byte* const at = piece(position, frames);
    std::memcpy(at, from, frames * frame_bytes_);
  }

 private:
  std::byte* data_ = nullptr;
  std::size_t bytes_ = 1;
  std::size_t frame_bytes_ = 1;
  std::uint64_t position_ = 0;
  std::uint64_t byte_ = 0;
};

}  // namespace ossloop::shm
