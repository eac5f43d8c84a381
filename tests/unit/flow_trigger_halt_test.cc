#include <catch2/catch.hpp>

#include "flow_rig.h"

using namespace ossloop;
using namespace ossloop::test;

TEST_CASE("halt drops what is queued, and the stream goes on in time") {
  Loop loop;
  loop.run();
  loop.pass(10 * kMs);
  loop.producer.drop(loop.ring, loop.now);
  CHECK(loop.queued() == 0);
  // What was played before the halt comes first.
  CHECK(loop.record().frames == 480);
  CHECK(loop.record().frames == 0);
  CHECK(loop.play(960) == 960);
  loop.pass(10 * kMs);
  const View view = loop.look();
  CHECK(view.read == kBuffer);
  CHECK(view.frames == 480);
  CHECK(view.stream == 1);
  CHECK_FALSE(view.closing);
}

TEST_CASE("two halts before the recorder looks drop both") {
  Loop loop;
  loop.run();
  loop.pass(10 * kMs);
  loop.producer.drop(loop.ring, loop.now);
  CHECK(loop.play(1000) == 1000);
  loop.producer.drop(loop.ring, loop.now);
  CHECK(loop.queued() == 0);
  CHECK(loop.record().frames == 480);
  loop.play(480);
  loop.record();
  loop.pass(10 * kMs);
  const View view = loop.look();
  CHECK(view.read == kBuffer + 1000);
  CHECK(view.frames == 480);
}

TEST_CASE("a halt before anybody recorded drops everything") {
  Loop loop;
  loop.begin(kBuffer);
  loop.producer.drop(loop.ring, loop.now);
  CHECK(loop.queued() == 0);
  CHECK(loop.play(480) == 480);
  loop.consumer.start();
  loop.record();
  loop.pass(10 * kMs);
  const View view = loop.record();
  CHECK(view.read == kBuffer);
  CHECK(view.frames == 480);
}

TEST_CASE("a halt of everything played drops nothing") {
  Loop loop;
  loop.run();
  loop.pass(100 * kMs);
  loop.producer.drop(loop.ring, loop.now);
  CHECK(loop.record().frames == kBuffer);
  CHECK(loop.segment->direction[0].lane[0].producer.skips.load() == 0);
}

TEST_CASE("a halt and a close: only what was played is delivered, then the end") {
  Loop loop;
  loop.run();
  loop.pass(10 * kMs);
  loop.producer.drop(loop.ring, loop.now);
  loop.producer.end();
  View view = loop.record();
  CHECK(view.frames == 480);
  CHECK_FALSE(view.end);
  loop.expect_end();
}

TEST_CASE("a halt in the middle of a stream that has ended is not its end") {
  Loop loop;
  loop.run();
  loop.pass(10 * kMs);
  loop.producer.drop(loop.ring, loop.now);
  REQUIRE(loop.play(960) == 960);
  loop.producer.end();
  const View before = loop.record();
  CHECK(before.frames == 480);
  CHECK_FALSE(before.closing);
  loop.record();
  loop.pass(20 * kMs);
  const View after = loop.record();
  CHECK(after.read == kBuffer);
  CHECK(after.frames == 960);
  CHECK(after.closing);
  loop.expect_end();
}

TEST_CASE("a recorder that halts hears nothing of what was queued until then") {
  Loop loop;
  loop.run();
  loop.pass(20 * kMs);
  loop.consumer.stop(loop.ring, loop.now);
  CHECK_FALSE(loop.consumer.running());
  loop.pass(kSecond);
  CHECK(loop.look().frames == 0);
  CHECK(loop.played() == 960);
  loop.consumer.start();
  loop.look();
  loop.pass(10 * kMs);
  const View view = loop.look();
  CHECK(view.read == 960);
  CHECK(view.frames == 480);
}

TEST_CASE("frames written without a trigger wait for it") {
  Loop loop;
  loop.producer.arm(false, 0);
  loop.consumer.start();
  loop.begin(960);
  CHECK(loop.look().streaming);
  loop.pass(kSecond);
  CHECK(loop.look().frames == 0);
  CHECK(loop.look().silence == 0);
  loop.producer.arm(true, 0);
  CHECK(loop.look().frames == 0);  // the sound begins with the trigger
  loop.pass(10 * kMs);
  CHECK(loop.look().frames == 480);
}

TEST_CASE("sound that waited for its trigger counts from that moment, whenever it is noticed") {
  Loop loop;
  loop.producer.arm(false, 0);
  loop.consumer.start();
  loop.begin(960);
  loop.look();
  loop.pass(kSecond);
  loop.producer.arm(true, loop.now);
  loop.pass(7 * kMs);
  CHECK(loop.look().frames == 7 * 48);
}

TEST_CASE("a consumer that comes after the trigger begins with the sound's first frame") {
  Loop loop;
  loop.producer.arm(false, 0);
  loop.begin(960);
  loop.producer.arm(true, loop.now);
  loop.pass(kSecond);
  loop.consumer.start();
  CHECK(loop.look().frames == 0);
  loop.pass(10 * kMs);
  const View view = loop.look();
  CHECK(view.frames == 480);
  CHECK(loop.counters().overruns.load() == 0);
}

TEST_CASE("recorders that start together count from that moment, if sound comes at once") {
  for (const std::int64_t late : {7 * kMs, 200 * kMs}) {
    Loop loop;
    loop.consumer.start_together(loop.now);
    loop.look();
    loop.pass(late);
    loop.begin(4800);
    loop.pass(10 * kMs);  // nobody looks before
    CHECK(loop.look().frames == (late == 7 * kMs ? 17 * 48 : 0));
  }
}

TEST_CASE("a trigger taken away holds what is written from then on") {
  Loop loop;
  loop.consumer.start();
  loop.begin(480);
  loop.record();
  loop.producer.arm(false, 0);
  loop.play(480);
  loop.pass(20 * kMs);
  CHECK(loop.record().frames == 480);
  loop.producer.arm(true, 0);
  loop.pass(20 * kMs);
  CHECK(loop.record().frames == 480);
}

TEST_CASE("a close without a trigger delivers what was accepted") {
  Loop loop;
  loop.producer.arm(false, 0);
  loop.consumer.start();
  loop.begin(480);
  loop.producer.end();
  loop.record();
  loop.pass(10 * kMs);
  CHECK(loop.record().frames == 480);
  loop.expect_end();
}

TEST_CASE("a halt drops its own stream's sound, not what an earlier one left") {
  Loop loop;
  loop.set(abi::ClockMode::kFree);
  loop.begin(100);
  loop.producer.end();
  loop.begin(200);
  loop.producer.drop(loop.ring, loop.now);
  loop.play(50);
  loop.consumer.start();
  CHECK(loop.record().frames == 100);
  loop.expect_end();
  loop.consumer.start();
  CHECK(loop.record().frames == 50);
  loop.producer.end();
  loop.expect_end();
}
