#include "audio/rate_converter.h"

#include <sys/mman.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <cmath>
#include <string>
#include <vector>

#include "config/policy.h"

using namespace ossloop::audio;

namespace {

std::unique_ptr<RateConverter> make(int from, int to, int channels = 1,
                                    Quality quality = Quality::kHigh,
                                    RateSample output = RateSample::kDouble,
                                    Blocks blocks = Blocks::kShort) {
  int error = 1;
  auto converter = RateConverter::create(from, to, channels, quality, blocks, RateSample::kDouble,
                                         output, error);
  REQUIRE(converter != nullptr);
  REQUIRE(error == 0);
  return converter;
}

// A whole stream, in blocks of `in_block` frames into room for `out_block`.
std::vector<double> convert(RateConverter& converter, const std::vector<double>& in, int channels,
                            std::size_t in_block, std::size_t out_block) {
  std::vector<double> out;
  std::vector<double> block(out_block * channels);
  const auto keep = [&](std::size_t frames) {
    REQUIRE(frames <= out_block);
    out.insert(out.end(), block.begin(), block.begin() + frames * channels);
  };
  const std::size_t frames = in.size() / channels;
  for (std::size_t at = 0; at < frames;) {
    const std::size_t offered = std::min(in_block, frames - at);
    const Progress step =
        converter.process(in.data() + at * channels, offered, block.data(), out_block);
    REQUIRE(step.input_frames <= offered);
    REQUIRE(step.input_frames + step.output_frames > 0);
    keep(step.output_frames);
    at += step.input_frames;
  }
  while (const std::size_t made = converter.finish(block.data(), out_block)) keep(made);
  return out;
}

std::vector<double> noise(std::size_t samples) {
  std::vector<double> result(samples);
  std::uint32_t state = 1;
  for (double& sample : result) {
    state = state * 1664525 + 1013904223;
    sample = static_cast<std::int32_t>(state) * 0x1p-32;
  }
  return result;
}

constexpr Quality kAll[] = {Quality::kQuick, Quality::kLow, Quality::kMedium, Quality::kHigh,
                            Quality::kVeryHigh};

}  // namespace

TEST_CASE("frames are scaled to the nearest whole number, halves up") {
  CHECK(scale_frames_round(0, 48000, 44100) == 0);
  CHECK(scale_frames_round(1, 48000, 44100) == 1);
  CHECK(scale_frames_round(1, 8000, 16000) == 1);
  CHECK(scale_frames_round(1, 7999, 16000) == 0);
  CHECK(scale_frames_round(441, 48000, 44100) == 480);
  // A year at 768 kHz, where 64 bits would overflow.
  const std::uint64_t year = 768000ULL * 86400 * 366;
  CHECK(scale_frames_round(year, 767999, 768000) == 767999ULL * 86400 * 366);
  __extension__ using Int128 = unsigned __int128;
  for (std::uint64_t frames = 1; frames < 1ULL << 40; frames = frames * 3 + 1) {
    for (const auto& [to, from] : {std::pair{48000, 44100}, {44100, 48000}, {5000, 767999}}) {
      const auto exact = static_cast<std::uint64_t>((Int128{frames} * to * 2 + from) / (2 * from));
      CHECK(scale_frames_round(frames, to, from) == exact);
    }
  }
}

TEST_CASE("what cannot be converted is refused") {
  int error = 0;
  const auto refused = [&](int from, int to, int channels) {
    error = 0;
    return !RateConverter::create(from, to, channels, Quality::kHigh, Blocks::kShort,
                                  RateSample::kDouble, RateSample::kDouble, error) &&
           error == -EINVAL;
  };
  CHECK(refused(4999, 48000, 2));
  CHECK(refused(48000, 768001, 2));
  CHECK(refused(48000, 44100, 0));
  CHECK(refused(48000, 44100, 65));
}

