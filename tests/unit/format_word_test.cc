#include "stream/format_word.h"

#include <catch2/catch.hpp>
#include <random>

#include "stream/ring_size.h"

using namespace ossloop;
using namespace ossloop::device;
using audio::PcmFormat;

TEST_CASE("every format survives its word") {
  for (const audio::SampleFormat& format : audio::sample_formats()) {
    for (int channels = 1; channels <= ossloop::audio::kMaxChannels; ++channels) {
      for (const int rate : {5000, 8000, 11025, 44100, 48000, 192001, 768000}) {
        const PcmFormat pcm{format.afmt, channels, rate};
        const std::uint64_t word = pack(pcm);
        REQUIRE(unpack_format(word) == pcm);
      }
    }
  }
}

TEST_CASE("a server starts as S16_LE, 2 channels, 48000 Hz") {
  CHECK(unpack_format(pack(kServerDefault)) == PcmFormat{audio::afmt::kS16Le, 2, 48000});
}

TEST_CASE("any word gives a format that can be played") {
  const auto check = [](std::uint64_t word) {
    const PcmFormat format = unpack_format(word);
    INFO(word);
    REQUIRE(audio::valid(format));
    // What was out of range comes back the same, in this process and the next.
    REQUIRE(unpack_format(pack(format)) == format);
  };
  check(0);
  check(~std::uint64_t{0});
  for (int bit = 0; bit < 64; ++bit) check(std::uint64_t{1} << bit);
  std::mt19937_64 random(4);
  for (int i = 0; i < 100000; ++i) check(random());
  CHECK(unpack_format(0).channels == 1);
  CHECK(unpack_format(0).rate_hz == 5000);
  CHECK(unpack_format(~std::uint64_t{0}).channels == 64);
  CHECK(unpack_format(~std::uint64_t{0}).rate_hz == 768000);
}

TEST_CASE("the ring holds both buffers, and what is written at one go") {
  for (const int rate : {5000, 44100, 48000, 768000}) {
    for (const std::uint32_t ms : {20U, 340U, 1000U, 5000U}) {
      const std::uint64_t longest = longest_buffer_frames(rate, ms);
      CHECK(longest * 1000 >= static_cast<std::uint64_t>(rate) * ms);
      CHECK(ring_frames(rate, ms) >= 3 * longest);
      for (const int channels : {1, 2, 3, 64}) {
        const PcmFormat format{audio::afmt::kS24Packed, channels, rate};
        const std::size_t bytes = ring_bytes(format, ms);
        CHECK(bytes % 4096 == 0);
        CHECK(bytes >= ring_frames(rate, ms) * static_cast<std::uint64_t>(format.frame_bytes()));
      }
    }
  }
}

TEST_CASE("an absurd buffer time from shared memory makes a sane ring") {
  CHECK(ring_frames(48000, 0) == ring_frames(48000, 20));
  CHECK(ring_frames(48000, 0xffffffff) == ring_frames(48000, 5000));
}
