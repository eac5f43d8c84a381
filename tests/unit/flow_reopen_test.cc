#include <catch2/catch.hpp>

#include "flow_rig.h"

using namespace ossloop;
using namespace ossloop::test;

TEST_CASE("a stream belongs to the consumer it was begun for") {
  Loop loop;
  loop.run();
  CHECK(loop.producer.consumer_kept());
  loop.close(abi::kServer);
  CHECK_FALSE(loop.producer.consumer_open());
  CHECK_FALSE(loop.producer.consumer_kept());
  CHECK_FALSE(loop.producer.consumer_running());
  loop.reopen(abi::kServer);
  loop.consumer.attach();
  CHECK(loop.producer.consumer_open());
  CHECK_FALSE(loop.producer.consumer_kept());
}

TEST_CASE("a new consumer hears nothing of an old stream, and all of the next one") {
  Loop loop;
  loop.run();
  loop.pass(10 * kMs);
  loop.record();
  loop.close(abi::kServer);
  loop.reopen(abi::kServer);
  loop.consumer.attach();
  loop.consumer.start();
  CHECK_FALSE(loop.look().streaming);
  // A player that goes on with the old stream plays to nobody.
  loop.play(100);
  loop.pass(kSecond);
  CHECK_FALSE(loop.look().streaming);
  loop.producer.end();
  CHECK_FALSE(loop.look().streaming);
  loop.begin(480);
  CHECK(loop.producer.consumer_kept());
  loop.record();
  loop.pass(10 * kMs);
  const View view = loop.record();
  CHECK(view.stream == 2);
  CHECK(view.frames == 480);
}

TEST_CASE("a new consumer's counters start at 0") {
  Loop loop;
  loop.run();
  loop.pass(10 * kSecond);
  loop.record();
  loop.pass(kSecond);
  loop.record();
  CHECK(loop.counters().silence_frames.load() > 0);
  CHECK(loop.counters().overruns.load() > 0);
  loop.consumer.attach();
  CHECK(loop.counters().silence_frames.load() == 0);
  CHECK(loop.counters().underruns.load() == 0);
  CHECK(loop.counters().overruns.load() == 0);
}
