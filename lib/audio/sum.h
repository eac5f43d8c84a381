// Several sounds of one format, added to each other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "audio/codec.h"
#include "audio/pcm_format.h"

namespace ossloop::audio {

class Sum {
 public:
  // `format` is one that the table has.
  explicit Sum(const PcmFormat& format);

  const PcmFormat& format() const { return format_; }
  // So many frames at once.
  std::size_t block_frames() const { return block_frames_; }

  // Where the frames of the next sound go, and that they are there. One sound alone comes
  // out as it was, NaN of FLOAT apart.
  std::byte* room() { return bytes_.data(); }
  void add(std::size_t frames);
  // The sum of what was added, saturated, or silence; the next one begins. Returns how many
  // samples were saturated.
  std::uint64_t take(void* out, std::size_t frames);

 private:
  std::size_t samples_of(std::size_t frames) const {
    return frames * static_cast<std::size_t>(format_.channels);
  }

  const PcmFormat format_;
  const Codec& codec_;
  const std::size_t block_frames_;
  const bool whole_;  // 16 bits as the processor has them: added as whole numbers
  bool empty_ = true;
  std::vector<std::byte> bytes_;
  std::vector<double> decoded_;
  std::vector<double> sum_;
  std::vector<std::int32_t> whole_sum_;
};

}  // namespace ossloop::audio
