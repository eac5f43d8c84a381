// Several players by a clock.
#include <algorithm>

#include "mix_rig.h"

using namespace ossloop;
using namespace ossloop::test;

namespace {

constexpr PcmFormat kWide{audio::afmt::kS32Le, 1, 48000};
using Samples = std::vector<std::int32_t>;

// Sound of 32 bits, which no sum saturates.
class WideMix : public Mix {
 public:
  explicit WideMix(const config::InstancePolicy& policy = of_eight()) : Mix(kWide, policy) {}
  Opened& open(std::uint32_t slot) { return Mix::open(slot, kWide); }
  void play(std::uint32_t slot, const Samples& samples) {
    Bytes data(samples.size() * 4);
    std::memcpy(data.data(), samples.data(), data.size());
    Mix::play(slot, data);
  }
  Samples hear(std::size_t frames) {
    const Bytes block = read(frames * 4);
    Samples samples(block.size() / 4);
    std::memcpy(samples.data(), block.data(), block.size());
    return samples;
  }
};

// Frame n of a player is (n + 1) * factor.
class Counting {
 public:
  Counting(WideMix& mix, std::uint32_t slot, int factor) : mix_(mix), slot_(slot), factor_(factor) {
    mix.open(slot);
  }
  void play(std::size_t frames) {
    Samples samples(frames);
    for (auto& sample : samples) sample = ++sent_ * factor_;
    mix_.play(slot_, samples);
  }

 private:
  WideMix& mix_;
  std::uint32_t slot_;
  int factor_;
  int sent_ = 0;
};

}  // namespace

TEST_CASE("a starved client is silent for itself alone, and moves no other's frames") {
  WideMix mix;
  Counting first(mix, 0, 1), second(mix, 1, 100000);
  first.play(480);
  second.play(96);  // 2 ms, and no more for long
  mix.hear(1);
  Samples heard;
  for (int round = 0; round < 20; ++round) {
    first.play(480);
    mix.pass(10 * kMs);
    const Samples more = mix.hear(4800);
    heard.insert(heard.end(), more.begin(), more.end());
    // One that does not come is not waited for again and again.
    if (round >= 12) REQUIRE(more.size() == 480);
  }
  REQUIRE(heard.size() > 7000);
  for (std::size_t i = 0; i < heard.size(); ++i) {
    const int expected = static_cast<int>(i + 1) * (i < 96 ? 100001 : 1);
    REQUIRE(heard[i] == static_cast<std::int32_t>(expected));
  }
  CHECK(mix.counters(0).silence_frames.load() == 0);
  CHECK(mix.counters(0).clock_stats.held_frames.load() == 0);
  CHECK(mix.counters(1).silence_frames.load() == heard.size() - 96);
  // It goes on where it is.
  const std::size_t before = heard.size();
  second.play(480);
  first.play(480);
  mix.pass(10 * kMs);
  const Samples more = mix.hear(4800);
  REQUIRE(more.size() >= 480);
  CHECK(more[0] == static_cast<std::int32_t>(before + 1 + 9700000));
}

TEST_CASE("who is a moment late is waited for, but not so long that others are held up") {
  WideMix mix;
  auto& half = mix.server().half();
  half.own().fragment_chosen.store(1);
  half.set_buffering(requested_buffering(4 << 16 | 8, kWide, half.buffer_ms()));  // 256 frames
  Counting first(mix, 0, 1), second(mix, 1, 100000);
  first.play(2000);
  second.play(48);
  mix.hear(1);
  Samples heard;
  for (int round = 0; round < 20; ++round) {
    mix.pass(kMs);
    const Samples more = mix.hear(480);
    heard.insert(heard.end(), more.begin(), more.end());
    if (round == 1) second.play(48);
  }
  REQUIRE(heard.size() >= 950 - 64);
  for (std::size_t i = 0; i < heard.size(); ++i) {
    REQUIRE(heard[i] == static_cast<std::int32_t>((i + 1) * (i < 96 ? 100001 : 1)));
  }
  CHECK(mix.counters(0).clock_stats.held_frames.load() == 0);
  CHECK(mix.counters(0).overruns.load() == 0);
}

