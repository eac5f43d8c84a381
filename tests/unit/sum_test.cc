#include "audio/sum.h"

#include <catch2/catch.hpp>
#include <cstring>
#include <random>

using namespace ossloop;
using namespace ossloop::audio;

namespace {

void add(Sum& sum, const std::vector<std::byte>& bytes, std::size_t frames) {
  std::memcpy(sum.room(), bytes.data(), bytes.size());
  sum.add(frames);
}

}  // namespace

TEST_CASE("one sound alone comes out of a sum as it was, in every format") {
  std::mt19937 random(1);
  for (const SampleFormat& format : sample_formats()) {
    if (format.afmt == afmt::kFloat) continue;
    const PcmFormat pcm{format.afmt, 3, 48000};
    Sum sum(pcm);
    const std::size_t frames = sum.block_frames();
    std::vector<std::byte> bytes(frames * static_cast<std::size_t>(pcm.frame_bytes()));
    // What no code is written as may be read as another: the bits above 24.
    for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
    std::vector<std::byte> out(bytes.size()), again(bytes.size());
    add(sum, bytes, frames);
    CHECK(sum.take(out.data(), frames) == 0);
    add(sum, out, frames);
    CHECK(sum.take(again.data(), frames) == 0);
    INFO(format.name);
    CHECK((again == out));
    const bool padded = format.afmt == afmt::kS24Le || format.afmt == afmt::kS24Be;
    if (!padded) CHECK((out == bytes));
  }
}

TEST_CASE("a sum of nothing is silence, and begins anew each time") {
  const PcmFormat pcm{afmt::kU8, 1, 48000};
  Sum sum(pcm);
  std::byte out[4];
  CHECK(sum.take(out, 4) == 0);
  for (const std::byte byte : out) CHECK(byte == std::byte{0x80});
  add(sum, std::vector<std::byte>(4, std::byte{0x90}), 4);
  add(sum, std::vector<std::byte>(4, std::byte{0xa0}), 4);
  CHECK(sum.take(out, 4) == 0);
  for (const std::byte byte : out) CHECK(byte == std::byte{0xb0});
  CHECK(sum.take(out, 4) == 0);
  for (const std::byte byte : out) CHECK(byte == std::byte{0x80});
}

TEST_CASE("a sum saturates both ways, and counts each sample that it did so to") {
  const PcmFormat pcm{afmt::kS8, 1, 48000};
  Sum sum(pcm);
  const std::vector<std::byte> bytes{std::byte{100}, std::byte{0x9c}, std::byte{60}};
  add(sum, bytes, 3);
  add(sum, bytes, 3);
  std::byte out[3];
  CHECK(sum.take(out, 3) == 2);
  CHECK(out[0] == std::byte{127});
  CHECK(out[1] == std::byte{0x80});
  CHECK(out[2] == std::byte{120});
}
