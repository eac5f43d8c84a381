#include "conversion.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace soak {
namespace {

using namespace ossloop;

std::uint64_t mixed(std::uint64_t value) {
  value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9U;
  value = (value ^ value >> 27) * 0x94d049bb133111ebU;
  return value ^ value >> 31;
}

std::size_t frame_bytes(const PcmFormat& format) {
  return static_cast<std::size_t>(format.frame_bytes());
}

}  // namespace

void put_noise(std::byte* at, const PcmFormat& format, std::uint64_t stream, std::int64_t first,
               std::int64_t frames) {
  const auto begin = static_cast<std::uint64_t>(first) * frame_bytes(format);
  const std::uint64_t end = begin + static_cast<std::uint64_t>(frames) * frame_bytes(format);
  for (std::uint64_t byte = begin; byte != end;) {
    const std::uint64_t word = mixed(stream << 40 ^ byte / sizeof word);
    std::byte bytes[sizeof word];
    std::memcpy(bytes, &word, sizeof word);
    // Every bit pattern is a sound in the other formats; here some are none.
    if (format.afmt == audio::afmt::kFloat) bytes[3] &= bytes[7] &= std::byte{0xbf};
    const std::uint64_t within = byte % sizeof word;
    const std::uint64_t count = std::min(sizeof word - within, end - byte);
    std::memcpy(at, bytes + within, count);
    at += count;
    byte += count;
  }
}

Sound Conversion::convert(std::int64_t frames, bool tail, std::size_t bytes) const {
  int error = 0;
  const audio::Converter::Options options{quality, false, audio::Blocks::kLong};
  const auto converter = audio::Converter::create(from, to, options, error);
  if (converter == nullptr) {
    std::fprintf(stderr, "no converter: error %d\n", error);
    std::exit(1);
  }
  constexpr std::int64_t kBlock = 4096;
  const std::size_t frame = frame_bytes(to);
  constexpr std::size_t kRoom = 16 * kBlock;
  Sound in(kBlock * frame_bytes(from)), made(kRoom * frame), out;
  auto keep = [&](std::size_t count) {
    out.insert(out.end(), made.begin(), made.begin() + static_cast<std::ptrdiff_t>(count * frame));
    return count != 0;
  };
  for (std::int64_t at = 0; at < frames && out.size() < bytes;) {
    const std::int64_t some = std::min(kBlock, frames - at);
    put_noise(in.data(), from, stream, at, some);
    const auto step =
        converter->process(in.data(), static_cast<std::size_t>(some), made.data(), kRoom);
    keep(step.output_frames);
    at += static_cast<std::int64_t>(step.input_frames);
  }
  while (tail && keep(converter->finish(made.data(), kRoom))) {
  }
  return out;
}

bool Conversion::is_whole(const Sound& heard, std::int64_t least, std::int64_t most) const {
  for (std::int64_t frames = least; frames <= most; ++frames) {
    const std::uint64_t due =
        audio::scale_frames_round(static_cast<std::uint64_t>(frames), to.rate_hz, from.rate_hz);
    if (due * frame_bytes(to) != heard.size()) continue;
    if (convert(frames, true, ~std::size_t{0}) == heard) return true;
  }
  return false;
}

bool Conversion::is_beginning(const Sound& heard) const {
  const Sound all = convert(INT64_MAX, false, heard.size());
  return std::equal(heard.begin(), heard.end(), all.begin());
}

}  // namespace soak
