#include <catch2/catch.hpp>

#include "flow_rig.h"

using namespace ossloop;
using namespace ossloop::test;

TEST_CASE("overrun=wait: the clock is held, nothing is lost, and no burst follows") {
  Loop loop;
  loop.run();
  const std::uint64_t first = loop.look().read;
  for (int i = 0; i < 200; ++i) {  // two seconds in which the server does not read
    loop.pass(10 * kMs);
    loop.play(kBuffer);
  }
  CHECK(loop.producer.written() == first + 2 * kBuffer);
  View view = loop.look();
  CHECK(view.read == first);
  CHECK(view.frames == kBuffer);
  CHECK(view.silence == 0);
  CHECK(loop.counters().overruns.load() == 1);
  CHECK(loop.counters().dropped_frames.load() == 0);
  loop.record();
  // From here on at its pace: the time it was held does not come back.
  CHECK(loop.look().frames == 0);
  for (int i = 0; i < 50; ++i) {
    loop.pass(10 * kMs);
    loop.play(kBuffer);
    view = loop.record();
    REQUIRE(view.frames == 480);
    REQUIRE(view.silence == 0);
  }
  CHECK(loop.counters().overruns.load() == 1);
}

TEST_CASE("a machine that stood still for a day goes on where it was, whatever the policies") {
  for (const auto overrun : {abi::Overrun::kWait, abi::Overrun::kDrop}) {
    for (const auto underrun : {abi::Underrun::kSilence, abi::Underrun::kStall}) {
      Loop loop;
      loop.set(overrun);
      loop.set(underrun);
      loop.run();
      loop.pass(10 * kMs);
      loop.record();
      loop.play(kBuffer);
      loop.pass(24 * 3600 * kSecond);
      // No more than fills its buffer is due, and all that was played is heard.
      View view = loop.record();
      CHECK(view.frames + view.silence <= kBuffer);
      CHECK(view.frames == kBuffer);
      loop.play(kBuffer);
      for (int i = 0; i < 50; ++i) {
        loop.pass(10 * kMs);
        loop.play(kBuffer);
        view = loop.record();
        REQUIRE(view.frames == 480);
        REQUIRE(view.silence == 0);
      }
      CHECK(loop.counters().dropped_frames.load() == 0);
    }
  }
}

TEST_CASE("overrun=wait: one hold is one overrun, however often one looks") {
  Loop loop;
  loop.run();
  for (int round = 1; round <= 3; ++round) {
    for (int i = 0; i < 50; ++i) {
      loop.pass(10 * kMs);
      loop.play(kBuffer);
      loop.look();
    }
    CHECK(loop.counters().overruns.load() == static_cast<std::uint64_t>(round));
    loop.record();
    loop.pass(10 * kMs);
    loop.play(kBuffer);
    loop.record();
  }
}

TEST_CASE("a writer held by the reader waits for its position") {
  Loop loop;
  loop.run();
  loop.pass(kSecond);
  loop.play(kBuffer);
  const auto wait = loop.producer.wait_for(loop.producer.written(), loop.ring, loop.now);
  CHECK(wait.wake_frame == loop.producer.written() - kBuffer);
  CHECK(wait.deadline_ns > loop.now);
  CHECK(wait.deadline_ns <= loop.now + kSecond);
}

TEST_CASE("overrun=drop: the oldest is lost, and the player never waits for the recorder") {
  Loop loop;
  loop.set(abi::Overrun::kDrop);
  loop.run();
  std::uint64_t accepted = kBuffer;
  for (int i = 0; i < 200; ++i) {
    loop.pass(10 * kMs);
    const std::uint64_t frames = loop.play(kBuffer);
    REQUIRE(frames == 480);
    accepted += frames;
  }
  const View view = loop.record();
  CHECK(view.frames == kBuffer);
  CHECK(view.read == 200 * 480 - kBuffer);
  CHECK(loop.counters().dropped_frames.load() == 200 * 480 - kBuffer);
  CHECK(loop.counters().overruns.load() == 1);
  CHECK_FALSE(loop.consumer.lapped(loop.ring));
  loop.pass(10 * kMs);
  CHECK(loop.record().frames == 480);
  CHECK(loop.counters().overruns.load() == 1);
}

TEST_CASE("overrun=drop: what the player has overwritten is known") {
  Loop loop;
  loop.set(abi::Overrun::kDrop);
  loop.run();
  CHECK_FALSE(loop.consumer.lapped(loop.ring));
  loop.producer.publish(loop.ring.capacity_frames);
  CHECK(loop.consumer.lapped(loop.ring));
  loop.set(abi::Overrun::kWait);
  CHECK_FALSE(loop.consumer.lapped(loop.ring));
}

TEST_CASE("overrun=drop: buffers that are full on both sides are not overwritten") {
  for (const std::uint32_t ms : {20U, 340U, 1000U, 5000U}) {
    Loop loop;
    loop.set(abi::Overrun::kDrop);
    loop.ring = {ring_frames(48000, ms), longest_buffer_frames(48000, ms), 48000};
    const std::uint32_t buffer = 48 * ms;
    for (abi::Half* half : loop.halves()) half->buffer_frames.store(buffer);
    loop.consumer.start();
    loop.producer.begin(loop.now);
    loop.producer.publish(buffer);
    loop.look();
    loop.pass(ms * kMs);
    loop.producer.publish(buffer);
    INFO("buffers of " << ms << " ms");
    CHECK(loop.look().frames == buffer);
    CHECK_FALSE(loop.consumer.lapped(loop.ring));
  }
}
