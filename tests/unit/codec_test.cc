#include "audio/codec.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "audio/pcm_format.h"

using namespace ossloop::audio;

namespace {

using Bytes = std::vector<unsigned char>;

Bytes encode(int afmt, const std::vector<double>& samples) {
  Bytes bytes(samples.size() * find_format(afmt)->bytes);
  find_codec(afmt)->encode(samples.data(), bytes.data(), samples.size());
  return bytes;
}

std::vector<double> decode(int afmt, const Bytes& bytes) {
  std::vector<double> samples(bytes.size() / find_format(afmt)->bytes);
  find_codec(afmt)->decode(bytes.data(), samples.data(), samples.size());
  return samples;
}

}  // namespace

TEST_CASE("every format of the table has a codec") {
  for (const SampleFormat& format : sample_formats()) {
    INFO(format.name);
    REQUIRE(find_codec(format.afmt) != nullptr);
    CHECK(find_codec(format.afmt)->afmt == format.afmt);
  }
  CHECK(find_codec(0) == nullptr);
}

TEST_CASE("bytes lie as the format's name says") {
  // 0x123456 of 24 bits.
  const std::vector<double> sample = {0x123456 * 0x1p-23};
  CHECK(encode(afmt::kS8, sample) == Bytes{0x12});
  CHECK(encode(afmt::kU8, sample) == Bytes{0x92});
  CHECK(encode(afmt::kS16Le, sample) == Bytes{0x34, 0x12});
  CHECK(encode(afmt::kS16Be, sample) == Bytes{0x12, 0x34});
  CHECK(encode(afmt::kU16Le, sample) == Bytes{0x34, 0x92});
  CHECK(encode(afmt::kU16Be, sample) == Bytes{0x92, 0x34});
  CHECK(encode(afmt::kS24Le, sample) == Bytes{0x56, 0x34, 0x12, 0x00});
  CHECK(encode(afmt::kS24Be, sample) == Bytes{0x00, 0x12, 0x34, 0x56});
  CHECK(encode(afmt::kS24Packed, sample) == Bytes{0x56, 0x34, 0x12});
  CHECK(encode(afmt::kS32Le, sample) == Bytes{0x00, 0x56, 0x34, 0x12});
  CHECK(encode(afmt::kS32Be, sample) == Bytes{0x12, 0x34, 0x56, 0x00});
}

TEST_CASE("24 bits in 32 are written sign-extended and read whatever is above them") {
  CHECK(encode(afmt::kS24Le, {-1.0}) == Bytes{0x00, 0x00, 0x80, 0xFF});
  CHECK(encode(afmt::kS24Be, {-0x1p-23}) == Bytes{0xFF, 0xFF, 0xFF, 0xFF});
  CHECK(decode(afmt::kS24Le, {0x01, 0x00, 0x00, 0x77})[0] == 0x1p-23);
  CHECK(decode(afmt::kS24Le, {0xFF, 0xFF, 0xFF, 0x00})[0] == -0x1p-23);
  CHECK(decode(afmt::kS24Be, {0x55, 0x80, 0x00, 0x00})[0] == -1.0);
}

TEST_CASE("every sample decodes to a number that encodes to the same bytes") {
  std::mt19937 random(1);
  for (const SampleFormat& format : sample_formats()) {
    Bytes bytes;
    if (format.bytes <= 2) {
      for (int i = 0; i < 65536; ++i) {
        bytes.push_back(static_cast<unsigned char>(i));
        if (format.bytes == 2) bytes.push_back(static_cast<unsigned char>(i >> 8));
      }
    } else {
      std::vector<double> samples;
      std::uniform_real_distribution<double> uniform(-1.0, 1.0);
      for (int i = 0; i < 100000; ++i) samples.push_back(uniform(random));
      samples.insert(samples.end(), {-1.0, 1.0, 0.0});
      bytes = encode(format.afmt, samples);
    }
    INFO(format.name);
    CHECK(encode(format.afmt, decode(format.afmt, bytes)) == bytes);
  }
}

TEST_CASE("integers are rounded to the nearest and saturated") {
  const double lsb = 0x1p-15;
  const auto s16 = [](double sample) {
    const Bytes bytes = encode(afmt::kS16Le, {sample});
    std::int16_t value;
    std::memcpy(&value, bytes.data(), 2);
    return value;
  };
  CHECK(s16(100.49 * lsb) == 100);
  CHECK(s16(100.51 * lsb) == 101);
  CHECK(s16(-100.49 * lsb) == -100);
  CHECK(s16(-100.51 * lsb) == -101);
  CHECK(s16(1.0) == 32767);
  CHECK(s16(-1.0) == -32768);
  CHECK(s16(1e30) == 32767);
  CHECK(s16(-std::numeric_limits<double>::infinity()) == -32768);
  CHECK(encode(afmt::kS32Le, {7.0}) == Bytes{0xFF, 0xFF, 0xFF, 0x7F});
  CHECK(encode(afmt::kS32Le, {-7.0}) == Bytes{0x00, 0x00, 0x00, 0x80});
  CHECK(encode(afmt::kU8, {7.0, -7.0}) == Bytes{0xFF, 0x00});
}

TEST_CASE("floats pass unclipped, but for what is no number") {
  const float values[] = {0.25F, -3.5F, INFINITY, -INFINITY, NAN};
  Bytes bytes(sizeof(values));
  std::memcpy(bytes.data(), values, sizeof(values));
  CHECK(decode(afmt::kFloat, bytes) == std::vector<double>{0.25, -3.5, 0, 0, 0});
}

TEST_CASE("long and odd blocks at odd addresses convert like single samples") {
  for (const SampleFormat& format : sample_formats()) {
    const std::size_t count = 101;
    Bytes bytes(count * format.bytes + 1);
    std::vector<double> samples(count);
    for (std::size_t i = 0; i < count; ++i) samples[i] = std::sin(static_cast<double>(i));
    const Codec& codec = *find_codec(format.afmt);
    codec.encode(samples.data(), bytes.data() + 1, count);
    for (std::size_t i = 0; i < count; ++i) {
      const Bytes one = encode(format.afmt, {samples[i]});
      CHECK(std::memcmp(one.data(), bytes.data() + 1 + i * format.bytes, format.bytes) == 0);
    }
    std::vector<double> decoded(count);
    codec.decode(bytes.data() + 1, decoded.data(), count);
    bytes.erase(bytes.begin());
    CHECK(decoded == decode(format.afmt, bytes));
  }
}
