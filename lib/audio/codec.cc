#include "audio/codec.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

#include "audio/g711.h"
#include "audio/kernel.h"
#include "audio/pcm_format.h"

// No floating-point exception is trapped or read here; unless told so, GCC
// keeps every comparison in its place and vectorizes no loop that has one.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("no-trapping-math")
#endif

namespace ossloop::audio {
namespace {

// In the form that the compiler turns into one instruction, and that makes a
// number of not-a-number.
double clamp(double value, double low, double high) {
  const double at_least = value > low ? value : low;
  return at_least < high ? at_least : high;
}

// Nearest integer, ties to even, of a value that fits: beside 1.5 * 2^52 there
// is no room for a fraction. Unlike lrint() a loop of it is vectorized.
std::int32_t nearest(double value) {
  return static_cast<std::int32_t>((value + 0x1.8p52) - 0x1.8p52);
}

// 1 if clamping has changed a value by more than rounding does. No std::abs(): GCC does
// not inline what was defined with other options, and vectorizes no loop with a call.
std::int64_t beyond(double wanted, double clamped) {
  const double off = wanted - clamped;
  return (off > 0.5 ? 1 : 0) | (off < -0.5 ? 1 : 0);
}

std::uint16_t swap_bytes(std::uint16_t word) { return __builtin_bswap16(word); }
std::uint32_t swap_bytes(std::uint32_t word) { return __builtin_bswap32(word); }

// An integer sample of `Bits` in the low bits of a `Word`. Bits above are
// ignored when read and a copy of the sign when written.
template <typename Word, int Bits, std::endian Order, bool Unsigned = false>
struct Integer {
  static constexpr std::size_t kBytes = sizeof(Word);
  static constexpr double kFullScale = static_cast<double>(std::int64_t{1} << (Bits - 1));
  static constexpr Word kFlip = Unsigned ? static_cast<Word>(Word{1} << (Bits - 1)) : Word{0};

  static std::int32_t load(const unsigned char* from) {
    Word word;
    std::memcpy(&word, from, sizeof(word));
    if constexpr (Order != std::endian::native) word = swap_bytes(word);
    const auto value = static_cast<std::uint32_t>(word ^ kFlip) << (32 - Bits);
    return static_cast<std::int32_t>(value) >> (32 - Bits);
  }
  static void store(std::int32_t value, unsigned char* to) {
    Word word = static_cast<Word>(static_cast<Word>(value) ^ kFlip);
    if constexpr (Order != std::endian::native) word = swap_bytes(word);
    std::memcpy(to, &word, sizeof(word));
  }
};

// Three bytes, least significant first.
struct Packed24 {
  static constexpr std::size_t kBytes = 3;
  static constexpr double kFullScale = 0x1p23;

