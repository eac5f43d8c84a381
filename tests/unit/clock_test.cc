#include "audio/clock.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <random>

using ossloop::audio::Clock;

namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kMinute = 60 * kSecond;
constexpr std::int64_t kDay = 1440 * kMinute;
constexpr std::int64_t kMonth = 31 * kDay;
constexpr std::int64_t kSomewhere = 123'456'789'012'345;  // a machine up for a day and a half

constexpr std::uint32_t kRates[] = {5000, 8000, 11025, 22050, 44100, 47999, 48000, 96000, 768000};

// What has to be due, in floating point: exact enough below 2^53.
long double due(const Clock& clock, std::int64_t elapsed_ns) {
  return static_cast<long double>(elapsed_ns) / 1e9L * clock.rate_hz * clock.factor_milli / 1000 *
         (1'000'000 + clock.ppm) / 1'000'000;
}

void check_within_a_frame(const Clock& clock, std::int64_t elapsed_ns) {
  const auto frames =
      static_cast<long double>(clock.frames_at(clock.anchor_ns + elapsed_ns) - clock.base);
  INFO(clock.rate_hz << " Hz × " << clock.factor_milli << "/1000, " << clock.ppm << " ppm, after "
                     << elapsed_ns << " ns: " << frames);
  CHECK(frames <= due(clock, elapsed_ns) + 1e-3L);
  CHECK(frames > due(clock, elapsed_ns) - 1 - 1e-3L);
}

}  // namespace

TEST_CASE("the clock is within one frame after a second, a day and a month") {
  for (const std::uint32_t rate : kRates) {
    const Clock clock{kSomewhere, 77, rate, 1000, 0};
    CHECK(clock.frames_at(kSomewhere) == 77);
    CHECK(clock.frames_at(kSomewhere + kSecond) == 77 + rate);
    CHECK(clock.frames_at(kSomewhere + kDay) == 77 + std::int64_t{rate} * 86400);
    CHECK(clock.frames_at(kSomewhere + kMonth) == 77 + std::int64_t{rate} * 86400 * 31);
    for (const std::int64_t odd :
         {std::int64_t{1}, std::int64_t{20833}, kSecond / 3, kDay + 1, kMonth + 7}) {
      check_within_a_frame(clock, odd);
    }
  }
}

TEST_CASE("ppm and factor change the speed and nothing else") {
  for (const std::uint32_t rate : kRates) {
    for (const std::int32_t ppm : {-200000, -333, -1, 0, 1, 333, 200000}) {
      for (const std::uint32_t factor : {1U, 500U, 1000U, 4000U, 1000000U}) {
        const Clock clock{kSomewhere, 0, rate, factor, ppm};
        for (const std::int64_t elapsed : {kSecond, kMinute, kDay}) {
          check_within_a_frame(clock, elapsed);
        }
      }
    }
  }
  CHECK(Clock{0, 0, 48000, 1000, 200000}.frames_at(kSecond) == 57600);
  CHECK(Clock{0, 0, 48000, 4000, 0}.frames_at(kSecond) == 192000);
}

TEST_CASE("time_of is the first nanosecond at which a frame is due") {
  std::mt19937 random(1);
  for (const std::uint32_t rate : kRates) {
    for (const std::int32_t ppm : {-200000, -17, 0, 17, 200000}) {
      const Clock clock{kSomewhere, 1'000'000, rate, 1000, ppm};
      for (int i = 0; i < 200; ++i) {
        const std::int64_t frame =
            1'000'001 + static_cast<std::int64_t>(random()) % (1LL << (i % 32));
        const std::int64_t at = clock.time_of(frame);
        INFO(rate << " Hz, " << ppm << " ppm, frame " << frame);
        REQUIRE(clock.frames_at(at) >= frame);
        REQUIRE(clock.frames_at(at - 1) < frame);
      }
    }
  }
}

TEST_CASE("before its anchor the clock shows the anchor") {
  const Clock clock{kSomewhere, 500, 44100, 1000, 0};
  CHECK(clock.frames_at(kSomewhere - kDay) == 500);
  CHECK(clock.frames_at(0) == 500);
  CHECK(clock.time_of(500) == kSomewhere);
  CHECK(clock.time_of(0) == kSomewhere);
}

TEST_CASE("a frame far away is due far away, not in the past") {
  const Clock clock{kSomewhere, 0, 5000, 1, -200000};
  CHECK(clock.time_of(std::int64_t{1} << 62) > kSomewhere + 100 * kMonth);
}

TEST_CASE("a change of speed loses no frame") {
  std::mt19937 random(2);
  for (const std::uint32_t rate : kRates) {
    Clock clock{kSomewhere, 0, rate, 1000, 0};
    std::int64_t now = kSomewhere;
    std::int64_t last = 0;
    long double sum = 0;
    constexpr int kChanges = 500;
    for (int i = 0; i < kChanges; ++i) {
      const std::int64_t step = 1 + static_cast<std::int64_t>(random() % 40'000'000);
      now += step;
      sum += due(clock, step);
      const std::int64_t before = clock.frames_at(now);
      clock =
          clock.with_speed(now, i % 3 == 0 ? 2000 : 1000, static_cast<int>(random() % 2001) - 1000);
      REQUIRE(clock.frames_at(now) == before);
      REQUIRE(clock.rate_hz == rate);
      REQUIRE(before >= last);
      last = before;
    }
    CHECK(static_cast<long double>(last) <= sum + 0.01L);
    CHECK(static_cast<long double>(last) > sum - 1.01L - 2e-9L * rate * kChanges);
  }
}
