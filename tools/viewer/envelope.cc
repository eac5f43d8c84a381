#include "viewer/envelope.h"

#include <algorithm>
#include <cmath>

namespace ossloop::view {
namespace {

void join(Envelope::Range& range, const Envelope::Range& other) {
  range.least = std::min(range.least, other.least);
  range.largest = std::max(range.largest, other.largest);
}

}  // namespace

void Envelope::halve() {
  for (std::size_t i = 0; 2 * i < pieces_.size(); ++i) {
    pieces_[i] = pieces_[2 * i];
    if (2 * i + 1 < pieces_.size()) join(pieces_[i], pieces_[2 * i + 1]);
  }
  pieces_.resize((pieces_.size() + 1) / 2);
  piece_frames_ *= 2;
  in_last_ = piece_frames_;
}

void Envelope::add(const float* samples, std::size_t count, std::size_t stride) {
  for (std::size_t i = 0; i < count; ++i) {
    const float sample = samples[i * stride];
    if (pieces_.empty() || in_last_ == piece_frames_) {
      if (pieces_.size() == most_pieces_) halve();
      pieces_.push_back({sample, sample});
      in_last_ = 0;
    }
    join(pieces_.back(), {sample, sample});
    ++in_last_;
    squares_ += static_cast<double>(sample) * sample;
  }
  frames_ += count;
}

double Envelope::peak() const {
  double most = 0;
  for (const Range& piece : pieces_) {
    most = std::max({most, -static_cast<double>(piece.least), static_cast<double>(piece.largest)});
  }
  return most;
}

double Envelope::rms() const {
  return frames_ > 0 ? std::sqrt(squares_ / static_cast<double>(frames_)) : 0;
}

Envelope::Range Envelope::over(double begin, double end) const {
  // The last piece may be shorter than the others.
  const double pieces = static_cast<double>(frames_) / static_cast<double>(piece_frames_);
  const auto last = static_cast<std::ptrdiff_t>(pieces_.size()) - 1;
  const auto from =
      std::clamp<std::ptrdiff_t>(static_cast<std::ptrdiff_t>(begin * pieces), 0, last);
  const auto to = std::clamp<std::ptrdiff_t>(
      static_cast<std::ptrdiff_t>(std::ceil(end * pieces - 1e-9)) - 1, from, last);
  Range range = pieces_[static_cast<std::size_t>(from)];
  for (std::ptrdiff_t i = from + 1; i <= to; ++i) join(range, pieces_[static_cast<std::size_t>(i)]);
  return range;
}

}  // namespace ossloop::view