TEST_CASE("who begins while the recorder is late is heard from when it began") {
  WideMix mix;
  Counting first(mix, 0, 1);
  first.play(9600);
  mix.hear(1);
  mix.pass(10 * kMs);
  CHECK(mix.hear(4800).size() == 480);
  Counting second(mix, 1, 100000);
  mix.pass(50 * kMs);
  second.play(4800);
  mix.server().capture.available_frames(mix.now());  // as the device thread looks
  mix.pass(50 * kMs);
  const Samples heard = mix.hear(9600);
  REQUIRE(heard.size() == 4800);
  CHECK(mix.counters(1).joined_frame.load() == 480 + 2400);
  for (std::size_t i = 0; i < heard.size(); ++i) {
    const int second_too = i < 2400 ? 0 : static_cast<int>(i - 2400 + 1) * 100000;
    REQUIRE(heard[i] == static_cast<std::int32_t>(static_cast<int>(480 + i + 1) + second_too));
  }
}

TEST_CASE("players of other rates join when their filter has sound, and hold nobody up") {
  WideMix mix;
  mix.Mix::open(1, {audio::afmt::kS32Le, 1, 44100});
  Counting first(mix, 0, 1);
  first.play(4800);
  mix.hear(1);
  std::size_t heard = 0;
  for (int round = 0; round < 100; ++round) {
    if (round == 10) mix.Mix::play(1, Bytes(4 * 4410));
    if (round > 10) mix.Mix::play(1, Bytes(4 * 441));
    first.play(480);
    mix.pass(10 * kMs);
    const Samples more = mix.hear(4800);
    for (const std::int32_t sample : more) {
      REQUIRE(sample == static_cast<std::int32_t>(++heard));
    }
    // A filter gives its sound in blocks.
    REQUIRE(heard + 240 >= static_cast<std::size_t>(round + 1) * 480);
  }
  CHECK(mix.counters(1).joined_frame.load() >= 10 * 480);
  CHECK(mix.counters(1).joined_frame.load() <= 16 * 480);
  CHECK(mix.counters(1).silence_frames.load() == 0);
}

TEST_CASE("a recorder that is late holds all clocks alike") {
  WideMix mix;
  Counting first(mix, 0, 1), second(mix, 1, 100000);
  first.play(9600);
  second.play(9600);
  mix.hear(1);
  mix.pass(10 * kMs);
  mix.hear(4800);
  mix.pass(5 * kSecond);
  for (std::size_t at = 480; at < 9600;) {
    const Samples heard = mix.hear(9600);
    REQUIRE_FALSE(heard.empty());
    for (std::size_t i = 0; i < heard.size() && at < 9600; ++i) {
      REQUIRE(heard[i] == static_cast<std::int32_t>(++at * 100001));
    }
    mix.pass(100 * kMs);
  }
  CHECK(mix.counters(0).overruns.load() == 1);
  CHECK(mix.counters(0).clock_stats.held_frames.load() ==
        mix.counters(1).clock_stats.held_frames.load());
}

TEST_CASE("with underrun=stall the mix goes by the slowest that has begun") {
  auto policy = of_eight();
  config::set<"underrun">(policy, abi::Underrun::kStall);
  WideMix mix(policy);
  Counting first(mix, 0, 1), second(mix, 1, 100000);
  first.play(4800);
  second.play(480);
  mix.hear(1);
  mix.pass(50 * kMs);
  CHECK(mix.hear(4800).size() == 480);
  mix.pass(50 * kMs);
  CHECK(mix.hear(4800).empty());
  second.play(480);
  mix.pass(50 * kMs);
  const Samples heard = mix.hear(4800);
  REQUIRE(heard.size() == 480);
  CHECK(heard[0] == static_cast<std::int32_t>(481 * 100001));
}

TEST_CASE("with eof=silence the last client's silence goes on, and who comes joins it") {
  auto policy = of_eight();
  config::set<"eof">(policy, abi::Eof::kSilence);
  WideMix mix(policy);
  mix.open(0);
  mix.open(1);
  mix.play(0, Samples(480, 1));
  mix.play(1, Samples(960, 10));
  mix.client(0).close();
  mix.client(1).close();
  mix.hear(1);
  mix.pass(30 * kMs);
  Samples expected(480, 11);
  expected.resize(960, 10);
  expected.resize(1440, 0);
  CHECK(mix.hear(4800) == expected);
  mix.open(2);
  mix.play(2, Samples(4800, 100));
  mix.pass(10 * kMs);
  Samples heard = mix.hear(4800);
  CHECK(heard == Samples(480, 0));
  mix.pass(10 * kMs);
  heard = mix.hear(4800);
  CHECK(heard == Samples(480, 100));
  for (const std::uint32_t slot : {0, 1}) {
    CHECK(mix.counters(slot).clock_stream.load() == 0);
  }
}