TEST_CASE("long blocks give the same sound, later") {
  const auto [from, to] =
      GENERATE(std::pair{44100, 48000}, std::pair{48000, 44100}, std::pair{96000, 44100},
               std::pair{32000, 192000}, std::pair{31999, 48000}, std::pair{768000, 32000});
  const Quality quality = GENERATE(from_range(std::begin(kAll), std::end(kAll)));
  const auto sound = noise(60001);
  auto short_blocks = make(from, to, 1, quality);
  auto long_blocks = make(from, to, 1, quality, RateSample::kDouble, Blocks::kLong);
  const auto expected = convert(*short_blocks, sound, 1, 480, 100000);
  const auto made = convert(*long_blocks, sound, 1, 480, 700);
  REQUIRE(made.size() == scale_frames_round(60001, to, from));
  REQUIRE(expected.size() == made.size());
  double most = 0;
  for (std::size_t i = 0; i < made.size(); ++i)
    most = std::max(most, std::abs(made[i] - expected[i]));
  CHECK(most < 1e-5);

  // It must find room in a ring that has 250 ms and 4096 frames left.
  auto held = make(from, to, 1, quality, RateSample::kDouble, Blocks::kLong);
  std::vector<double> out(100000);
  std::size_t most_held = 0;
  for (std::size_t at = 0; at + 480 <= sound.size(); at += 480) {
    held->process(sound.data() + at, 480, out.data(), out.size());
    most_held = std::max(most_held, held->held_input_frames());
  }
  CHECK(most_held < static_cast<std::size_t>(from) / 4);
}

TEST_CASE("floats go in as well as doubles") {
  const auto sound = noise(9600);
  const std::vector<float> singles(sound.begin(), sound.end());
  auto expected = make(48000, 44100);
  int error = 1;
  auto converter = RateConverter::create(48000, 44100, 1, Quality::kHigh, Blocks::kShort,
                                         RateSample::kFloat, RateSample::kDouble, error);
  REQUIRE(converter != nullptr);
  std::vector<double> out(9600), wanted(9600);
  const Progress step = converter->process(singles.data(), 9600, out.data(), 9600);
  const Progress same = expected->process(sound.data(), 9600, wanted.data(), 9600);
  CHECK(step.input_frames == 9600);
  REQUIRE(step.output_frames == same.output_frames);
  for (std::size_t i = 0; i < step.output_frames; ++i) {
    REQUIRE(out[i] == Approx(wanted[i]).margin(1e-6));
  }
  const std::size_t made = step.output_frames;
  CHECK(made + converter->finish(out.data(), 9600) == scale_frames_round(9600, 44100, 48000));
}

TEST_CASE("N frames in are exactly round(N * to / from) out") {
  const std::pair<int, int> rates[] = {{44100, 48000}, {48000, 44100}, {11025, 48000},
                                       {8000, 44100},  {48000, 96000}, {96000, 48000},
                                       {44101, 48000}, {48000, 47999}, {48000, 16000},
                                       {5000, 768000}, {768000, 5000}, {16000, 48000}};
  for (const auto& [from, to] : rates) {
    for (const Quality quality : kAll) {
      auto converter = make(from, to, 1, quality);
      for (const std::size_t frames : {0, 1, 2, 3, 5, 76, 77, 78, 153, 154, 441, 999, 4801}) {
        converter->reset();
        const auto out = convert(*converter, noise(frames), 1, 480, 512);
        if (out.size() != scale_frames_round(frames, to, from)) {
          FAIL(from << " to " << to << ' '
                    << ossloop::config::kRow<"quality">.choices[static_cast<std::size_t>(quality)]
                    << ": " << frames << " gave " << out.size());
        }
      }
    }
  }
}

TEST_CASE("the length is right for each of many consecutive N") {
  for (const auto& [from, to] : {std::pair{44100, 48000}, {48000, 5000}, {48000, 16001}}) {
    auto converter = make(from, to, 1, Quality::kQuick);
    for (std::size_t frames = 0; frames < 700; ++frames) {
      converter->reset();
      const auto out = convert(*converter, noise(frames), 1, 64, 64);
      if (out.size() != scale_frames_round(frames, to, from)) {
        FAIL(from << " to " << to << ": " << frames << " gave " << out.size());
      }
    }
  }
}

TEST_CASE("blocks of any size give the same samples") {
  const std::pair<int, int> rates[] = {
      {44100, 48000}, {48000, 44100}, {44101, 48000}, {5000, 96000}, {192000, 5000}};
  for (const auto& [from, to] : rates) {
    for (const Quality quality : kAll) {
      INFO(from << " to " << to << ' '
                << ossloop::config::kRow<"quality">.choices[static_cast<std::size_t>(quality)]);
      auto converter = make(from, to, 2, quality);
      const auto in = noise(2 * 1501);
      const auto whole = convert(*converter, in, 2, 1501, 100000);
      const std::pair<std::size_t, std::size_t> sizes[] = {{1, 1}, {1, 1000}, {1000, 1}, {480, 7}};
      for (const auto& [in_block, out_block] : sizes) {
        converter->reset();
        CHECK(convert(*converter, in, 2, in_block, out_block) == whole);
      }
    }
  }
}

