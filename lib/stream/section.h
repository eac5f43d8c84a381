// Sound of one format in one ring: what lies between two of abi::Producer's marks.
#pragma once

#include <cstdint>

#include "audio/pcm_format.h"

namespace ossloop::device {

struct Section {
  std::uint64_t number = 0;  // counted from 1 on; 0: nothing was ever written
  std::uint64_t frame = 0;   // the first
  audio::PcmFormat format = {};
  // The ring, in bytes of the file; and how many bytes had gone by before `frame`.
  std::uint64_t ring_offset = 0;
  std::uint64_t ring_bytes = 0;
  std::uint64_t byte = 0;

  // Where a frame of the section, or the one behind its last, lies: counted as `byte` is.
  std::uint64_t byte_of(std::uint64_t position) const {
    return byte + (position - frame) * static_cast<std::uint64_t>(format.frame_bytes());
  }
};

// Facts of the ring as this process has mapped it, for the format of one section; never
// taken from shared memory anew.
struct RingLimits {
  std::uint64_t capacity_frames = 0;
  std::uint64_t longest_buffer_frames = 0;
  int rate_hz = 48000;
  std::uint64_t frame_bytes = 1;
  std::uint64_t ring_offset = 0;
  // Kept behind what was read: a filter is filled from them again.
  std::uint64_t history_frames = 0;
};

}  // namespace ossloop::device
