#include "audio/pcm_format.h"

#include <algorithm>
#include <cstring>

namespace ossloop::audio {
namespace {

using enum Encoding;
constexpr auto kLittle = std::endian::little;
constexpr auto kBig = std::endian::big;
constexpr auto kNative = std::endian::native;

// A float carries 24 significant bits plus the sign.
constexpr SampleFormat kFormats[] = {
    {afmt::kMuLaw, "MU_LAW", 1, 14, kMuLaw, kNative, {0xFF}},
    {afmt::kALaw, "A_LAW", 1, 13, kALaw, kNative, {0xD5}},
    {afmt::kU8, "U8", 1, 8, kUnsigned, kNative, {0x80}},
    {afmt::kS16Le, "S16_LE", 2, 16, kSigned, kLittle, {}},
    {afmt::kS16Be, "S16_BE", 2, 16, kSigned, kBig, {}},
    {afmt::kS8, "S8", 1, 8, kSigned, kNative, {}},
    {afmt::kU16Le, "U16_LE", 2, 16, kUnsigned, kLittle, {0x00, 0x80}},
    {afmt::kU16Be, "U16_BE", 2, 16, kUnsigned, kBig, {0x80, 0x00}},
    {afmt::kS32Le, "S32_LE", 4, 32, kSigned, kLittle, {}},
    {afmt::kS32Be, "S32_BE", 4, 32, kSigned, kBig, {}},
    {afmt::kFloat, "FLOAT", 4, 25, kFloat, kNative, {}},
    {afmt::kS24Le, "S24_LE", 4, 24, kSigned, kLittle, {}},
    {afmt::kS24Be, "S24_BE", 4, 24, kSigned, kBig, {}},
    {afmt::kS24Packed, "S24_PACKED", 3, 24, kSigned, kLittle, {}},
};
static_assert(std::size(kFormats) <= 32, "the index is stored in 5 bits");

}  // namespace

std::span<const SampleFormat> sample_formats() { return kFormats; }

const SampleFormat* find_format(int afmt) {
  const int index = format_index(afmt);
  return index < 0 ? nullptr : &kFormats[index];
}

int format_index(int afmt) {
  const auto* row = std::ranges::find(kFormats, afmt, &SampleFormat::afmt);
  return row == std::end(kFormats) ? -1 : static_cast<int>(row - kFormats);
}

int supported_formats_mask() {
  int mask = 0;
  for (const SampleFormat& format : kFormats) mask |= format.afmt;
  return mask;
}

int PcmFormat::frame_bytes() const {
  const SampleFormat* format = find_format(afmt);
  return format == nullptr ? 0 : format->bytes * channels;
}

bool valid(const PcmFormat& format) {
  return find_format(format.afmt) != nullptr && format.channels >= 1 &&
         format.channels <= kMaxChannels && format.rate_hz >= kMinRateHz &&
         format.rate_hz <= kMaxRateHz;
}

void fill_silence(const PcmFormat& format, void* out, std::size_t frames) {
  const SampleFormat* row = find_format(format.afmt);
  if (row == nullptr || format.channels <= 0) return;
  const std::size_t samples = frames * static_cast<std::size_t>(format.channels);
  const auto bytes = static_cast<std::size_t>(row->bytes);
  if (std::all_of(row->silence.begin(), row->silence.begin() + row->bytes,
                  [&](std::uint8_t byte) { return byte == row->silence[0]; })) {
    std::memset(out, row->silence[0], samples * bytes);
    return;
  }
  auto* to = static_cast<unsigned char*>(out);
  for (std::size_t i = 0; i < samples; ++i, to += bytes) {
    std::memcpy(to, row->silence.data(), bytes);
  }
}

}  // namespace ossloop::audio
