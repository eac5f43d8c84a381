// Several clients hear one server: of one it waits, the others are taps.
#include "flow_rig.h"

using namespace ossloop;
using namespace ossloop::test;

namespace {

// A server that plays with the free clock to two clients, of which the first is waited for.
class Hall {
 public:
  explicit Hall(std::uint32_t buffer_ms = 340) {
    const std::uint64_t longest = longest_buffer_frames(48000, buffer_ms);
    ring = {ring_frames(48000, buffer_ms), longest, 48000, 4, 0, history_frames(48000, buffer_ms)};
    segment->policy.clock_mode.store(static_cast<std::uint32_t>(abi::ClockMode::kFree));
    segment->direction[abi::kServerToClient].server.place.store(abi::kForSeveral);
    open(direction().server);
    for (const std::uint32_t slot : {0, 1}) {
      come(slot);
      consumer(slot).start();
    }
    producer.arm(true, 0);
    producer.follow_reader();
    producer.begin(0);
  }

  abi::Direction& direction() { return segment->direction[abi::kServerToClient]; }
  ConsumerFlow& consumer(std::uint32_t slot) { return consumers[slot]; }
  View look(std::uint32_t slot) { return consumer(slot).look(ring, 0); }
  // As much as there is room for, at most.
  std::uint64_t play(std::uint64_t frames) {
    frames = std::min(frames, producer.room(ring, 0));
    producer.publish(frames);
    return frames;
  }
  void hear(std::uint32_t slot) { consumer(slot).take(look(slot).frames); }
  // All of it, by the one that is waited for.
  void play_to(std::uint32_t slot, std::uint64_t frames) {
    while (frames > 0) {
      const std::uint64_t some = play(std::min<std::uint64_t>(frames, 4000));
      REQUIRE(some > 0);
      frames -= some;
      hear(slot);
    }
  }
  void come(std::uint32_t slot) {
    direction().client[slot].opened_ns.store(++comers_);
    open(direction().client[slot]);
    consumer(slot).attach();
  }
  void stop(std::uint32_t slot) { direction().lane[slot].consumer.running.store(0); }
  void leave(std::uint32_t slot) {
    direction().client[slot].open.fetch_and(~std::uint64_t{1});
    stop(slot);
  }

  std::unique_ptr<abi::Segment> segment = std::make_unique<abi::Segment>();
  RingLimits ring;
  ProducerFlow producer{*segment, abi::kServerToClient};
  ConsumerFlow consumers[2] = {{*segment, abi::kServerToClient, 0},
                               {*segment, abi::kServerToClient, 1}};

 private:
  static void open(abi::Half& half) {
    half.open.store(((half.open.load() >> 1) + 1) << 1 | 1);
    half.format.store(pack({audio::afmt::kS16Le, 2, 48000}));
  }

  std::int64_t comers_ = 0;
};

}  // namespace

TEST_CASE("who is waited for only now keeps clear of what a killed writer may have begun") {
  Hall hall;
  const std::uint64_t far = hall.ring.capacity_frames - hall.ring.longest_buffer_frames / 2;
  hall.play_to(0, far);
  // Killed here, it would have told nobody of the next frames, and they lie over the second
  // client's oldest ones.
  hall.leave(0);
  REQUIRE(hall.producer.follow_reader());
  const View view = hall.look(1);
  CHECK(view.read + hall.ring.capacity_frames >= far + hall.ring.longest_buffer_frames);
  CHECK(view.read + view.frames == far);
}

TEST_CASE("who is waited for again has noticed that it was overtaken in between") {
  Hall hall;
  hall.play_to(0, 4000);
  hall.stop(0);
  REQUIRE(hall.producer.follow_reader());
  const std::uint64_t far = 3 * hall.ring.capacity_frames;
  hall.play_to(1, far);
  hall.consumer(0).start();
  hall.leave(1);
  REQUIRE(hall.producer.follow_reader());
  const View view = hall.look(0);
  CHECK(view.read + hall.ring.capacity_frames >= 4000 + far);
  CHECK(view.read + view.frames == 4000 + far);
}

