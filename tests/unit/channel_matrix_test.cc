#include "audio/channel_matrix.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

using namespace ossloop::audio;

namespace {

std::vector<double> mix(int outputs, const std::vector<double>& frame) {
  std::vector<double> out(outputs, 99);
  ChannelMatrix(static_cast<int>(frame.size()), outputs).apply(frame.data(), out.data(), 1);
  return out;
}

}  // namespace

TEST_CASE("equal numbers of channels pass one to one") {
  for (int n = 1; n <= 64; ++n) {
    const ChannelMatrix matrix(n, n);
    CHECK(matrix.identity());
    CHECK(matrix.copies_only());
    for (int o = 0; o < n; ++o) CHECK(matrix.weight(o, o) == 1);
  }
}

TEST_CASE("mono goes to both fronts, and comes back exactly") {
  CHECK(mix(2, {0.3}) == std::vector<double>{0.3, 0.3});
  CHECK(mix(6, {0.3}) == std::vector<double>{0.3, 0.3, 0, 0, 0, 0});
  CHECK(mix(1, {0.3, 0.3}) == std::vector<double>{0.3});
  CHECK(ChannelMatrix(1, 2).copies_only());
}

TEST_CASE("stereo becomes mono as the mean") {
  CHECK(mix(1, {0.5, -0.25}) == std::vector<double>{0.125});
  CHECK_FALSE(ChannelMatrix(2, 1).copies_only());
}

TEST_CASE("more channels than stereo leave the others silent") {
  for (const int n : {3, 4, 5, 6, 8, 64}) {
    std::vector<double> expected(n, 0.0);
    expected[0] = 0.1;
    expected[1] = 0.2;
    CHECK(mix(n, {0.1, 0.2}) == expected);
  }
}

TEST_CASE("5.1 becomes stereo as ITU-R BS.775 mixes it") {
  const ChannelMatrix matrix(6, 2);
  const double unity = 1 / (1 + 2 * std::sqrt(0.5));
  CHECK(matrix.weight(0, 0) == Approx(unity));
  CHECK(matrix.weight(0, 2) == Approx(unity * std::sqrt(0.5)));
  CHECK(matrix.weight(1, 2) == Approx(unity * std::sqrt(0.5)));
  CHECK(matrix.weight(0, 3) == 0);
  CHECK(matrix.weight(0, 4) == Approx(unity * std::sqrt(0.5)));
  CHECK(matrix.weight(1, 4) == 0);
  CHECK(matrix.weight(1, 5) == Approx(unity * std::sqrt(0.5)));
}

TEST_CASE("known layouts meet by the names of their channels") {
  CHECK(mix(6, {1, 2, 3, 4}) == std::vector<double>{1, 2, 0, 0, 3, 4});
  CHECK(mix(8, {1, 2, 3, 4, 5, 6}) == std::vector<double>{1, 2, 3, 4, 5, 6, 0, 0});
  const ChannelMatrix fold(8, 6);
  CHECK(fold.weight(4, 6) == Approx(std::sqrt(0.5) * fold.weight(4, 4)));
  CHECK(fold.weight(3, 3) == fold.weight(0, 0));
  const ChannelMatrix quad(6, 4);
  CHECK(quad.weight(2, 4) == quad.weight(0, 0));
  CHECK(quad.weight(1, 2) == Approx(std::sqrt(0.5) * quad.weight(1, 1)));
}

TEST_CASE("7.1 rears are folded once on their way to the fronts") {
  const ChannelMatrix matrix(8, 2);
  CHECK(matrix.weight(0, 6) == matrix.weight(0, 4));
  CHECK(matrix.weight(1, 7) == matrix.weight(1, 5));
}

TEST_CASE("full scale on all inputs does not clip, and at least one output reaches it") {
  for (int in = 2; in <= 64; ++in) {
    for (int out = 1; out <= 64; ++out) {
      const auto frame = mix(out, std::vector<double>(in, 1.0));
      double loudest = 0;
      for (const double sample : frame) loudest = std::max(loudest, sample);
      if (loudest != Approx(1)) FAIL(in << " to " << out << ": " << loudest);
    }
  }
}

TEST_CASE("unknown layouts pass one to one as far as both reach") {
  CHECK(mix(5, {1, 2, 3, 4, 5, 6}) == std::vector<double>{1, 2, 3, 4, 5});
  CHECK(mix(4, {1, 2, 3}) == std::vector<double>{1, 2, 3, 0});
  CHECK(ChannelMatrix(64, 8).copies_only());
}

TEST_CASE("unknown layouts lose nothing on the way to stereo and mono") {
  CHECK(mix(2, {0.2, 0.5, 0.4}) == std::vector<double>{0.5 * 0.2 + 0.5 * 0.4, 0.5});
  const auto mono = mix(1, {0.3, 0.6, 0.9});
  CHECK(mono[0] == Approx(0.6));
}

TEST_CASE("a block of frames is mixed like its single frames") {
  const ChannelMatrix matrix(6, 2);
  std::vector<double> in(6 * 100);
  for (std::size_t i = 0; i < in.size(); ++i) in[i] = std::sin(static_cast<double>(i));
  std::vector<double> out(2 * 100);
  matrix.apply(in.data(), out.data(), 100);
  for (int frame = 0; frame < 100; ++frame) {
    const auto one = mix(2, {in.begin() + frame * 6, in.begin() + frame * 6 + 6});
    CHECK(out[frame * 2] == one[0]);
    CHECK(out[frame * 2 + 1] == one[1]);
  }
}
