#include "device/mix_reader.h"

#include <algorithm>
#include <numeric>

#include "mix_rig.h"

using namespace ossloop;
using namespace ossloop::test;

namespace {

using Samples = std::vector<std::int16_t>;

config::InstancePolicy free_mix() { return of_eight(free_clock()); }

Samples all(std::int16_t value, std::size_t frames) { return Samples(frames, value); }

}  // namespace

TEST_CASE("what eight play at once is heard as their sum") {
  Mix mix(kMono, free_mix());
  std::int16_t sum = 0;
  for (std::uint32_t slot = 0; slot < 8; ++slot) {
    mix.open(slot);
    const auto value = static_cast<std::int16_t>(100 * (slot + 1) * (slot % 2 == 0 ? 1 : -3));
    mix.play(slot, level(value, 1000));
    sum = static_cast<std::int16_t>(sum + value);
  }
  CHECK(mix.hear(1000) == all(sum, 1000));
  for (std::uint32_t slot = 0; slot < 8; ++slot) {
    CHECK(mix.counters(slot).joined_frame.load() == 0);
    CHECK(mix.counters(slot).read.load() == 1000);
  }
}

TEST_CASE("what is too loud in sum is saturated, and counted") {
  Mix mix(kMono, free_mix());
  for (const std::uint32_t slot : {1, 2}) {
    mix.open(slot);
    mix.play(slot, level(20000, 100));
    mix.play(slot, level(-20000, 50));
    mix.play(slot, level(16383, 10));
  }
  CHECK(mix.hear(100) == all(32767, 100));
  CHECK(mix.hear(50) == all(-32768, 50));
  CHECK(mix.hear(10) == all(32766, 10));
  CHECK(mix.counters(0).clipped_samples.load() == 150);
}

TEST_CASE("one client alone passes bit for bit, whatever its place and format") {
  for (const audio::SampleFormat& format : audio::sample_formats()) {
    for (const std::uint32_t slot : {0U, 3U, 7U}) {
      for (const bool paced : {false, true}) {
        const PcmFormat pcm{format.afmt, 3, 44100};
        Mix mix(pcm, paced ? of_eight() : free_mix());
        mix.open(slot, pcm);
        const Bytes data = noise(2000 * static_cast<std::size_t>(pcm.frame_bytes()));
        mix.play(slot, data);
        mix.client(slot).close();
        Bytes heard, more;
        while (mix.read(1000, more).error == 0) {
          heard.insert(heard.end(), more.begin(), more.end());
          mix.pass(10 * kMs);
        }
        INFO(format.name << " in slot " << slot << (paced ? ", paced" : ""));
        CHECK((heard == data));
        CHECK(mix.counters(0).clipped_samples.load() == 0);
      }
    }
  }
}

TEST_CASE("servers of every kind of format hear the sum in theirs") {
  for (const int afmt : {audio::afmt::kS16Le, audio::afmt::kS32Le, audio::afmt::kFloat,
                         audio::afmt::kMuLaw, audio::afmt::kU8, audio::afmt::kS24Packed}) {
    const PcmFormat pcm{afmt, 2, 48000};
    Mix mix(pcm, free_mix());
    const audio::Codec& codec = *audio::find_codec(afmt);
    std::vector<double> sum(2000);
    for (const std::uint32_t slot : {2U, 4U, 5U}) {
      std::vector<double> samples(sum.size());
      for (std::size_t i = 0; i < samples.size(); ++i) {
        samples[i] = 0.3 * std::sin(0.01 * static_cast<double>(i * (slot + 1)));
      }
      Bytes bytes(1000 * static_cast<std::size_t>(pcm.frame_bytes()));
      codec.encode(samples.data(), bytes.data(), samples.size());
      codec.decode(bytes.data(), samples.data(), samples.size());
      for (std::size_t i = 0; i < samples.size(); ++i) sum[i] += samples[i];
      mix.open(slot, pcm);
      mix.play(slot, bytes);
    }
    Bytes expected(1000 * static_cast<std::size_t>(pcm.frame_bytes()));
    codec.encode(sum.data(), expected.data(), sum.size());
    INFO(audio::find_format(afmt)->name);
    CHECK((mix.read(expected.size()) == expected));
  }
}

