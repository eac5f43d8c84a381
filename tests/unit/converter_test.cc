#include "audio/converter.h"

#include <catch2/catch.hpp>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <numbers>
#include <random>
#include <vector>

#include "config/policy.h"

using namespace ossloop::audio;

namespace {

using Bytes = std::vector<unsigned char>;

std::unique_ptr<Converter> make(const PcmFormat& from, const PcmFormat& to,
                                Converter::Options options = {}) {
  int error = 1;
  auto converter = Converter::create(from, to, options, error);
  REQUIRE(converter != nullptr);
  REQUIRE(error == 0);
  return converter;
}

// A whole stream, in blocks of `in_block` frames into room for `out_block`.
Bytes convert(Converter& converter, const PcmFormat& from, const PcmFormat& to, const Bytes& in,
              std::size_t in_block = 480, std::size_t out_block = 512) {
  Bytes out;
  Bytes block(out_block * to.frame_bytes());
  const auto keep = [&](std::size_t frames) {
    REQUIRE(frames <= out_block);
    out.insert(out.end(), block.begin(), block.begin() + frames * to.frame_bytes());
  };
  const std::size_t frames = in.size() / from.frame_bytes();
  for (std::size_t at = 0; at < frames;) {
    const std::size_t offered = std::min(in_block, frames - at);
    const auto step =
        converter.process(in.data() + at * from.frame_bytes(), offered, block.data(), out_block);
    REQUIRE(step.input_frames <= offered);
    REQUIRE(step.input_frames + step.output_frames > 0);
    keep(step.output_frames);
    at += step.input_frames;
  }
  while (const std::size_t made = converter.finish(block.data(), out_block)) keep(made);
  return out;
}

Bytes convert(const PcmFormat& from, const PcmFormat& to, const Bytes& in,
              Converter::Options options = {}) {
  return convert(*make(from, to, options), from, to, in);
}

template <typename Sample>
Bytes bytes_of(const std::vector<Sample>& samples) {
  Bytes bytes(samples.size() * sizeof(Sample));
  if (!bytes.empty()) std::memcpy(bytes.data(), samples.data(), bytes.size());
  return bytes;
}

template <typename Sample>
std::vector<Sample> samples_of(const Bytes& bytes) {
  std::vector<Sample> samples(bytes.size() / sizeof(Sample));
  if (!bytes.empty()) std::memcpy(samples.data(), bytes.data(), bytes.size());
  return samples;
}

Bytes encoded(int afmt, const std::vector<double>& samples) {
  Bytes bytes(samples.size() * find_format(afmt)->bytes);
  find_codec(afmt)->encode(samples.data(), bytes.data(), samples.size());
  return bytes;
}

std::vector<double> decoded(int afmt, const Bytes& bytes) {
  std::vector<double> samples(bytes.size() / find_format(afmt)->bytes);
  find_codec(afmt)->decode(bytes.data(), samples.data(), samples.size());
  return samples;
}

std::vector<double> noise(std::size_t count) {
  std::mt19937 random(7);
  std::uniform_real_distribution<double> uniform(-1.0, 1.0);
  std::vector<double> samples(count);
  for (double& sample : samples) sample = uniform(random);
  return samples;
}

std::vector<double> sine(std::size_t frames, double hz, double rate_hz, double peak) {
  std::vector<double> samples(frames);
  for (std::size_t i = 0; i < frames; ++i) {
    samples[i] = peak * std::sin(2 * std::numbers::pi * hz * static_cast<double>(i) / rate_hz);
  }
  return samples;
}

// Signal to whatever else is there, in dB, of a sine that should lie in phase.
double snr_db(const std::vector<double>& samples, double hz, double rate_hz, double peak) {
  const auto ideal = sine(samples.size(), hz, rate_hz, peak);
  double signal = 0;
  double rest = 0;
  for (std::size_t i = 2000; i + 2000 < samples.size(); ++i) {
    signal += ideal[i] * ideal[i];
    rest += (samples[i] - ideal[i]) * (samples[i] - ideal[i]);
  }
  return 10 * std::log10(signal / rest);
}

constexpr int kNativeS16 = std::endian::native == std::endian::little ? afmt::kS16Le : afmt::kS16Be;
constexpr int kNativeS32 = std::endian::native == std::endian::little ? afmt::kS32Le : afmt::kS32Be;

}  // namespace

