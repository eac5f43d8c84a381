// The least and the largest sample over time, of sound whose length nobody need know.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace ossloop::view {

class Envelope {
 public:
  struct Range {
    float least = 0, largest = 0;
  };

  // Keeps at least half of `most_pieces` for a long sound, and never more: when there are more,
  // each two become one. `most_pieces` is even.
  explicit Envelope(std::size_t most_pieces) : most_pieces_(most_pieces) {}

  void add(const float* samples, std::size_t count, std::size_t stride);

  std::uint64_t frames() const { return frames_; }
  double peak() const;
  double rms() const;
  // Of the part from `begin` to `end` of the whole, 0 to 1; the piece at `begin` at least. There
  // is sound.
  Range over(double begin, double end) const;

 private:
  void halve();

  const std::size_t most_pieces_;
  std::size_t piece_frames_ = 1;
  std::size_t in_last_ = 0;  // frames of the last piece
  std::uint64_t frames_ = 0;
  double squares_ = 0;
  std::vector<Range> pieces_;
};

}  // namespace ossloop::view