TEST_CASE("who comes in the midst joins at the next frame, which is told") {
  Mix mix(kMono, free_mix());
  mix.open(0);
  mix.play(0, level(1000, 500));
  CHECK(mix.hear(200) == all(1000, 200));
  mix.open(5);
  mix.play(5, level(10, 100));
  CHECK(mix.hear(1000) == all(1010, 100));
  CHECK(mix.counters(0).joined_frame.load() == 0);
  CHECK(mix.counters(5).joined_frame.load() == 200);
}

TEST_CASE("who leaves is heard to the last frame, and missed by nobody") {
  for (const bool killed : {false, true}) {
    Mix mix(kMono, free_mix());
    for (const std::uint32_t slot : {0, 1, 2}) mix.open(slot);
    mix.play(0, level(1, 1000));
    mix.play(1, level(10, 300));
    mix.play(2, level(100, 700));
    killed ? mix.client(1).vanish() : mix.client(1).close();
    killed ? mix.client(2).vanish() : mix.client(2).close();
    Samples expected = all(111, 300);
    expected.resize(700, 101);
    expected.resize(1000, 1);
    CHECK(mix.hear(4000) == expected);
    // Its end is acknowledged with the next look.
    mix.server().capture.available_frames(mix.now());
    CHECK(mix.counters(1).acknowledged_stream.load() == 1);
    CHECK(mix.counters(0).acknowledged_stream.load() == 0);
    mix.play(0, level(2, 10));
    CHECK(mix.hear(4000) == all(2, 10));
  }
}

TEST_CASE("the stream ends once, with its last client") {
  for (const abi::Eof eof : {abi::Eof::kReset, abi::Eof::kEof, abi::Eof::kWait}) {
    auto policy = free_mix();
    config::set<"eof">(policy, eof);
    Mix mix(kMono, policy);
    for (const std::uint32_t slot : {0, 1, 2}) {
      mix.open(slot);
      mix.play(slot, level(1, 100));
    }
    mix.client(0).close();
    CHECK(mix.hear(1000) == all(3, 100));
    mix.client(2).close();
    mix.client(1).close();
    Bytes block;
    TransferResult step = mix.read(200, block);
    INFO("eof " << static_cast<int>(eof));
    CHECK(step.moved == 0);
    CHECK(step.error == (eof == abi::Eof::kReset ? -ECONNRESET : 0));
    CHECK(step.short_return == (eof == abi::Eof::kEof));
    CHECK(mix.server().capture.flow().running() == (eof == abi::Eof::kWait));
    step = mix.read(200, block);
    CHECK(step.error == 0);
    CHECK(step.short_return == (eof == abi::Eof::kEof));
    CHECK((step.short_return || step.block_despite_nonblock));
    // The next one begins with any of them.
    mix.open(6);
    mix.play(6, level(7, 50));
    CHECK(mix.hear(1000) == all(7, 50));
    CHECK_FALSE(mix.server().capture.flow().at_end());
    CHECK(mix.counters(6).joined_frame.load() == 100);
  }
}

TEST_CASE("an end is told by poll, and behind what was read, once all have ended") {
  Mix mix(kMono, free_mix());
  for (const std::uint32_t slot : {3, 4}) {
    mix.open(slot);
    mix.play(slot, level(1, 10));
  }
  CHECK(mix.hear(10) == all(2, 10));
  CHECK_FALSE(mix.server().capture.ready(1, mix.now()));
  mix.client(3).close();
  CHECK_FALSE(mix.server().capture.ready(1, mix.now()));
  mix.play(4, level(1, 5));
  mix.client(4).close();
  CHECK(mix.server().capture.ready(100, mix.now()));
  Bytes block;
  const TransferResult step = mix.read(100, block);
  CHECK(step.moved == 10);
  CHECK(step.short_return);
  CHECK(mix.server().capture.ready(100, mix.now()));
  CHECK(mix.read(100, block).error == -ECONNRESET);
  CHECK_FALSE(mix.server().capture.ready(1, mix.now()));
}

