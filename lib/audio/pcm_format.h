// What samples look like: the one table of formats, and the format of a stream.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>

namespace ossloop::audio {

// The AFMT_* bits of the OSS API.
namespace afmt {
inline constexpr int kMuLaw = 0x1;
inline constexpr int kALaw = 0x2;
inline constexpr int kU8 = 0x8;
inline constexpr int kS16Le = 0x10;
inline constexpr int kS16Be = 0x20;
inline constexpr int kS8 = 0x40;
inline constexpr int kU16Le = 0x80;
inline constexpr int kU16Be = 0x100;
inline constexpr int kS32Le = 0x1000;
inline constexpr int kS32Be = 0x2000;
inline constexpr int kFloat = 0x4000;
inline constexpr int kS24Le = 0x8000;
inline constexpr int kS24Be = 0x10000;
inline constexpr int kS24Packed = 0x40000;
}  // namespace afmt

inline constexpr int kMinRateHz = 5000;
inline constexpr int kMaxRateHz = 768000;
inline constexpr int kMaxChannels = 64;

enum class Encoding { kSigned, kUnsigned, kFloat, kMuLaw, kALaw };

// One row of the table of formats.
struct SampleFormat {
  int afmt;          // OSS AFMT_* bit
  const char* name;  // verbatim OSS name without AFMT_: "S16_LE"
  int bytes;         // container of one sample
  int bits;          // significant bits: the step of a sample is 2^(1 - bits) of full scale
  Encoding encoding;
  std::endian order;
  std::array<std::uint8_t, 4> silence;  // the first `bytes` of it are one silent sample

  bool integer() const { return encoding == Encoding::kSigned || encoding == Encoding::kUnsigned; }
};

// The table. A format's index in it is stable and below 32: it is stored in
// shared memory, so rows are only ever appended.
// A float carries 24 significant bits plus the sign.
inline constexpr SampleFormat kSampleFormats[] = {
    {afmt::kMuLaw, "MU_LAW", 1, 14, Encoding::kMuLaw, std::endian::native, {0xFF}},
    {afmt::kALaw, "A_LAW", 1, 13, Encoding::kALaw, std::endian::native, {0xD5}},
    {afmt::kU8, "U8", 1, 8, Encoding::kUnsigned, std::endian::native, {0x80}},
    {afmt::kS16Le, "S16_LE", 2, 16, Encoding::kSigned, std::endian::little, {}},
    {afmt::kS16Be, "S16_BE", 2, 16, Encoding::kSigned, std::endian::big, {}},
    {afmt::kS8, "S8", 1, 8, Encoding::kSigned, std::endian::native, {}},
    {afmt::kU16Le, "U16_LE", 2, 16, Encoding::kUnsigned, std::endian::little, {0x00, 0x80}},
    {afmt::kU16Be, "U16_BE", 2, 16, Encoding::kUnsigned, std::endian::big, {0x80, 0x00}},
    {afmt::kS32Le, "S32_LE", 4, 32, Encoding::kSigned, std::endian::little, {}},
    {afmt::kS32Be, "S32_BE", 4, 32, Encoding::kSigned, std::endian::big, {}},
    {afmt::kFloat, "FLOAT", 4, 25, Encoding::kFloat, std::endian::native, {}},
    {afmt::kS24Le, "S24_LE", 4, 24, Encoding::kSigned, std::endian::little, {}},
    {afmt::kS24Be, "S24_BE", 4, 24, Encoding::kSigned, std::endian::big, {}},
    {afmt::kS24Packed, "S24_PACKED", 3, 24, Encoding::kSigned, std::endian::little, {}},
};
static_assert(std::size(kSampleFormats) <= 32, "the index is stored in 5 bits");

inline std::span<const SampleFormat> sample_formats() { return kSampleFormats; }

// By the number of the AFMT_* bit: every call on a device asks.
inline constexpr auto kFormatOfBit = [] {
  std::array<std::int8_t, 32> rows{};
  rows.fill(-1);
  for (std::size_t i = 0; i < std::size(kSampleFormats); ++i) {
    rows[static_cast<std::size_t>(std::countr_zero(
        static_cast<unsigned>(kSampleFormats[i].afmt)))] = static_cast<std::int8_t>(i);
  }
  return rows;
}();

// Index into the table, or -1.
inline int format_index(int afmt) {
  const auto bits = static_cast<unsigned>(afmt);
  // Not has_single_bit(): without a special instruction that is a call.
  return bits != 0 && (bits & (bits - 1)) == 0
             ? kFormatOfBit[static_cast<std::size_t>(std::countr_zero(bits))]
             : -1;
}

// The row of an AFMT_* value; nullptr if it is none of ours (0, AFMT_AC3, two
// bits at once).
inline const SampleFormat* find_format(int afmt) {
  const int index = format_index(afmt);
  return index < 0 ? nullptr : &kSampleFormats[index];
}

// All formats or-ed together, as SNDCTL_DSP_GETFMTS tells them.
int supported_formats_mask();

// What a stream carries.
struct PcmFormat {
  int afmt;
  int channels;
  int rate_hz;

  // Bytes of one sample per channel; 0 if the format is not in the table.
  int frame_bytes() const {
    const SampleFormat* format = find_format(afmt);
    return format == nullptr ? 0 : format->bytes * channels;
  }
  bool operator==(const PcmFormat&) const = default;
};

// True if the format is in the table, with 1 to 64 channels at 5000 to 768000 Hz.
bool valid(const PcmFormat& format);

// Writes `frames` of digital silence: 0x80 in U8, 0xFF in mu-law, 0xD5 in A-law
// and so on. Does nothing for a format that is not in the table.
void fill_silence(const PcmFormat& format, void* out, std::size_t frames);

}  // namespace ossloop::audio