TEST_CASE("a converter of an unknown format is refused") {
  const PcmFormat good{afmt::kS16Le, 2, 48000};
  for (const PcmFormat& bad :
       {PcmFormat{0x400, 2, 48000}, PcmFormat{afmt::kS16Le, 65, 48000},
        PcmFormat{afmt::kS16Le, 0, 48000}, PcmFormat{afmt::kS16Le, 2, 100}}) {
    int error = 0;
    CHECK(Converter::create(good, bad, {}, error) == nullptr);
    CHECK(error == -EINVAL);
    error = 0;
    CHECK(Converter::create(bad, good, {}, error) == nullptr);
    CHECK(error == -EINVAL);
  }
}

TEST_CASE("equal formats pass bit for bit, until there is a gain") {
  Bytes in(256 * 16);
  for (std::size_t i = 0; i < in.size(); ++i) in[i] = static_cast<unsigned char>(i * 37 + i / 256);
  for (const SampleFormat& format : sample_formats()) {
    const PcmFormat pcm{format.afmt, 2, 48000};
    auto converter = make(pcm, pcm, {Quality::kHigh, true});
    CHECK(converter->identity());
    CHECK_FALSE(converter->changes_rate());
    const std::size_t whole = in.size() / pcm.frame_bytes() * pcm.frame_bytes();
    const Bytes frames(in.begin(), in.begin() + whole);
    CHECK(convert(*converter, pcm, pcm, frames) == frames);
    converter->set_gain(1, 0.5);
    CHECK_FALSE(converter->identity());
    converter->set_gain(1, 1);
    CHECK(converter->identity());
  }
}

TEST_CASE("a wider format and back is bit-exact, for every pair") {
  for (const SampleFormat& narrow : sample_formats()) {
    if (narrow.encoding == Encoding::kFloat) continue;  // no integer has its finer steps near 0
    const PcmFormat from{narrow.afmt, 1, 48000};
    Bytes in = encoded(narrow.afmt, noise(70000));
    if (narrow.bytes <= 2) {
      std::vector<std::uint16_t> all(65536);
      for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::uint16_t>(i);
      in = bytes_of(all);
    }
    const bool linear = narrow.integer();
    for (const SampleFormat& wide : sample_formats()) {
      if (wide.encoding == Encoding::kMuLaw || wide.encoding == Encoding::kALaw) continue;
      if (wide.bits < (linear ? narrow.bits : 16)) continue;
      const PcmFormat to{wide.afmt, 1, 48000};
      Bytes back = convert(to, from, convert(from, to, in));
      if (narrow.encoding == Encoding::kMuLaw && wide.integer()) {
        // Integers have but one zero.
        for (std::size_t i = 0; i < in.size(); ++i) {
          if (in[i] == 0x7F && back[i] == 0xFF) back[i] = 0x7F;
        }
      }
      INFO(narrow.name << " by " << wide.name);
      CHECK((back == in));
    }
  }
}

TEST_CASE("integers keep their value in every wider format") {
  const auto in = bytes_of(std::vector<std::int16_t>{-32768, -1, 0, 1, 12345, 32767});
  const auto s32 =
      samples_of<std::int32_t>(convert({kNativeS16, 1, 48000}, {kNativeS32, 1, 48000}, in));
  CHECK(s32 ==
        std::vector<std::int32_t>{-32768 * 65536, -65536, 0, 65536, 12345 * 65536, 32767 * 65536});
  const auto floats =
      samples_of<float>(convert({kNativeS16, 1, 48000}, {afmt::kFloat, 1, 48000}, in));
  CHECK(floats[0] == -1.0F);
  CHECK(floats[4] == 12345 / 32768.0F);
}