TEST_CASE("a trigger and a change of format act on one client's sound alone") {
  Mix mix(kMono, free_mix());
  for (const std::uint32_t slot : {0, 1}) mix.open(slot);
  mix.play(0, level(0, 2000, 1));
  mix.play(1, level(10000, 100));
  Samples expected(100);
  std::iota(expected.begin(), expected.end(), std::int16_t{10000});
  CHECK(mix.hear(100) == expected);

  mix.client(1).playback.arm(false, mix.now());
  mix.play(1, level(3000, 100));
  CHECK(mix.hear(100).empty());
  mix.client(1).playback.arm(true, mix.now());
  std::iota(expected.begin(), expected.end(), std::int16_t{3100});
  CHECK(mix.hear(100) == expected);

  auto& half = mix.client(1).half();
  half.set_format({audio::afmt::kU8, 2, 48000});
  half.set_buffering(default_buffering(half.format(), half.buffer_ms()));
  mix.play(1, Bytes(200, std::byte{0x81}));
  std::iota(expected.begin(), expected.end(), std::int16_t{200 + 256});
  CHECK(mix.hear(100) == expected);
}

TEST_CASE("a client's own level, and the mixer's, act on their sound alone") {
  Mix mix(kMono, free_mix());
  for (const std::uint32_t slot : {0, 1, 2}) mix.open(slot);
  mix.client(1).half().own().volume.store(50 | 50 << 8);
  for (const std::uint32_t slot : {0, 1, 2}) mix.play(slot, level(1000, 1000));
  CHECK(mix.hear(100) == all(2500, 100));
  // A stream that has ended keeps its own.
  mix.client(1).close();
  mix.open(1);
  CHECK(mix.hear(100) == all(2500, 100));
  set_mixer_level(mix.contract().mixer, abi::kMixPcm, 88 | 88 << 8);
  mix.hear(300);  // glides there
  CHECK(mix.hear(10)[9] == Approx(2500 * std::pow(10, -0.3)).margin(2));
}

TEST_CASE("a client whose ring cannot be had costs the others nothing") {
  Mix mix(kMono, free_mix());
  for (const std::uint32_t slot : {0, 1, 2}) {
    mix.open(slot);
    mix.play(slot, level(1, 100));
  }
  mix.contract().direction[abi::kClientToServer].lane[1].producer.mark[0].ring_bytes.store(0);
  CHECK(mix.hear(1000) == all(2, 100));
  mix.play(0, level(3, 100));
  mix.play(2, level(4, 100));
  CHECK(mix.hear(1000) == all(7, 100));
}

TEST_CASE("what a lane says of its place is checked") {
  for (const std::uint64_t garbage :
       {std::uint64_t{1} << 62, ~std::uint64_t{0}, std::uint64_t{1} << 63}) {
    Mix mix(kMono, free_mix());
    for (const std::uint32_t slot : {0, 1}) {
      mix.open(slot);
      mix.play(slot, level(1, 200));
    }
    CHECK(mix.hear(100) == all(2, 100));
    mix.counters(1).mix_frame.store(garbage);
    CHECK(mix.hear(100) == all(2, 100));
    mix.client(0).close();
    mix.client(1).close();
    Bytes block;
    CHECK(mix.read(10, block).error == -ECONNRESET);
  }
}

TEST_CASE("with one client at most, other lanes are not looked at") {
  Mix mix(kMono, free_clock());
  mix.open(0);
  mix.open(1);
  mix.play(0, level(1, 100));
  mix.play(1, level(1, 100));
  CHECK(mix.hear(100) == all(1, 100));
  CHECK(mix.counters(1).read.load() == 0);
}
