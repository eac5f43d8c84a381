#include <catch2/catch.hpp>

#include "flow_rig.h"

using namespace ossloop;
using namespace ossloop::test;

TEST_CASE("clock=free: as fast as both go, bounded by both buffers, without silence") {
  Loop loop;
  loop.set(abi::ClockMode::kFree);
  loop.begin(kBuffer);
  CHECK(loop.play(1) == 0);  // nobody reads yet
  CHECK(loop.look().frames == 0);
  loop.consumer.start();
  CHECK(loop.play(kBuffer) == kBuffer);  // now the recorder's buffer counts too
  CHECK(loop.play(1) == 0);
  std::uint64_t heard = 0;
  for (int i = 0; i < 1000; ++i) {
    const View view = loop.record();
    REQUIRE(view.silence == 0);
    heard += view.frames;
    loop.play(kBuffer);
  }
  CHECK(heard + 2 * kBuffer >= 1000 * kBuffer);  // and not a nanosecond has passed
  loop.pass(3600 * kSecond);
  loop.record();
  CHECK(loop.look().silence == 0);
  CHECK(loop.counters().overruns.load() == 0);
}

TEST_CASE("clock=free: a recorder that has not chosen a buffer has all that the ring has for it") {
  Loop loop;
  loop.set(abi::ClockMode::kFree);
  loop.half(abi::kServer).fragment_chosen.store(0);
  loop.ring = {ring_frames(48000, 340), longest_buffer_frames(48000, 340), 48000};
  loop.consumer.start();
  loop.begin(kBuffer);
  while (loop.play(kBuffer) == kBuffer) {
  }
  CHECK(loop.play(1) == 0);
  CHECK(loop.producer.written() == 2 * loop.ring.longest_buffer_frames + kBuffer);
  // What a rate converter may give at once still has its place.
  CHECK(loop.producer.room(loop.ring, loop.now) >= 48000 / 4 + 4096);
  CHECK(loop.record().frames == loop.producer.written());
}

TEST_CASE("a clock that is no longer free goes on from where the programs are") {
  Loop loop;
  loop.set(abi::ClockMode::kFree);
  loop.run();
  for (int i = 0; i < 3600; ++i) {
    loop.play(kBuffer);
    loop.record();
  }
  loop.set(abi::ClockMode::kRealtime);
  CHECK(loop.play(kBuffer) == kBuffer);
  CHECK(loop.look().frames == 0);
  loop.pass(10 * kMs);
  CHECK(loop.look().frames == 480);
  loop.record();
  loop.set(abi::ClockMode::kFree);
  CHECK(loop.record().frames == kBuffer - 480);
}

TEST_CASE("clock=free: nothing is dropped, whatever the overrun policy") {
  Loop loop;
  loop.set(abi::ClockMode::kFree);
  loop.set(abi::Overrun::kDrop);
  loop.consumer.start();
  loop.begin(kBuffer);
  loop.pass(kSecond);
  loop.play(kBuffer);
  CHECK(loop.play(1) == 0);
  const View view = loop.record();
  CHECK(view.frames == 2 * kBuffer);
  CHECK(loop.counters().dropped_frames.load() == 0);
}

TEST_CASE("clock=free: the end comes at once after the last frame") {
  Loop loop;
  loop.set(abi::ClockMode::kFree);
  loop.consumer.start();
  loop.begin(1000);
  loop.producer.end();
  CHECK(loop.record().frames == 1000);
  loop.expect_end();
}

TEST_CASE("clock=free: a waiting side wants to hear of the other's position") {
  Loop loop;
  loop.set(abi::ClockMode::kFree);
  loop.consumer.start();
  loop.begin(100);
  const auto reader = loop.consumer.wait_for(480, 0, loop.look(), loop.ring, loop.now);
  CHECK(reader.wake_frame == 480);
  loop.play(2 * kBuffer);
  loop.play(2 * kBuffer);
  const auto writer = loop.producer.wait_for(loop.producer.written(), loop.ring, loop.now);
  CHECK(writer.wake_frame == loop.producer.written() - kBuffer);
}

TEST_CASE("clock=free: a waiting side first waits a moment for a batch, not for each block") {
  Loop loop;
  loop.set(abi::ClockMode::kFree);
  loop.consumer.start();
  loop.begin(100);
  CHECK(loop.consumer.wait_for(480, 0, loop.look(), loop.ring, loop.now).batch_frame ==
        kBuffer + kBuffer / 4 * 3);
  loop.play(2 * kBuffer);
  loop.play(2 * kBuffer);
  const auto writer = loop.producer.wait_for(loop.producer.written(), loop.ring, loop.now, 960);
  CHECK(writer.batch_frame == writer.wake_frame + 960 + kBuffer / 2);
  SECTION("but not when no more will come") {
    loop.record();
    loop.record();
    loop.begin(100);
    loop.producer.end();
    const auto reader = loop.consumer.wait_for(480, 0, loop.look(), loop.ring, loop.now);
    CHECK(reader.batch_frame == reader.wake_frame);
  }
}

TEST_CASE("clock=realtime: a side sleeps for what its call needs, not for a batch") {
  Loop loop;
  loop.run();
  const auto reader = loop.consumer.wait_for(480, 0, loop.look(), loop.ring, loop.now);
  CHECK(reader.batch_frame == reader.wake_frame);
  const auto writer = loop.producer.wait_for(loop.producer.written(), loop.ring, loop.now, 960);
  CHECK(writer.batch_frame == writer.wake_frame);
}
