// Two factors, one for the even and one for the odd channels, that glide from one
// value to the next so that a level can change in the middle of a sound.
#pragma once

#include <cstddef>

namespace ossloop::audio {

class Gain {
 public:
  // In effect at once.
  void set(double left, double right);
  // In effect after `frames`, by even steps.
  void glide(double left, double right, std::size_t frames);

  // Nothing to do: every sample stays as it is.
  bool unity() const { return from_.left == 1 && from_.right == 1 && length_ == 0; }

  // Multiplies interleaved samples. The glide stays where it is until the frames
  // are taken, for a caller that may come again with some of them.
  void apply(double* samples, std::size_t frames, int channels) const;
  void take(std::size_t frames);

 private:
  struct Pair {
    double left = 1, right = 1;
  };
  Pair at(std::size_t frame) const;

  Pair from_, to_;
  std::size_t length_ = 0;  // of the glide, 0: none
  std::size_t done_ = 0;
};

}  // namespace ossloop::audio