TEST_CASE("narrowing rounds to the nearest and saturates") {
  const auto in = bytes_of(std::vector<std::int32_t>{
      0x7FFFFFFF, 0x00017FFF, 0x00018001, -0x00018001, static_cast<std::int32_t>(0x80000000)});
  CHECK(samples_of<std::int16_t>(convert({kNativeS32, 1, 48000}, {kNativeS16, 1, 48000}, in)) ==
        std::vector<std::int16_t>{32767, 1, 2, -2, -32768});
  const auto loud = bytes_of(std::vector<float>{1.0F, -1.0F, 1.5F, -9.0F});
  CHECK(samples_of<std::int16_t>(convert({afmt::kFloat, 1, 48000}, {kNativeS16, 1, 48000}, loud)) ==
        std::vector<std::int16_t>{32767, -32768, 32767, -32768});
  // Saturated, too, behind the rate converter.
  const std::vector<float> steady(4000, 2.0F);
  const auto out = samples_of<std::int16_t>(
      convert({afmt::kFloat, 1, 44100}, {kNativeS16, 1, 48000}, bytes_of(steady)));
  CHECK(out[2000] == 32767);
}

TEST_CASE("what is too loud is counted, sample by sample, on every way out") {
  for (const SampleFormat& format : sample_formats()) {
    if (format.encoding == Encoding::kFloat) continue;
    INFO(format.name);
    const PcmFormat from{afmt::kFloat, 2, 48000};
    const PcmFormat to{format.afmt, 2, 48000};
    auto converter = make(from, to);
    const auto in = bytes_of(std::vector<float>{0.5F, 1.5F, -0.5F, -2.0F, 0.25F, 1.25F, 0, -1.0F});
    convert(*converter, from, to, in);
    CHECK(converter->take_clipped() == 3);
    CHECK(converter->take_clipped() == 0);
    // Behind the rate converter, where some formats are written by libsoxr: all but the
    // ends, where the filter meets silence.
    const PcmFormat faster{format.afmt, 2, 96000};
    for (const bool dither : {false, true}) {
      auto rate = make(from, faster, {Quality::kHigh, dither});
      const auto out = convert(*rate, from, faster, bytes_of(std::vector<float>(8000, 2.0F)));
      const auto clipped = rate->take_clipped();
      const auto samples = out.size() / format.bytes;
      CHECK(clipped > samples - 400);
      CHECK(clipped <= samples);
    }
  }
}

TEST_CASE("gain is of even channels left, of odd channels right") {
  const PcmFormat s16{kNativeS16, 2, 48000};
  auto converter = make(s16, s16);
  converter->set_gain(0.5, 0.25);
  const auto in = bytes_of(std::vector<std::int16_t>{1000, 1000, -2000, -2000, 32767, -32768});
  CHECK(samples_of<std::int16_t>(convert(*converter, s16, s16, in)) ==
        std::vector<std::int16_t>{500, 250, -1000, -500, 16384, -8192});
  const PcmFormat three{kNativeS16, 3, 48000};
  auto odd = make(three, three);
  odd->set_gain(0.5, 0.25);
  CHECK(samples_of<std::int16_t>(convert(*odd, three, three, in)) ==
        std::vector<std::int16_t>{500, 250, -1000, -1000, 8192, -16384});
  const PcmFormat mono{kNativeS16, 1, 48000};
  auto single = make(mono, s16);
  single->set_gain(0.5, 0);
  CHECK(samples_of<std::int16_t>(
            convert(*single, mono, s16, bytes_of(std::vector<std::int16_t>{1000}))) ==
        std::vector<std::int16_t>{500, 500});
}

