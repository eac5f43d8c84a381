// The frames of one instance between its two sides: addresses only, the
// positions are kept in abi::Producer and abi::Consumer.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace ossloop::shm {

class Ring {
 public:
  Ring() = default;
  Ring(std::byte* data, std::uint64_t capacity_frames, std::size_t frame_bytes)
      : data_(data), capacity_frames_(capacity_frames), frame_bytes_(frame_bytes) {}

  explicit operator bool() const { return data_ != nullptr; }
  std::uint64_t capacity_frames() const { return capacity_frames_; }
  std::size_t frame_bytes() const { return frame_bytes_; }

  // The longest piece in one run from `position` on, at most `frames`; its
  // length comes back in `frames`.
  std::byte* piece(std::uint64_t position, std::size_t& frames) const {
    const std::uint64_t index = position % capacity_frames_;
    frames = static_cast<std::size_t>(std::min<std::uint64_t>(frames, capacity_frames_ - index));
    return data_ + index * frame_bytes_;
  }

  void copy_in(std::uint64_t position, const void* from, std::size_t frames) const {
    std::size_t first = frames;
    std::byte* at = piece(position, first);
    std::memcpy(at, from, first * frame_bytes_);
    std::memcpy(data_, static_cast<const std::byte*>(from) + first * frame_bytes_,
                (frames - first) * frame_bytes_);
  }

  void copy_out(std::uint64_t position, void* to, std::size_t frames) const {
    std::size_t first = frames;
    const std::byte* at = piece(position, first);
    std::memcpy(to, at, first * frame_bytes_);
    std::memcpy(static_cast<std::byte*>(to) + first * frame_bytes_, data_,
                (frames - first) * frame_bytes_);
  }

 private:
  std::byte* data_ = nullptr;
  std::uint64_t capacity_frames_ = 0;
  std::size_t frame_bytes_ = 0;
};

}  // namespace ossloop::shm
