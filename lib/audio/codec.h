// From and to samples as numbers.
//
// Between decoding and encoding a sample is a double in which full scale is
// ±1.0: every format, 32 bits included, is exact in it. Where a filter follows
// that calculates in single precision, a float will do: 24 bits are exact in it.
#pragma once

#include <cstddef>

namespace ossloop::audio {

// Reads and writes the samples of one format. Neither the bytes nor their
// number need any alignment.
struct Codec {
  int afmt;

  // Not-a-number and infinities, which would stay in a filter, read as 0.
  void (*decode)(const void* in, double* out, std::size_t samples);
  void (*decode_single)(const void* in, float* out, std::size_t samples);

  // Integers: nearest value (ties to even), saturated. G.711: the standard's
  // decision values. FLOAT: not clipped. Returns how many samples were saturated
  // that lie beyond by more than rounding.
  std::size_t (*encode)(const double* in, void* out, std::size_t samples);
};

// nullptr if the format is not in the table of formats.
const Codec* find_codec(int afmt);

}  // namespace ossloop::audio
