#include <catch2/catch.hpp>
#include <cstring>
#include <random>

#include "flow_rig.h"

using namespace ossloop;
using namespace ossloop::test;

namespace {

// Words as a hostile or broken peer writes them: any, and the edges.
class Garbage {
 public:
  explicit Garbage(std::uint64_t seed) : random_(seed) {}

  std::uint64_t word() {
    constexpr std::uint64_t kTop = std::uint64_t{1} << 63;
    constexpr std::uint64_t kEdges[] = {
        0,        1,     2,     17,         kTop - 1,      kTop,
        kTop + 1, ~0ULL, ~1ULL, 1ULL << 32, 0xffffffffULL, 0x7fffffff80000000ULL};
    switch (random_() % 4) {
      case 0:
        return kEdges[random_() % std::size(kEdges)];
      case 1:
        return kEdges[random_() % std::size(kEdges)] + random_() % 200000 - 100000;
      default:
        return random_();
    }
  }
  void fill(void* memory, std::size_t bytes) {
    for (std::size_t at = 0; at + 8 <= bytes; at += 8) {
      const std::uint64_t value = word();
      std::memcpy(static_cast<char*>(memory) + at, &value, 8);
    }
  }
  std::uint64_t pick(std::uint64_t below) { return random_() % below; }

 private:
  std::mt19937_64 random_;
};

void check_wait(const ProducerFlow::Wait& wait, std::int64_t now) {
  REQUIRE(wait.deadline_ns > now);
  REQUIRE(wait.deadline_ns <= now + kSecond);
}

void check_view(const View& view, const RingLimits& ring) {
  REQUIRE(view.frames <= ring.capacity_frames);
  REQUIRE(view.silence <= ring.capacity_frames);
}

void check_producer(const ProducerFlow& producer, const RingLimits& ring, std::int64_t now) {
  const std::uint64_t queued = producer.written() - producer.played(ring, now);
  REQUIRE(queued <= ring.capacity_frames);
  REQUIRE(producer.written() - producer.read(ring) <= ring.capacity_frames);
  REQUIRE(producer.room(ring, now) <= ring.capacity_frames);
}

}  // namespace

TEST_CASE("garbage in every field stays inside the ring, for both roles") {
  for (std::uint64_t seed = 0; seed < 20000; ++seed) {
    INFO("seed " << seed);
    Loop loop;
    Garbage garbage(seed);
    garbage.fill(loop.segment.get(), sizeof(abi::Segment));
    if (seed % 3 == 0) {  // a policy as it should be lets more of it through
      loop.set(static_cast<abi::Eof>(garbage.pick(4)));
      loop.set(static_cast<abi::Overrun>(garbage.pick(2)));
      loop.set(static_cast<abi::ClockMode>(garbage.pick(2)));
      loop.set(static_cast<abi::Underrun>(garbage.pick(2)));
    }
    const auto direction = static_cast<abi::DirectionIndex>(garbage.pick(2));
    ProducerFlow producer(*loop.segment, direction);
    ConsumerFlow consumer(*loop.segment, direction);
    for (int step = 0; step < 12; ++step) {
      loop.pass(static_cast<std::int64_t>(garbage.pick(50 * kMs)));
      switch (garbage.pick(11)) {
        case 0:
          producer.begin(loop.now);
          break;
        case 1:
          producer.end();
          break;
        case 2:
          producer.drop(loop.ring, loop.now);
          break;
        case 3:
          producer.arm(garbage.pick(2) != 0, garbage.pick(1000));
          break;
        case 4: {
          const std::uint64_t room = producer.room(loop.ring, loop.now);
          producer.publish(garbage.pick(room + 1));
          break;
        }
        case 5:
          consumer.start();
          break;
        case 6:
          consumer.stop(loop.ring, loop.now);
          break;
        case 7:
          consumer.attach();
          break;
        case 8: {  // and again, in the middle of it
          abi::Direction& spoilt = loop.segment->direction[direction];
          const bool half = garbage.pick(4) == 0;
          auto* words = half ? reinterpret_cast<std::uint64_t*>(&spoilt)
                             : reinterpret_cast<std::uint64_t*>(&spoilt.lane[0]);
          words[garbage.pick((half ? sizeof spoilt : sizeof spoilt.lane[0]) / 8)] = garbage.word();
          break;
        }
        default:
          break;
      }
      check_producer(producer, loop.ring, loop.now);
      check_wait(producer.wait_for(garbage.word(), loop.ring, loop.now), loop.now);
      const View view = consumer.look(loop.ring, loop.now);
      check_view(view, loop.ring);
      check_wait(
          consumer.wait_for(garbage.pick(100000), garbage.pick(100000), view, loop.ring, loop.now),
          loop.now);
      consumer.take(garbage.pick(view.frames + 1));
      consumer.take_silence(garbage.pick(view.silence + 1));
      if (view.end) consumer.acknowledge_end(view);
    }
  }
}