TEST_CASE("muted G.711 is its silence") {
  Bytes in(256);
  for (std::size_t i = 0; i < in.size(); ++i) in[i] = static_cast<unsigned char>(i);
  for (const auto& [afmt, silence] : {std::pair{afmt::kMuLaw, 0xFF}, {afmt::kALaw, 0xD5}}) {
    const PcmFormat pcm{afmt, 1, 8000};
    auto converter = make(pcm, pcm);
    converter->set_gain(0, 0);
    CHECK(convert(*converter, pcm, pcm, in) == Bytes(256, static_cast<unsigned char>(silence)));
  }
}

TEST_CASE("mono to stereo and back is exact in every format") {
  for (const SampleFormat& format : sample_formats()) {
    const PcmFormat mono{format.afmt, 1, 48000};
    const PcmFormat stereo{format.afmt, 2, 48000};
    Bytes in = encoded(format.afmt, noise(3000));
    INFO(format.name);
    CHECK((convert(stereo, mono, convert(mono, stereo, in)) == in));
  }
}

TEST_CASE("dither is triangular, within one step, and has no bias") {
  const PcmFormat from{kNativeS32, 1, 48000};
  const PcmFormat to{kNativeS16, 1, 48000};
  // A quarter of a step above 100.
  const std::vector<std::int32_t> steady(200000, 100 * 65536 + 16384);
  const auto out =
      samples_of<std::int16_t>(convert(from, to, bytes_of(steady), {Quality::kHigh, true}));
  double sum = 0;
  double squares = 0;
  for (const std::int16_t sample : out) {
    const double error = sample - 100.25;
    REQUIRE(std::fabs(error) <= 1.5);
    sum += error;
    squares += error * error;
  }
  const auto count = static_cast<double>(out.size());
  CHECK(sum / count == Approx(0).margin(0.01));
  // TPDF: a sixth of a step squared of noise, a twelfth of rounding, whatever the signal.
  CHECK(squares / count == Approx(1.0 / 6 + 1.0 / 12).epsilon(0.02));
}

TEST_CASE("dither leaves alone what loses nothing") {
  const auto in = bytes_of(std::vector<std::int16_t>(1000, 7));
  const PcmFormat s16{kNativeS16, 1, 48000};
  const PcmFormat s32{kNativeS32, 1, 48000};
  const auto wide = convert(s16, s32, in, {Quality::kHigh, true});
  CHECK(samples_of<std::int32_t>(wide) == std::vector<std::int32_t>(1000, 7 * 65536));
  const PcmFormat stereo{kNativeS16, 2, 48000};
  CHECK(samples_of<std::int16_t>(convert(s16, stereo, in, {Quality::kHigh, true})) ==
        std::vector<std::int16_t>(2000, 7));
}

TEST_CASE("a sine is clean behind the rate converter") {
  struct Case {
    int afmt;
    Quality quality;
    double least_db;
  };
  // 16 bits cost 97.2 dB at this peak, and are rounded to twice.
  const double peak = 0.9;
  for (const Case& c :
       {Case{kNativeS32, Quality::kHigh, 110}, Case{afmt::kFloat, Quality::kHigh, 110},
        Case{afmt::kS24Packed, Quality::kHigh, 110}, Case{kNativeS32, Quality::kVeryHigh, 150},
        Case{kNativeS16, Quality::kHigh, 94}}) {
    for (const auto& [from_hz, to_hz] : {std::pair{44100, 48000}, {48000, 44100}}) {
      const PcmFormat from{c.afmt, 1, from_hz};
      const PcmFormat to{c.afmt, 1, to_hz};
      const auto in = encoded(c.afmt, sine(static_cast<std::size_t>(from_hz), 997, from_hz, peak));
      const auto out = decoded(c.afmt, convert(from, to, in, {c.quality, false}));
      REQUIRE(out.size() == static_cast<std::size_t>(to_hz));
      const double db = snr_db(out, 997, to_hz, peak);
      INFO(find_format(c.afmt)->name
           << ' ' << ossloop::config::kRow<"quality">.choices[static_cast<std::size_t>(c.quality)]
           << ' ' << from_hz << ": " << db);
      CHECK(db > c.least_db);
    }
  }
}

