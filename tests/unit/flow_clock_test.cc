#include <catch2/catch.hpp>
#include <cmath>
#include <random>

#include "flow_rig.h"

using namespace ossloop;
using namespace ossloop::test;

TEST_CASE("sound comes at its rate, whatever the rate and however often one looks") {
  for (const int rate : {5000, 11025, 44100, 48000, 192000}) {
    for (const std::int64_t step : {1 * kMs, 7 * kMs, 20 * kMs}) {
      Loop loop(rate);
      loop.ring.capacity_frames = 400000;
      loop.ring.longest_buffer_frames = 100000;
      for (abi::Half* half : loop.halves()) {
        half->buffer_frames.store(static_cast<std::uint32_t>(rate / 10));
      }
      loop.consumer.start();
      loop.producer.begin(loop.now);
      loop.producer.publish(static_cast<std::uint64_t>(rate / 10));
      loop.record();
      const std::int64_t start = loop.now;
      std::uint64_t recorded = 0;
      while (loop.now < start + 10 * kSecond) {
        loop.pass(step);
        const View view = loop.record();
        REQUIRE(view.silence == 0);
        recorded += view.frames;
        loop.producer.publish(static_cast<std::uint64_t>(rate / 10) - loop.queued());
      }
      const std::int64_t due = static_cast<std::int64_t>(rate) * (loop.now - start) / kSecond;
      INFO(rate << " Hz by " << step << " ns");
      CHECK(recorded == static_cast<std::uint64_t>(due));
      CHECK(loop.counters().silence_frames.load() == 0);
      CHECK(loop.counters().overruns.load() == 0);
    }
  }
}

TEST_CASE("player and recorder compute the same position") {
  Loop loop;
  loop.run();
  for (int i = 0; i < 90; ++i) {
    loop.pass(kMs + i);
    const View view = loop.look();
    CHECK(view.read + view.frames == loop.played());
  }
}

TEST_CASE("a changed ppm is in effect at once and makes no jump") {
  Loop loop;
  loop.run();
  loop.pass(10 * kMs);
  CHECK(loop.record().frames == 480);
  loop.policy().ppm.store(100000);
  CHECK(loop.record().frames == 0);
  CHECK(loop.played() == 480);
  loop.pass(10 * kMs);
  CHECK(loop.record().frames == 528);
  loop.policy().ppm.store(-100000);
  CHECK(loop.record().frames == 0);
  loop.pass(10 * kMs);
  CHECK(loop.look().frames == 432);
  CHECK(loop.played() == 480 + 528 + 432);
}

TEST_CASE(
    "an hour of late players, slow recorders and changes of ppm moves the clock by no frame") {
  Loop loop(44100);
  std::mt19937 random(3);
  auto chance = [&](unsigned one_in) { return random() % one_in == 0; };
  auto ms = [&](unsigned most) { return 1 + static_cast<std::int64_t>(random() % (most * kMs)); };
  loop.run();
  const std::int64_t start = loop.now;
  const std::uint64_t first = loop.consumer.read();
  const abi::ClockStats& clock_stats = loop.counters().clock_stats;
  std::int64_t player_back = 0;
  long double elapsed_frames = 0;
  double worst = 0;
  int changes = 0;
  while (loop.now < start + 3600 * kSecond) {
    const std::int64_t before = loop.now;
    loop.pass(chance(500) ? ms(1500) : ms(40));
    elapsed_frames += 44100.0L * (1'000'000 + loop.policy().ppm.load()) / 1e15L *
                      static_cast<long double>(loop.now - before);
    if (chance(50)) {
      loop.policy().ppm.store(static_cast<std::int32_t>(random() % 2001) - 1000);
      ++changes;
    }
    if (chance(200)) player_back = loop.now + ms(700);
    if (loop.now >= player_back) loop.play(kBuffer);
    loop.record(chance(20) ? random() % 3000 : ~0U);
    // Where the clock is: behind what was heard, what stood for missing sound, and
    // what was waited for.
    std::uint64_t stream = 0;
    const std::int64_t clock = loop.consumer.clock(stream).frames_at(loop.now);
    const auto counted = static_cast<std::int64_t>(loop.counters().silence_frames.load() +
                                                   clock_stats.held_frames.load());
    const long double position = clock - static_cast<std::int64_t>(first) + counted;
    worst = std::max(worst, std::abs(static_cast<double>(position - elapsed_frames)));
  }
  // A frame under way, and less than a nanosecond a change.
  CHECK(worst <= 1.0 + changes * 44100e-9);
  CHECK(changes > 1000);
  CHECK(loop.counters().underruns.load() > 100);
  CHECK(loop.counters().overruns.load() > 100);
}

TEST_CASE("a factor of the clock makes it run that much faster") {
  Loop loop;
  loop.policy().clock_factor_milli.store(4000);
  loop.run();
  loop.pass(10 * kMs);
  CHECK(loop.record().frames == 4 * 480);
  loop.policy().clock_factor_milli.store(1000);
  loop.record();
  loop.pass(10 * kMs);
  CHECK(loop.record().frames == 480);
}

TEST_CASE("a sleeping reader is told when its frames are due, a writer when there is room") {
  Loop loop;
  loop.run();
  const auto reader = loop.consumer.wait_for(960, 0, loop.look(), loop.ring, loop.now);
  CHECK(reader.deadline_ns == loop.now + 20 * kMs);
  CHECK(reader.wake_frame == ~std::uint64_t{0});  // it is all there: only time is missing
  const auto writer = loop.producer.wait_for(480, loop.ring, loop.now);
  CHECK(writer.deadline_ns == loop.now + 10 * kMs);
  loop.pass(10 * kMs);
  CHECK(loop.played() == 480);
  loop.pass(10 * kMs);
  CHECK(loop.look().frames == 960);
}

TEST_CASE("a reader that lacks frames wants to hear of them") {
  Loop loop;
  loop.consumer.start();
  loop.begin(480);
  const View view = loop.look();
  const auto wait = loop.consumer.wait_for(960, 0, view, loop.ring, loop.now);
  CHECK(wait.wake_frame == 960);
  CHECK(wait.deadline_ns >= loop.now + 20 * kMs);  // when silence takes their place
  CHECK(wait.deadline_ns <= loop.now + kSecond);
}