TEST_CASE("a consumer that writes garbage spoils only its own stream") {
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    INFO("seed " << seed);
    Loop loop;
    Garbage garbage(seed);
    loop.run();
    garbage.fill(&loop.segment->direction[0].lane[0].consumer, sizeof(abi::Consumer));
    check_producer(loop.producer, loop.ring, loop.now);
    loop.close(abi::kServer);
    CHECK_FALSE(loop.producer.consumer_kept());
    loop.producer.end();
    // The next consumer's stream is as good as any.
    loop.reopen(abi::kServer);
    loop.consumer.attach();
    REQUIRE(loop.producer.may_begin());
    loop.consumer.start();
    loop.begin(960);
    REQUIRE(loop.record().frames == 0);
    loop.pass(10 * kMs);
    REQUIRE(loop.record().frames == 480);
    REQUIRE(loop.played() == loop.producer.written() - 480);
  }
}

namespace {

// Both sides opened anew on what is there, and a stream between them.
void check_next_stream(Loop& loop) {
  // What an open does: a stream left open is ended, a consumer starts at the newest.
  loop.producer.end();
  loop.producer.arm(true, 0);
  loop.consumer.attach();
  REQUIRE(loop.producer.may_begin());
  loop.consumer.start();
  loop.begin(960);
  REQUIRE(loop.producer.streaming());
  REQUIRE(loop.record().streaming);
  loop.pass(10 * kMs);
  REQUIRE(loop.record().frames == 480);
  loop.producer.end();
  loop.pass(10 * kMs);
  REQUIRE(loop.record().frames == 480);
  loop.expect_end();
}

}  // namespace

TEST_CASE("after garbage everywhere the next open of both sides has a stream as good as any") {
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    INFO("seed " << seed);
    Loop loop;
    Garbage garbage(seed);
    for (abi::Direction& direction : loop.segment->direction) {
      garbage.fill(direction.lane, sizeof direction.lane);
    }
    // Counters just before their wrap have a test of their own.
    loop.segment->direction[0].lane[0].producer.stream.fetch_and(~(std::uint64_t{1} << 62));
    loop.segment->direction[0].lane[0].producer.written.fetch_and(~(std::uint64_t{1} << 62));
    check_next_stream(loop);
  }
}

TEST_CASE("counters that garbage left at the end of their range do not end the instance") {
  for (const std::uint64_t edge : {~0ULL, ~1ULL, ~500ULL, ~0ULL >> 1, 1ULL << 63}) {
    INFO("at " << edge);
    Loop stream;
    stream.segment->direction[0].lane[0].producer.stream.store(edge);
    check_next_stream(stream);
    Loop position;
    position.segment->direction[0].lane[0].producer.written.store(edge);
    check_next_stream(position);
    Loop ends;
    ends.segment->direction[0].lane[0].producer.ends.store(edge);
    check_next_stream(ends);
  }
}
