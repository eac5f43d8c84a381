// Triangular (TPDF) dither from a small generator of our own, so that the
// host's rand() is left alone and a stream comes out the same each time.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ossloop::audio {

class Dither {
 public:
  // Adds noise of triangular density within ±`step` to each sample.
  void add(double* samples, std::size_t count, double step) {
    for (std::size_t i = 0; i < count; ++i) samples[i] += step * next();
  }
  void reset() { state_ = 0; }

 private:
  // The difference of two uniform variates, both from one step of splitmix64.
  double next() {
    std::uint64_t bits = state_ += 0x9E3779B97F4A7C15U;
    bits = (bits ^ bits >> 30) * 0xBF58476D1CE4E5B9U;
    bits = (bits ^ bits >> 27) * 0x94D049BB133111EBU;
    bits ^= bits >> 31;
    const auto difference =
        static_cast<std::int64_t>(bits >> 32) - static_cast<std::int64_t>(bits & 0xFFFFFFFFU);
    return static_cast<double>(difference) * 0x1p-32;
  }

  std::uint64_t state_ = 0;
};

}  // namespace ossloop::audio
