#include "audio/g711.h"

#include <algorithm>
#include <array>
#include <bit>

namespace ossloop::audio {
namespace {

// The decision values are whole numbers of 14 bits in mu-law and of 12 in
// A-law, so the bits below may be cut off (rounding down) before the look-up.
constexpr int kMuLawShift = 2;
constexpr int kALawShift = 4;

constexpr std::uint8_t encode_mu_law(int cell) {
  const bool positive = cell >= 0;
  const unsigned biased = std::min(static_cast<unsigned>(positive ? cell : ~cell) + 33, 8191U);
  const auto segment = static_cast<unsigned>(std::bit_width(biased)) - 6;
  const unsigned code = segment << 4 | (biased >> (segment + 1) & 15);
  return static_cast<std::uint8_t>((positive ? 0xFFU : 0x7FU) ^ code);
}

constexpr std::uint8_t encode_a_law(int cell) {
  const bool positive = cell >= 0;
  const auto magnitude = static_cast<unsigned>(positive ? cell : ~cell);
  unsigned code = magnitude;
  if (magnitude >= 32) {
    const auto segment = static_cast<unsigned>(std::bit_width(magnitude)) - 4;
    code = segment << 4 | (magnitude >> (segment - 1) & 15);
  }
  return static_cast<std::uint8_t>((positive ? 0xD5U : 0x55U) ^ code);
}

template <int Shift, std::uint8_t (*Encode)(int)>
constexpr auto make_codes() {
  std::array<std::uint8_t, (65536 >> Shift)> codes{};
  const int half = 32768 >> Shift;
  for (std::size_t i = 0; i < codes.size(); ++i) codes[i] = Encode(static_cast<int>(i) - half);
  return codes;
}

constexpr auto kMuLawCodes = make_codes<kMuLawShift, encode_mu_law>();
constexpr auto kALawCodes = make_codes<kALawShift, encode_a_law>();

}  // namespace

int mu_law_to_linear(std::uint8_t code) {
  const unsigned bits = code ^ 0xFFU;
  const unsigned segment = bits >> 4 & 7;
  const int magnitude = static_cast<int>(((bits & 15) * 2 + 33) << segment) - 33;
  return (code & 0x80) != 0 ? magnitude * 4 : -magnitude * 4;
}

int a_law_to_linear(std::uint8_t code) {
  const unsigned bits = code ^ 0x55U;
  const unsigned segment = bits >> 4 & 7;
  const unsigned step = bits & 15;
  const unsigned magnitude = segment == 0 ? step * 2 + 1 : (step * 2 + 33) << (segment - 1);
  const int value = static_cast<int>(magnitude) * 8;
  return (code & 0x80) != 0 ? value : -value;
}

std::uint8_t linear_to_mu_law(int sample) {
  return kMuLawCodes[static_cast<std::size_t>((sample + 32768) >> kMuLawShift)];
}

std::uint8_t linear_to_a_law(int sample) {
  return kALawCodes[static_cast<std::size_t>((sample + 32768) >> kALawShift)];
}

}  // namespace ossloop::audio
