#include <catch2/catch.hpp>

#include "flow_rig.h"

using namespace ossloop;
using namespace ossloop::test;

TEST_CASE("server first: nothing runs until the client starts, and no silence comes before it") {
  Loop loop;
  loop.consumer.start();
  CHECK_FALSE(loop.look().streaming);
  loop.pass(3600 * kSecond);
  CHECK_FALSE(loop.look().streaming);
  loop.begin(480);
  const View first = loop.record();
  CHECK(first.streaming);
  CHECK(first.stream == 1);
  CHECK(first.frames == 0);
  CHECK(first.silence == 0);
  loop.pass(10 * kMs);
  const View view = loop.look();
  CHECK(view.frames == 480);
  CHECK(view.silence == 0);
}

TEST_CASE("client first: its buffer fills, and nothing of it is played before the server reads") {
  Loop loop;
  loop.begin(kBuffer);
  CHECK(loop.play(1) == 0);
  loop.pass(5 * kSecond);
  CHECK(loop.play(1) == 0);
  CHECK(loop.look().frames == 0);
  CHECK(loop.played() == 0);
  loop.consumer.start();
  CHECK(loop.look().frames == 0);  // the stream begins now, not when the client came
  loop.pass(10 * kMs);
  CHECK(loop.look().frames == 480);
  CHECK(loop.play(1000) == 480);
}

TEST_CASE("a stream without a frame starts no clock") {
  Loop loop;
  loop.consumer.start();
  loop.producer.begin(loop.now);
  CHECK(loop.look().streaming);
  loop.pass(kSecond);
  CHECK(loop.look().silence == 0);
  loop.play(480);
  loop.look();
  loop.pass(5 * kMs);
  CHECK(loop.look().frames == 240);
  CHECK(loop.look().silence == 0);
}