TEST_CASE("a recorder that halts begins anew with all of them") {
  WideMix mix;
  Counting first(mix, 0, 1), second(mix, 1, 100000);
  first.play(4800);
  second.play(4800);
  mix.hear(1);
  mix.pass(20 * kMs);
  CHECK(mix.hear(480).size() == 480);
  mix.server().capture.halt(mix.now());
  mix.pass(kSecond);
  mix.hear(1);
  mix.pass(10 * kMs);
  const Samples heard = mix.hear(480);
  REQUIRE(heard.size() == 480);
  CHECK(heard[0] == static_cast<std::int32_t>(961 * 100001));
  CHECK(mix.counters(1).joined_frame.load() == 480);
}

TEST_CASE("a halt drops one client's sound, and not a frame of another's") {
  WideMix mix;
  Counting first(mix, 0, 1), second(mix, 1, 100000);
  first.play(4800);
  second.play(4800);
  mix.hear(1);
  mix.pass(10 * kMs);
  CHECK(mix.hear(4800).size() == 480);
  mix.client(1).playback.halt(mix.now());
  second.play(960);
  mix.pass(10 * kMs);
  const Samples heard = mix.hear(4800);
  REQUIRE(heard.size() == 480);
  for (std::size_t i = 0; i < heard.size(); ++i) {
    REQUIRE(heard[i] == static_cast<std::int32_t>(481 + i + (4801 + i) * 100000));
  }
}

TEST_CASE("a reader of a mix sleeps by the clock, or until any player goes on") {
  WideMix mix;
  Counting first(mix, 3, 1), second(mix, 5, 100000);
  Bytes block;
  CHECK(mix.Mix::read(400, block).wait.wake_frame == 0);  // whoever begins
  first.play(4800);
  second.play(480);
  mix.hear(1);
  mix.pass(5 * kMs);
  mix.hear(480);
  // Of both it is there.
  auto wait = mix.Mix::read(400, block).wait;
  CHECK(wait.wake_frame == shm::Sleeper::kNever);
  CHECK(wait.deadline_ns > mix.now() + kMs);
  CHECK(wait.deadline_ns < mix.now() + 25 * kMs);
  mix.pass(5 * kMs);
  mix.hear(480);
  // The second has no more.
  wait = mix.Mix::read(400, block).wait;
  mix.now() = wait.deadline_ns;
  if (wait.wake_frame != 0) wait = mix.Mix::read(400, block).wait;
  CHECK(wait.wake_frame == 0);
  CHECK(wait.deadline_ns > mix.now());
  CHECK(wait.deadline_ns < mix.now() + kSecond);
  second.play(480);
  CHECK(mix.hear(100).size() == 100);
}

TEST_CASE("clocks that are held go on in step, also of who has just joined") {
  WideMix mix;
  Counting first(mix, 0, 1);
  first.play(14400);
  mix.hear(1);
  mix.pass(10 * kMs);
  mix.hear(4800);
  Counting second(mix, 1, 100000);
  mix.pass(50 * kMs);
  second.play(14400);
  mix.server().capture.available_frames(mix.now());
  mix.pass(50 * kMs);
  mix.server().capture.available_frames(mix.now());  // joins 2400 frames on
  mix.pass(5 * kSecond);
  while (mix.hear(100).size() == 100) continue;
  // Nothing is due that was not heard.
  for (const std::uint32_t slot : {0, 1}) {
    auto& playback = mix.client(slot).playback;
    const std::uint64_t played = playback.flow().written() - playback.queued_frames(mix.now());
    CHECK(played - playback.flow().read_by_peer() <= 1);
  }
  CHECK(mix.counters(1).joined_frame.load() == 480 + 2400);
}
