#include "audio/gain.h"

#include <algorithm>

namespace ossloop::audio {

void Gain::set(double left, double right) {
  from_ = to_ = {left, right};
  length_ = done_ = 0;
}

void Gain::glide(double left, double right, std::size_t frames) {
  const Pair now = at(0);
  if (frames == 0 || (now.left == left && now.right == right)) return set(left, right);
  from_ = now;
  to_ = {left, right};
  length_ = frames;
  done_ = 0;
}

Gain::Pair Gain::at(std::size_t frame) const {
  if (length_ == 0) return from_;
  const std::size_t place = done_ + frame;
  if (place >= length_) return to_;
  const double part = static_cast<double>(place) / static_cast<double>(length_);
  return {from_.left + (to_.left - from_.left) * part,
          from_.right + (to_.right - from_.right) * part};
}

// Adding 0 makes a positive zero of a muted negative sample: mu-law has both.
void Gain::apply(double* samples, std::size_t frames, int channels) const {
  const auto row = static_cast<std::size_t>(channels);
  if (length_ == 0 && row % 2 == 0) {
    for (std::size_t i = 0; i < frames * row; i += 2) {  // vectorized: 1
      samples[i] = samples[i] * from_.left + 0.0;
      samples[i + 1] = samples[i + 1] * from_.right + 0.0;
    }
    return;
  }
  if (length_ == 0 && from_.left == from_.right) {
    for (std::size_t i = 0; i < frames * row; ++i) {  // vectorized: 1
      samples[i] = samples[i] * from_.left + 0.0;
    }
    return;
  }
  for (std::size_t frame = 0; frame < frames; ++frame, samples += row) {
    const Pair pair = at(frame);
    const double gains[] = {pair.left, pair.right};
    for (std::size_t j = 0; j < row; ++j) samples[j] = samples[j] * gains[j % 2] + 0.0;
  }
}

void Gain::take(std::size_t frames) {
  if (length_ == 0) return;
  done_ = std::min(done_ + frames, length_);
  if (done_ == length_) set(to_.left, to_.right);
}

}  // namespace ossloop::audio
