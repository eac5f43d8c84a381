#include "audio/pcm_format.h"

#include <catch2/catch.hpp>
#include <set>
#include <string>
#include <vector>

#include "oss/soundcard.h"

using namespace ossloop::audio;
using namespace ossloop::oss;

TEST_CASE("the table has every linear format, float and G.711, with the API's own bits") {
  const std::vector<std::pair<int, std::string>> expected = {
      {AFMT_MU_LAW, "MU_LAW"}, {AFMT_A_LAW, "A_LAW"},           {AFMT_U8, "U8"},
      {AFMT_S16_LE, "S16_LE"}, {AFMT_S16_BE, "S16_BE"},         {AFMT_S8, "S8"},
      {AFMT_U16_LE, "U16_LE"}, {AFMT_U16_BE, "U16_BE"},         {AFMT_S32_LE, "S32_LE"},
      {AFMT_S32_BE, "S32_BE"}, {AFMT_FLOAT, "FLOAT"},           {AFMT_S24_LE, "S24_LE"},
      {AFMT_S24_BE, "S24_BE"}, {AFMT_S24_PACKED, "S24_PACKED"},
  };
  int mask = 0;
  for (const auto& [bit, name] : expected) {
    const SampleFormat* format = find_format(bit);
    REQUIRE(format != nullptr);
    CHECK(format->name == name);
    CHECK(&sample_formats()[format_index(bit)] == format);
    mask |= bit;
  }
  CHECK(sample_formats().size() == expected.size());
  CHECK(supported_formats_mask() == mask);
}

TEST_CASE("what is no sample format of ours is not found") {
  for (const int afmt : {0, AFMT_AC3, AFMT_S16_LE | AFMT_U8, -1}) {
    CHECK(find_format(afmt) == nullptr);
    CHECK(format_index(afmt) == -1);
  }
}

TEST_CASE("the index of a format never changes, for it is kept in shared memory") {
  CHECK(format_index(AFMT_MU_LAW) == 0);
  CHECK(format_index(AFMT_S16_LE) == 3);
  CHECK(format_index(AFMT_S32_LE) == 8);
  CHECK(format_index(AFMT_S24_PACKED) == 13);
  CHECK(sample_formats().size() <= 32);
}

TEST_CASE("a frame is one sample per channel") {
  CHECK(PcmFormat{AFMT_S16_LE, 2, 48000}.frame_bytes() == 4);
  CHECK(PcmFormat{AFMT_S24_LE, 2, 48000}.frame_bytes() == 8);
  CHECK(PcmFormat{AFMT_S24_PACKED, 6, 48000}.frame_bytes() == 18);
  CHECK(PcmFormat{AFMT_MU_LAW, 1, 8000}.frame_bytes() == 1);
  CHECK(PcmFormat{AFMT_AC3, 2, 48000}.frame_bytes() == 0);
}

TEST_CASE("a format is valid within 1 to 64 channels and 5000 to 768000 Hz") {
  CHECK(valid({AFMT_S16_LE, 1, 5000}));
  CHECK(valid({AFMT_S16_LE, 64, 768000}));
  CHECK_FALSE(valid({AFMT_S16_LE, 0, 48000}));
  CHECK_FALSE(valid({AFMT_S16_LE, 65, 48000}));
  CHECK_FALSE(valid({AFMT_S16_LE, 2, 4999}));
  CHECK_FALSE(valid({AFMT_S16_LE, 2, 768001}));
  CHECK_FALSE(valid({AFMT_AC3, 2, 48000}));
}

TEST_CASE("silence is the middle of each format") {
  const auto silence = [](int afmt) {
    const PcmFormat format{afmt, 1, 48000};
    std::vector<unsigned char> bytes(2 * format.frame_bytes() + 1, 0x11);
    fill_silence(format, bytes.data(), 2);
    CHECK(bytes.back() == 0x11);
    bytes.pop_back();
    return bytes;
  };
  using Bytes = std::vector<unsigned char>;
  CHECK(silence(AFMT_U8) == Bytes{0x80, 0x80});
  CHECK(silence(AFMT_S8) == Bytes{0, 0});
  CHECK(silence(AFMT_MU_LAW) == Bytes{0xFF, 0xFF});
  CHECK(silence(AFMT_A_LAW) == Bytes{0xD5, 0xD5});
  CHECK(silence(AFMT_U16_LE) == Bytes{0x00, 0x80, 0x00, 0x80});
  CHECK(silence(AFMT_U16_BE) == Bytes{0x80, 0x00, 0x80, 0x00});
  CHECK(silence(AFMT_S24_PACKED) == Bytes(6, 0));
  CHECK(silence(AFMT_FLOAT) == Bytes(8, 0));
}
