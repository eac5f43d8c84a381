#include <catch2/catch.hpp>
#include <random>
#include <vector>

#include "flow_rig.h"

using namespace ossloop;
using namespace ossloop::test;

TEST_CASE("every frame is delivered before the end, at its time") {
  Loop loop;
  loop.consumer.start();
  loop.begin(1000);
  loop.producer.end();
  View view = loop.record();
  CHECK(view.closing);
  CHECK_FALSE(view.end);
  loop.pass(10 * kMs);
  CHECK(loop.record().frames == 480);
  loop.pass(100 * kMs);
  view = loop.record();
  CHECK(view.frames == 520);
  CHECK(view.silence == 0);
  loop.expect_end();
  CHECK_FALSE(loop.look().streaming);
  CHECK(loop.counters().underruns.load() == 0);
}

TEST_CASE("a producer that died without a word ends its stream the same way, once") {
  Loop loop;
  loop.run();
  loop.close(abi::kClient);
  loop.pass(kSecond);
  const View view = loop.record();
  CHECK(view.frames == kBuffer);
  CHECK(view.closing);
  loop.expect_end();
  CHECK_FALSE(loop.look().streaming);
  // The next player finds the stream open, and ends it; nobody hears of it again.
  loop.producer.end();
  loop.reopen(abi::kClient);
  CHECK_FALSE(loop.look().streaming);
  loop.consumer.start();
  loop.begin(480);
  loop.record();
  loop.pass(10 * kMs);
  const View next = loop.record();
  CHECK(next.stream == 2);
  CHECK(next.frames == 480);
  CHECK_FALSE(next.closing);
}

TEST_CASE("the next player's stream follows the tail of the last one") {
  for (const bool died : {false, true}) {
    Loop loop;
    loop.consumer.start();
    loop.begin(3000);
    if (!died) loop.producer.end();
    loop.close(abi::kClient);
    loop.producer.end();
    loop.reopen(abi::kClient);
    loop.producer.begin(loop.now);
    loop.producer.publish(2000);
    CHECK(loop.played() == 0);
    loop.record();
    loop.pass(kSecond);
    CHECK(loop.played() <= 3000);  // its own frames wait for the tail
    View view = loop.record();
    CHECK(view.stream == 1);
    CHECK(view.frames == 3000);
    CHECK(view.silence == 0);
    loop.expect_end();
    CHECK(loop.played() == 3000);
    loop.consumer.start();
    view = loop.record();
    CHECK(view.stream == 2);
    CHECK(view.frames == 0);
    loop.pass(kSecond);
    view = loop.record();
    CHECK(view.frames == 2000);
    CHECK(view.silence > 0);  // this one goes on
  }
}

TEST_CASE(
    "sixteen short streams queue up, each with its frames and its end, and a seventeenth waits") {
  Loop loop;
  for (std::uint64_t i = 0; i < abi::kEnds; ++i) {
    REQUIRE(loop.producer.may_begin());
    loop.producer.begin(loop.now);
    loop.producer.publish(10 + i);
    loop.producer.end();
  }
  CHECK_FALSE(loop.producer.may_begin());
  std::uint64_t position = 0;
  for (std::uint64_t i = 0; i < abi::kEnds; ++i) {
    loop.consumer.start();
    loop.record();
    loop.pass(10 * kMs);
    const View view = loop.record();
    CHECK(view.stream == i + 1);
    CHECK(view.read == position);
    CHECK(view.frames == 10 + i);
    position += view.frames;
    loop.expect_end();
    CHECK(loop.producer.may_begin());
  }
  CHECK_FALSE(loop.look().streaming);
  CHECK(position == loop.producer.written());
}

TEST_CASE("hundreds of streams, some empty, keep their frames and their ends apart") {
  Loop loop;
  std::mt19937 random(7);
  std::vector<std::uint64_t> lengths;
  std::uint64_t heard = 0;
  std::uint64_t ends = 0;
  while (ends < 400) {
    while (loop.producer.may_begin() && random() % 4 != 0) {
      const std::uint64_t frames = random() % 3 == 0 ? 0 : random() % 300;
      loop.producer.begin(loop.now);
      loop.producer.publish(frames);
      loop.producer.end();
      lengths.push_back(frames);
    }
    loop.consumer.start();
    loop.pass(2 * kMs);
    const View view = loop.record();
    heard += view.frames;
    const View after = loop.look();
    if (!after.end) continue;
    REQUIRE(after.stream == ends + 1);
    REQUIRE(heard == lengths[ends]);
    loop.consumer.acknowledge_end(after);
    heard = 0;
    ++ends;
  }
}

TEST_CASE("eof=reset and eof=eof stop the recorder until it reads again") {
  for (const abi::Eof eof : {abi::Eof::kReset, abi::Eof::kEof}) {
    Loop loop;
    loop.set(eof);
    loop.run();
    loop.producer.end();
    loop.pass(kSecond);
    loop.record();
    loop.expect_end();
    CHECK_FALSE(loop.consumer.running());
    CHECK(loop.consumer.at_end() == (eof == abi::Eof::kEof));
    loop.begin(480);
    loop.look();
    CHECK_FALSE(loop.consumer.at_end());
    loop.consumer.start();
    loop.record();
    loop.pass(10 * kMs);
    CHECK(loop.look().frames == 480);
  }
}

TEST_CASE("eof=wait: the next stream follows without a sign, from when it comes") {
  Loop loop;
  loop.set(abi::Eof::kWait);
  loop.run();
  loop.producer.end();
  loop.pass(kSecond);
  loop.record();
  loop.expect_end();
  CHECK(loop.consumer.running());
  CHECK_FALSE(loop.look().streaming);
  loop.pass(60 * kSecond);
  loop.begin(480);
  CHECK(loop.record().frames == 0);
  loop.pass(10 * kMs);
  const View view = loop.look();
  CHECK(view.frames == 480);
  CHECK(view.silence == 0);
}

TEST_CASE("eof=silence: the microphone never ends, and the next stream is heard in it") {
  Loop loop;
  loop.set(abi::Eof::kSilence);
  loop.run();
  loop.producer.end();
  loop.pass(100 * kMs);
  loop.record();
  loop.consumer.acknowledge_end(loop.look());
  for (int i = 0; i < 100; ++i) {
    loop.pass(10 * kMs);
    const View view = loop.record();
    REQUIRE(view.streaming);
    REQUIRE_FALSE(view.end);
    REQUIRE(view.frames == 0);
    REQUIRE(view.silence == 480);
  }
  loop.begin(480);
  CHECK(loop.record().frames == 0);
  loop.pass(10 * kMs);
  CHECK(loop.record().frames == 480);
  CHECK(loop.played() == loop.producer.written());
}

TEST_CASE("eof=silence: what is not fetched while nobody plays does not pile up") {
  Loop loop;
  loop.set(abi::Eof::kSilence);
  loop.run();
  loop.producer.end();
  loop.pass(100 * kMs);
  loop.record();
  loop.consumer.acknowledge_end(loop.look());
  loop.pass(3600 * kSecond);
  CHECK(loop.record().silence == kBuffer);
  CHECK(loop.record().silence == 0);
}
