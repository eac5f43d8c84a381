#include "stream/fragments.h"

#include <bit>
#include <catch2/catch.hpp>
#include <random>

#include "stream/ring_size.h"

using namespace ossloop;
using namespace ossloop::device;
using audio::PcmFormat;

namespace {

constexpr PcmFormat kCd{audio::afmt::kS16Le, 2, 44100};
constexpr PcmFormat kStudio{audio::afmt::kS16Le, 2, 48000};
constexpr PcmFormat kPhone{audio::afmt::kMuLaw, 1, 8000};

std::uint64_t frames(const Buffering& buffering, const PcmFormat& format) {
  return std::uint64_t{buffering.fragment_bytes} * buffering.fragments /
         static_cast<std::uint64_t>(format.frame_bytes());
}

double milliseconds(const Buffering& buffering, const PcmFormat& format) {
  return static_cast<double>(frames(buffering, format)) * 1000 / format.rate_hz;
}

double fragment_ms(const Buffering& buffering, const PcmFormat& format) {
  return 1000.0 * buffering.fragment_bytes / format.frame_bytes() / format.rate_hz;
}

// What holds of every buffer, whoever asked for it.
void check_fits(const Buffering& buffering, const PcmFormat& format, std::uint32_t ms) {
  INFO(buffering.fragments << " × " << buffering.fragment_bytes << " bytes of "
                           << audio::find_format(format.afmt)->name << ' ' << format.channels
                           << " ch " << format.rate_hz << " Hz within " << ms << " ms");
  REQUIRE(buffering.fragments >= 2);
  REQUIRE(buffering.fragment_bytes > 0);
  REQUIRE(buffering.fragment_bytes % static_cast<std::uint32_t>(format.frame_bytes()) == 0);
  REQUIRE(frames(buffering, format) <= longest_buffer_frames(format.rate_hz, ms));
}

template <typename Check>
void for_every_format(Check check) {
  for (const audio::SampleFormat& sample : audio::sample_formats()) {
    for (const int channels : {1, 2, 3, 6, 7, 64}) {
      for (const int rate : {5000, 8000, 11025, 44100, 48000, 192000, 768000}) {
        for (const std::uint32_t ms : {20U, 100U, 340U, 5000U}) {
          check(PcmFormat{sample.afmt, channels, rate}, ms);
        }
      }
    }
  }
}

}  // namespace

TEST_CASE("the default is 340 ms in 16 fragments of a power of two") {
  CHECK(default_buffering(kStudio, 340) == Buffering{4096, 16});
  CHECK(default_buffering(kCd, 340).fragment_bytes == 4096);
  CHECK(default_buffering(kPhone, 340).fragment_bytes == 128);
  for (const PcmFormat& format : {kCd, kStudio, kPhone}) {
    CHECK(milliseconds(default_buffering(format, 340), format) == Approx(340).epsilon(0.07));
  }
}

TEST_CASE("the default of every format fits and is about as long as asked") {
  for_every_format([](const PcmFormat& format, std::uint32_t ms) {
    const Buffering buffering = default_buffering(format, ms);
    check_fits(buffering, format, ms);
    REQUIRE(milliseconds(buffering, format) >= 0.7 * ms);
    REQUIRE(milliseconds(buffering, format) <= 1.07 * ms);
  });
}

TEST_CASE("SETFRAGMENT gets what it asks for where that is possible") {
  CHECK(requested_buffering(0x0004000a, kStudio, 340) == Buffering{1024, 4});
  CHECK(requested_buffering(0x0010000c, kStudio, 340) == Buffering{4096, 16});
  CHECK(requested_buffering(0x0002000d, kStudio, 340) == Buffering{8192, 2});
  CHECK(requested_buffering(0x00040009, kPhone, 340) == Buffering{512, 4});
}

TEST_CASE("SETFRAGMENT without a limit fills the buffer") {
  for (const std::uint32_t count : {0x7fffU, 0U, 0xffffU}) {
    const Buffering buffering = requested_buffering(count << 16 | 10, kStudio, 340);
    CHECK(buffering.fragment_bytes == 1024);
    CHECK(milliseconds(buffering, kStudio) == Approx(340).epsilon(0.07));
  }
}

TEST_CASE("absurd fragments are clamped") {
  // 16 bytes of CD sound are a tenth of a millisecond, 2 GB more than is allowed.
  const Buffering tiny = requested_buffering(0x00020004, kCd, 340);
  CHECK(fragment_ms(tiny, kCd) >= 1);
  CHECK(fragment_ms(tiny, kCd) < 2);
  CHECK(tiny.fragments == 2);
  CHECK(requested_buffering(0x00010000, kCd, 340) == tiny);
  const Buffering huge = requested_buffering(0x7ffe001f, kCd, 340);
  CHECK(huge.fragments == 2);
  CHECK(milliseconds(huge, kCd) <= 340 * 1.07);
  CHECK(milliseconds(huge, kCd) >= 300);
  CHECK(requested_buffering(0x0001ffff, kCd, 340).fragments == 2);
}

TEST_CASE("any SETFRAGMENT word fits in the ring, in every format") {
  std::mt19937 random(5);
  for_every_format([&](const PcmFormat& format, std::uint32_t ms) {
    for (int i = 0; i < 8; ++i) {
      const auto word = static_cast<std::uint32_t>(random());
      const std::uint32_t shift = word % 20;
      for (const std::uint32_t request : {word, (word & 0xffff0000) | shift, 0x00020000 | shift}) {
        const Buffering buffering = requested_buffering(request, format, ms);
        check_fits(buffering, format, ms);
        REQUIRE(fragment_ms(buffering, format) >= std::min(1.0, 0.4 * ms));
      }
    }
  });
}

TEST_CASE("POLICY goes from least delay to fewest wake-ups") {
  for_every_format([](const PcmFormat& format, std::uint32_t ms) {
    for (int policy = -3; policy <= 13; ++policy) {
      check_fits(policy_buffering(policy, format, ms), format, ms);
    }
  });
  for (const PcmFormat& format : {kCd, kStudio, kPhone}) {
    CHECK(policy_buffering(5, format, 340) == default_buffering(format, 340));
    const Buffering least = policy_buffering(0, format, 340);
    CHECK(least.fragments == 2);
    CHECK(fragment_ms(least, format) >= 1);
    CHECK(fragment_ms(least, format) <= 2);
    for (int policy = 1; policy <= 10; ++policy) {
      INFO(policy);
      CHECK(fragment_ms(policy_buffering(policy, format, 340), format) >=
            fragment_ms(policy_buffering(policy - 1, format, 340), format));
    }
    CHECK(milliseconds(policy_buffering(0, format, 340), format) <
          milliseconds(policy_buffering(4, format, 340), format));
  }
}

TEST_CASE("SUBDIVIDE cuts the fragments and keeps the buffer") {
  CHECK(subdivided({4096, 16}, 2, kStudio) == Buffering{2048, 32});
  CHECK(subdivided({4096, 16}, 4, kStudio) == Buffering{1024, 64});
  CHECK(subdivided({4096, 16}, 1, kStudio) == Buffering{4096, 16});
  for_every_format([](const PcmFormat& format, std::uint32_t ms) {
    const Buffering whole = default_buffering(format, ms);
    for (const std::uint32_t divisor : {1U, 2U, 4U}) {
      const Buffering parts = subdivided(whole, divisor, format);
      check_fits(parts, format, ms);
      REQUIRE(frames(parts, format) <= frames(whole, format) + 1);
    }
  });
}