TEST_CASE("an impulse comes out where it went in") {
  for (const auto& [from, to] : {std::pair{44100, 48000},
                                 {48000, 44100},
                                 {11025, 48000},
                                 {8000, 44100},
                                 {96000, 8000},
                                 {5000, 768000},
                                 {768000, 5000}}) {
    for (const Quality quality : kAll) {
      // The quick one has no filter: of ten inputs it looks at three.
      if (quality == Quality::kQuick && from > 2 * to) continue;
      const std::size_t at = 20000;
      std::vector<double> in(2 * at, 0.0);
      in[at] = 1;
      auto converter = make(from, to, 1, quality);
      const auto out = convert(*converter, in, 1, 480, 4096);
      std::size_t peak = 0;
      for (std::size_t i = 0; i < out.size(); ++i) {
        if (std::fabs(out[i]) > std::fabs(out[peak])) peak = i;
      }
      const double expected = static_cast<double>(at) * to / from;
      INFO(from << " to " << to << ' '
                << ossloop::config::kRow<"quality">.choices[static_cast<std::size_t>(quality)]
                << ": " << peak);
      // Within a sample of the slower rate's.
      CHECK(std::fabs(static_cast<double>(peak) - expected) <= std::max(1.0, 0.5 * to / from));
    }
  }
}

TEST_CASE("the frames held are what went in less what came out") {
  auto converter = make(44100, 48000);
  CHECK(converter->held_input_frames() == 0);
  std::vector<double> out(600);
  const auto in = noise(441);
  std::size_t taken = 0;
  std::size_t made = 0;
  for (int i = 0; i < 100; ++i) {
    const Progress step = converter->process(in.data(), in.size(), out.data(), out.size());
    taken += step.input_frames;
    made += step.output_frames;
    const std::size_t heard = scale_frames_round(made, 44100, 48000);
    CHECK(converter->held_input_frames() == taken - heard);
  }
  while (converter->finish(out.data(), out.size()) > 0) continue;
  CHECK(converter->held_input_frames() <= 1);
}

TEST_CASE("output left over is not piled up by further input") {
  auto converter = make(44100, 48000);
  const auto in = noise(4096);
  std::vector<double> out(1);
  std::size_t most = 0;
  for (int i = 0; i < 200000; ++i) {
    converter->process(in.data(), in.size(), out.data(), 1);
    most = std::max(most, converter->held_input_frames());
  }
  CHECK(most < 10000);
}

TEST_CASE("after the end a new stream starts with nothing of the old one") {
  auto converter = make(44100, 48000);
  const auto first = convert(*converter, noise(1000), 1, 480, 480);
  CHECK(convert(*converter, noise(1000), 1, 480, 480) == first);
}

TEST_CASE("64 channels stay apart") {
  const int channels = 64;
  std::vector<double> in(channels * 2000);
  for (std::size_t i = 0; i < in.size(); ++i) in[i] = static_cast<double>(i % channels) / channels;
  auto converter = make(44100, 48000, channels);
  const auto out = convert(*converter, in, channels, 480, 480);
  REQUIRE(out.size() == channels * scale_frames_round(2000, 48000, 44100));
  for (int channel = 0; channel < channels; ++channel) {
    CHECK(out[1000 * channels + channel] ==
          Approx(static_cast<double>(channel) / channels).margin(1e-6));
  }
}

TEST_CASE("nothing behind the output is touched, however short it is") {
  constexpr std::size_t kPage = 4096;
  auto* const pages = static_cast<std::byte*>(
      ::mmap(nullptr, 2 * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  REQUIRE(::mprotect(pages + kPage, kPage, PROT_NONE) == 0);
  for (const int channels : {1, 2, 64}) {
    const auto converter = make(44100, 48000, channels, Quality::kHigh, RateSample::kS16);
    const std::vector<double> in = noise(static_cast<std::size_t>(1000 * channels));
    for (const std::size_t room : {1, 2, 3, 8}) {
      void* const out = pages + kPage - room * 2 * static_cast<std::size_t>(channels);
      for (int i = 0; i < 100; ++i) converter->process(in.data(), 10, out, room);
    }
    void* const out = pages + kPage - 2 * channels;
    std::size_t frames = 0;
    while (const std::size_t made = converter->finish(out, 1)) frames += made;
    CHECK(frames > 0);
  }
  ::munmap(pages, 2 * kPage);
}