TEST_CASE("a stream comes out the same whatever its blocks") {
  struct Case {
    PcmFormat from;
    PcmFormat to;
    bool dither;
  };
  const Case cases[] = {
      {{kNativeS16, 2, 44100}, {kNativeS16, 2, 48000}, false},
      {{kNativeS16, 2, 44100}, {kNativeS16, 2, 48000}, true},
      {{afmt::kMuLaw, 1, 8000}, {kNativeS32, 2, 48000}, false},
      {{afmt::kS24Packed, 6, 48000}, {afmt::kS16Be, 2, 44100}, true},
      {{afmt::kFloat, 2, 48000}, {afmt::kU8, 1, 11025}, false},
      {{kNativeS32, 3, 48000}, {afmt::kFloat, 2, 48000}, false},
  };
  for (const Case& c : cases) {
    const auto in = encoded(c.from.afmt, noise(2501 * static_cast<std::size_t>(c.from.channels)));
    auto converter = make(c.from, c.to, {Quality::kHigh, c.dither});
    converter->set_gain(0.5, 0.75);
    const Bytes whole = convert(*converter, c.from, c.to, in, 100000, 100000);
    CHECK(whole.size() / c.to.frame_bytes() ==
          scale_frames_round(2501, c.to.rate_hz, c.from.rate_hz));
    for (const auto& [in_block, out_block] :
         std::initializer_list<std::pair<std::size_t, std::size_t>>{
             {1, 1}, {1, 600}, {600, 1}, {7, 480}, {480, 523}}) {
      converter->reset();
      CHECK((convert(*converter, c.from, c.to, in, in_block, out_block) == whole));
    }
  }
}

TEST_CASE("64 channels at the extreme rates keep count") {
  for (const auto& [from_hz, to_hz] : {std::pair{5000, 768000}, {768000, 5000}, {44100, 48000}}) {
    for (const auto& [from_channels, to_channels] : {std::pair{64, 64}, {64, 1}, {1, 64}}) {
      const PcmFormat from{kNativeS16, from_channels, from_hz};
      const PcmFormat to{afmt::kS24Packed, to_channels, to_hz};
      for (const std::size_t frames : {1, 333}) {
        const auto in = encoded(from.afmt, noise(frames * from_channels));
        CHECK(convert(from, to, in).size() ==
              scale_frames_round(frames, to_hz, from_hz) * to.frame_bytes());
      }
    }
  }
}

TEST_CASE("a gain takes effect with the next block, and holds over a reset") {
  const PcmFormat s16{kNativeS16, 1, 48000};
  auto converter = make(s16, s16);
  const std::int16_t in = 1000;
  std::int16_t out = 0;
  converter->process(&in, 1, &out, 1);
  CHECK(out == 1000);
  converter->set_gain(0.5, 0.5);
  converter->process(&in, 1, &out, 1);
  CHECK(out == 500);
  converter->reset();
  converter->process(&in, 1, &out, 1);
  CHECK(out == 500);
}

TEST_CASE("the delay of the filter is told, and there is none without one") {
  const PcmFormat from{kNativeS16, 2, 44100};
  const PcmFormat to{kNativeS16, 2, 48000};
  std::vector<std::int16_t> buffer(4 * 2000);
  auto rate = make(from, to);
  CHECK(rate->changes_rate());
  const auto step = rate->process(buffer.data(), 100, buffer.data() + 4000, 1000);
  CHECK(step.input_frames == 100);
  CHECK(rate->held_input_frames() == 100 - scale_frames_round(step.output_frames, 44100, 48000));
  auto format = make({kNativeS16, 2, 48000}, {afmt::kFloat, 2, 48000});
  format->process(buffer.data(), 100, buffer.data() + 2000, 100);
  CHECK(format->held_input_frames() == 0);
}
