#include <catch2/catch.hpp>
#include <random>

#include "flow_rig.h"

using namespace ossloop;
using namespace ossloop::test;

TEST_CASE("underrun=silence: lateness of a fragment costs no sound, more is silence, counted") {
  Loop loop;
  loop.consumer.start();
  loop.begin(480);
  loop.record();
  loop.pass(10 * kMs);
  CHECK(loop.record().frames == 480);
  loop.pass(10 * kMs);  // 480 frames are missing: just the slack
  CHECK(loop.record().silence == 0);
  CHECK(loop.counters().underruns.load() == 0);
  loop.pass(kMs);
  CHECK(loop.record().silence == kSlack + 48);
  CHECK(loop.counters().underruns.load() == 1);
  CHECK(loop.counters().silence_frames.load() == kSlack + 48);
  // The same gap goes on, and is one underrun.
  loop.pass(50 * kMs);
  CHECK(loop.record().silence == 2400);
  CHECK(loop.counters().underruns.load() == 1);
  CHECK(loop.counters().silence_frames.load() == kSlack + 48 + 2400);
}

TEST_CASE(
    "underrun=silence: sound that comes late is due from then on, and another gap is another "
    "underrun") {
  Loop loop;
  loop.consumer.start();
  loop.begin(480);
  loop.record();
  loop.pass(30 * kMs);
  loop.record();
  CHECK(loop.counters().underruns.load() == 1);
  loop.play(480);
  CHECK(loop.look().frames == 0);
  loop.pass(5 * kMs);
  CHECK(loop.record().frames == 240);
  loop.pass(25 * kMs);
  const View view = loop.record();
  CHECK(view.frames == 240);
  CHECK(view.silence == 960);
  CHECK(loop.counters().underruns.load() == 2);
}

TEST_CASE("underrun=silence: time is sound plus silence, to the frame") {
  Loop loop;
  std::mt19937 random(6);
  loop.run();
  const std::int64_t start = loop.now;
  std::uint64_t sound = 0;
  for (int i = 0; i < 2000; ++i) {
    loop.pass(static_cast<std::int64_t>(random() % 60'000'000));
    sound += loop.record().frames;
    if (random() % 3 == 0) loop.play(random() % 5000);
  }
  const View rest = loop.look();
  const auto total =
      static_cast<std::int64_t>(sound + rest.frames + loop.counters().silence_frames.load());
  CHECK(total <= (loop.now - start) * 48 / kMs);
  // Less by what is missing and not yet an underrun.
  CHECK(total + static_cast<std::int64_t>(rest.silence + kSlack) >= (loop.now - start) * 48 / kMs);
  CHECK(loop.counters().overruns.load() == 0);
}

TEST_CASE("underrun=stall: the clock waits for the player") {
  Loop loop;
  loop.set(abi::Underrun::kStall);
  loop.consumer.start();
  loop.begin(480);
  loop.record();
  loop.pass(kSecond);
  const View view = loop.record();
  CHECK(view.frames == 480);
  CHECK(view.silence == 0);
  loop.pass(kSecond);
  CHECK(loop.record().silence == 0);
  loop.play(4800);
  CHECK(loop.look().frames == 0);
  loop.pass(10 * kMs);
  CHECK(loop.look().frames == 480);
  CHECK(loop.counters().silence_frames.load() == 0);
  CHECK(loop.counters().underruns.load() == 0);
}