  static std::int32_t load(const unsigned char* from) {
    const auto value = static_cast<std::uint32_t>(from[0]) << 8 |
                       static_cast<std::uint32_t>(from[1]) << 16 |
                       static_cast<std::uint32_t>(from[2]) << 24;
    return static_cast<std::int32_t>(value) >> 8;
  }
  static void store(std::int32_t value, unsigned char* to) {
    to[0] = static_cast<unsigned char>(value);
    to[1] = static_cast<unsigned char>(value >> 8);
    to[2] = static_cast<unsigned char>(value >> 16);
  }
};

OSSLOOP_WIDE void decode_s16_single(const void* in, float* out, std::size_t samples) {
  const auto* from = static_cast<const unsigned char*>(in);
  for (std::size_t i = 0; i < samples; ++i) {  // vectorized: 2
    std::int16_t value;
    std::memcpy(&value, from + i * sizeof value, sizeof value);
    out[i] = static_cast<float>(value) * 0x1p-15F;
  }
}

template <typename Layout, typename Sample>
OSSLOOP_WIDE void decode_integers(const void* in, Sample* out, std::size_t samples) {
  constexpr auto kStep = static_cast<Sample>(1 / Layout::kFullScale);
  const auto* from = static_cast<const unsigned char*>(in);
  for (std::size_t i = 0; i < samples; ++i) {  // vectorized: 36
    out[i] = static_cast<Sample>(Layout::load(from + i * Layout::kBytes)) * kStep;
  }
}

template <typename Layout>
OSSLOOP_WIDE std::size_t encode_integers(const double* in, void* out, std::size_t samples) {
  auto* to = static_cast<unsigned char*>(out);
  std::int64_t clipped = 0;                    // as wide as a double, or the loop is not vectorized
  for (std::size_t i = 0; i < samples; ++i) {  // vectorized: 11
    const double wanted = in[i] * Layout::kFullScale;
    const double scaled = clamp(wanted, -Layout::kFullScale, Layout::kFullScale - 1);
    clipped += beyond(wanted, scaled);
    Layout::store(nearest(scaled), to + i * Layout::kBytes);
  }
  return static_cast<std::size_t>(clipped);
}

template <typename Sample>
OSSLOOP_WIDE void decode_floats(const void* in, Sample* out, std::size_t samples) {
  const auto* from = static_cast<const unsigned char*>(in);
  for (std::size_t i = 0; i < samples; ++i) {  // vectorized: 4
    float value;
    std::memcpy(&value, from + i * sizeof(value), sizeof(value));
    const float finite = value - value == 0 ? value : 0;
    out[i] = static_cast<Sample>(finite);
  }
}

OSSLOOP_WIDE std::size_t encode_floats(const double* in, void* out, std::size_t samples) {
  constexpr double kMax = std::numeric_limits<float>::max();
  auto* to = static_cast<unsigned char*>(out);
  for (std::size_t i = 0; i < samples; ++i) {  // vectorized: 2
    const auto value = static_cast<float>(clamp(in[i], -kMax, kMax));
    std::memcpy(to + i * sizeof(value), &value, sizeof(value));
  }
  return 0;
}

template <int (*ToLinear)(std::uint8_t), typename Sample>
void decode_g711(const void* in, Sample* out, std::size_t samples) {
  static const auto kValues = [] {
    std::array<Sample, 256> values{};
    for (unsigned code = 0; code < 256; ++code) {
      const int linear = ToLinear(static_cast<std::uint8_t>(code));
      // The sign tells the negative zero of mu-law from the positive one.
      const double positive = std::abs(linear) * 0x1p-15;
      values[code] = static_cast<Sample>(std::copysign(positive, (code & 0x80) != 0 ? 1.0 : -1.0));
    }
    return values;
  }();
  const auto* from = static_cast<const unsigned char*>(in);
  for (std::size_t i = 0; i < samples; ++i) out[i] = kValues[from[i]];
}

template <std::uint8_t (*ToCode)(int), int MinusZero>
std::size_t encode_g711(const double* in, void* out, std::size_t samples) {
  auto* to = static_cast<unsigned char*>(out);
  std::size_t clipped = 0;
  for (std::size_t i = 0; i < samples; ++i) {
    // Rounded down, which takes no value across a decision value.
    const double scaled = clamp(in[i] * 0x1p15, -32768, 32767);
    clipped += static_cast<std::size_t>(beyond(in[i] * 0x1p15, scaled));
    const double positive = scaled + 32768;
    const bool minus_zero = std::bit_cast<std::uint64_t>(in[i]) == std::uint64_t{1} << 63;
    to[i] = minus_zero ? static_cast<unsigned char>(MinusZero)
                       : ToCode(static_cast<int>(positive) - 32768);
  }
  return clipped;
}

template <typename Layout>
constexpr Codec integers(int afmt) {
  return {afmt, decode_integers<Layout, double>, decode_integers<Layout, float>,
          encode_integers<Layout>};
}

constexpr auto kLittle = std::endian::little;
constexpr auto kBig = std::endian::big;

using S16Le = Integer<std::uint16_t, 16, kLittle>;

const Codec kCodecs[] = {
    {afmt::kMuLaw, decode_g711<mu_law_to_linear, double>, decode_g711<mu_law_to_linear, float>,
     encode_g711<linear_to_mu_law, 0x7F>},
    {afmt::kALaw, decode_g711<a_law_to_linear, double>, decode_g711<a_law_to_linear, float>,
     encode_g711<linear_to_a_law, 0x55>},
    {afmt::kFloat, decode_floats<double>, decode_floats<float>, encode_floats},
    integers<Integer<std::uint8_t, 8, std::endian::native, true>>(afmt::kU8),
    integers<Integer<std::uint8_t, 8, std::endian::native>>(afmt::kS8),
    {afmt::kS16Le, decode_integers<S16Le, double>,
     std::endian::native == kLittle ? decode_s16_single : decode_integers<S16Le, float>,
     encode_integers<S16Le>},
    integers<Integer<std::uint16_t, 16, kBig>>(afmt::kS16Be),
    integers<Integer<std::uint16_t, 16, kLittle, true>>(afmt::kU16Le),
    integers<Integer<std::uint16_t, 16, kBig, true>>(afmt::kU16Be),
    integers<Integer<std::uint32_t, 24, kLittle>>(afmt::kS24Le),
    integers<Integer<std::uint32_t, 24, kBig>>(afmt::kS24Be),
    integers<Packed24>(afmt::kS24Packed),
    integers<Integer<std::uint32_t, 32, kLittle>>(afmt::kS32Le),
    integers<Integer<std::uint32_t, 32, kBig>>(afmt::kS32Be),
};

}  // namespace

const Codec* find_codec(int afmt) {
  const auto* row = std::ranges::find(kCodecs, afmt, &Codec::afmt);
  return row == std::end(kCodecs) ? nullptr : row;
}

}  // namespace ossloop::audio