TEST_CASE("who is as far as the reader before and waited for next loses nothing") {
  for (const std::uint32_t ms : {20U, 340U, 1000U, 5000U}) {
    INFO("buffers of " << ms << " ms");
    Hall hall(ms);
    hall.play_to(0, 4000);
    hall.hear(1);
    std::uint64_t more = 0;
    while (const std::uint64_t frames = hall.play(4000)) more += frames;
    REQUIRE(more > 3 * hall.ring.longest_buffer_frames);
    hall.leave(0);
    REQUIRE(hall.producer.follow_reader());
    const View view = hall.look(1);
    CHECK(view.read == 4000);
    CHECK(view.frames == more);
    CHECK_FALSE(hall.consumer(1).lapped(hall.ring));
  }
}

TEST_CASE("who is waited for and passes a mark has noticed that it was overtaken behind it") {
  Hall hall;
  hall.play_to(0, 4000);
  hall.hear(1);
  const RingLimits before = hall.ring;
  Section next{0, 0, {audio::afmt::kS16Le, 2, 48000}, 1 << 24, 1 << 22, 0};
  hall.producer.mark(next);
  hall.ring.ring_offset = next.ring_offset;
  hall.consumer(0).next_section();
  const std::uint64_t far = 3 * hall.ring.capacity_frames;
  hall.play_to(0, far);
  hall.leave(0);
  REQUIRE(hall.producer.follow_reader());
  const View last = hall.consumer(1).look(before, 0);
  REQUIRE(last.section_ends);
  REQUIRE(last.frames == 0);
  hall.consumer(1).next_section();
  const View view = hall.look(1);
  CHECK(view.read + hall.ring.capacity_frames >= 4000 + far);
  CHECK(view.read + view.frames == 4000 + far);
}

TEST_CASE("who came when nobody heard hears the stream that another has gone on with") {
  Hall hall;
  hall.play_to(0, 4000);
  hall.leave(0);
  hall.leave(1);
  hall.come(0);
  hall.come(1);
  hall.consumer(1).start();
  REQUIRE(hall.producer.follow_reader());
  hall.play(4000);
  hall.consumer(0).start();
  hall.play(480);
  CHECK(hall.look(1).frames == 4480);
  CHECK(hall.look(0).streaming);
  CHECK(hall.look(0).frames >= 480);
}

TEST_CASE("who was told of an earlier stream's end is waited for where nobody else hears") {
  Hall hall;
  hall.play_to(0, 4000);
  hall.stop(1);
  hall.leave(0);
  hall.come(0);
  REQUIRE(hall.producer.follow_reader());
  CHECK(hall.producer.consumer_kept());
  CHECK_FALSE(hall.producer.consumer_running());
  hall.consumer(0).start();
  REQUIRE(hall.producer.follow_reader());
  CHECK(hall.producer.consumer_running());
}

TEST_CASE("a server that comes after another tells whom it waits for") {
  Hall hall;
  hall.stop(0);
  REQUIRE(hall.producer.follow_reader());
  REQUIRE(hall.consumer(0).is_tap());
  hall.leave(1);
  hall.consumer(0).start();
  ProducerFlow next(*hall.segment, abi::kServerToClient);
  next.follow_reader();
  CHECK_FALSE(hall.consumer(0).is_tap());
  hall.come(1);
  hall.consumer(1).start();
  next.follow_reader();
  CHECK(hall.consumer(1).is_tap());
}

TEST_CASE("who has the place of one that has gone goes on with its stream") {
  Hall hall;
  hall.play_to(0, 4000);
  hall.leave(0);
  hall.leave(1);
  hall.come(0);
  hall.consumer(0).start();
  CHECK(hall.producer.follow_reader());
  CHECK(hall.producer.consumer_kept());
  hall.play(480);
  const View view = hall.look(0);
  CHECK(view.streaming);
  CHECK(view.read == 4000);
  CHECK(view.frames == 480);
}
