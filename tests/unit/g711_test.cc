#include "audio/g711.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <vector>

using namespace ossloop::audio;

namespace {

// Tables 2a and 1a of G.711: where each segment of the positive side begins, in
// decision values, and how wide its intervals are; on the 16-bit scale.
struct Segment {
  int start;
  int step;
  int intervals;
};
const std::vector<Segment> kMuLaw = {{4, 8, 15},      {124, 16, 16},    {380, 32, 16},
                                     {892, 64, 16},   {1916, 128, 16},  {3964, 256, 16},
                                     {8060, 512, 16}, {16252, 1024, 16}};
const std::vector<Segment> kALaw = {{0, 16, 32},      {512, 32, 16},   {1024, 64, 16},
                                    {2048, 128, 16},  {4096, 256, 16}, {8192, 512, 16},
                                    {16384, 1024, 16}};

struct Interval {
  int low;    // the least value in it
  int high;   // the first above it
  int value;  // what its code stands for
};

std::vector<Interval> intervals(const std::vector<Segment>& segments, bool zero) {
  std::vector<Interval> result;
  if (zero) result.push_back({0, 4, 0});
  for (const Segment& segment : segments) {
    for (int i = 0; i < segment.intervals; ++i) {
      const int low = segment.start + i * segment.step;
      result.push_back({low, low + segment.step, low + segment.step / 2});
    }
  }
  REQUIRE(result.size() == 128);
  return result;
}

}  // namespace

TEST_CASE("mu-law codes stand for the values of the standard") {
  CHECK(mu_law_to_linear(0xFF) == 0);
  CHECK(mu_law_to_linear(0x7F) == 0);
  CHECK(mu_law_to_linear(0xFE) == 8);
  CHECK(mu_law_to_linear(0xF0) == 120);
  CHECK(mu_law_to_linear(0xEF) == 132);
  CHECK(mu_law_to_linear(0x80) == 32124);
  CHECK(mu_law_to_linear(0x00) == -32124);
  CHECK(mu_law_to_linear(0x8F) == 16764);
}

TEST_CASE("A-law codes stand for the values of the standard") {
  CHECK(a_law_to_linear(0xD5) == 8);
  CHECK(a_law_to_linear(0x55) == -8);
  CHECK(a_law_to_linear(0xAA) == 32256);
  CHECK(a_law_to_linear(0x2A) == -32256);
  CHECK(a_law_to_linear(0xC5) == 264);
  CHECK(a_law_to_linear(0x80) == 5504);
}

TEST_CASE("G.711 encodes by the decision values of the standard's tables") {
  struct Law {
    std::uint8_t (*encode)(int);
    int (*decode)(std::uint8_t);
    std::vector<Interval> intervals;
  };
  const Law laws[] = {{linear_to_mu_law, mu_law_to_linear, intervals(kMuLaw, true)},
                      {linear_to_a_law, a_law_to_linear, intervals(kALaw, false)}};
  for (const Law& law : laws) {
    int wrong = 0;
    for (const Interval& interval : law.intervals) {
      for (int value = interval.low; value < interval.high && value <= 32767; ++value) {
        if (law.decode(law.encode(value)) != interval.value) ++wrong;
        if ((law.encode(value) & 0x80) == 0) ++wrong;
        // The negative side is its mirror image; ties go up.
        if (law.decode(law.encode(-value - 1)) != -interval.value) ++wrong;
        if ((law.encode(-value - 1) & 0x80) != 0) ++wrong;
      }
    }
    CHECK(wrong == 0);
  }
}

TEST_CASE("values above the last decision value take the last code") {
  CHECK(linear_to_mu_law(32767) == 0x80);
  CHECK(linear_to_mu_law(-32768) == 0x00);
  CHECK(linear_to_a_law(32767) == 0xAA);
  CHECK(linear_to_a_law(-32768) == 0x2A);
}

TEST_CASE("a code's value encodes to that code again") {
  for (int code = 0; code < 256; ++code) {
    const auto byte = static_cast<std::uint8_t>(code);
    CHECK(linear_to_a_law(a_law_to_linear(byte)) == byte);
    // A whole number has but one zero.
    CHECK(linear_to_mu_law(mu_law_to_linear(byte)) == (byte == 0x7F ? 0xFF : byte));
  }
}
