#include "stream/flow.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <memory>
#include <random>
#include <vector>

#include "stream/ring_size.h"

using namespace ossloop;
using namespace ossloop::device;
using View = ConsumerFlow::View;

namespace {

constexpr std::int64_t kMs = 1'000'000;
constexpr std::int64_t kSecond = 1000 * kMs;
constexpr std::uint32_t kBuffer = 4800;  // 100 ms at 48 kHz, in 10 fragments
constexpr std::uint64_t kSlack = 480;

// Both roles of the direction from client to server on a segment of their own,
// with time moved by hand: the client plays, the server records. Both have chosen their
// buffers.
class Loop {
 public:
  explicit Loop(int rate_hz = 48000) {
    ring.rate_hz = rate_hz;
    segment->policy.clock_factor_milli.store(1000);
    for (abi::Side& side : segment->side) {
      side.open.store(1 << 1 | 1);
      side.buffer_frames.store(kBuffer);
      side.fragments.store(10);
      side.fragment_chosen.store(1);
    }
    consumer.attach();
    producer.arm(true, 0);
  }

  abi::Policy& policy() { return segment->policy; }
  abi::Consumer& counters() { return segment->direction[abi::kClientToServer].consumer; }
  void set(abi::Eof eof) { policy().eof.store(static_cast<std::uint32_t>(eof)); }
  void set(abi::Underrun underrun) {
    policy().underrun.store(static_cast<std::uint32_t>(underrun));
  }
  void set(abi::Overrun overrun) { policy().overrun.store(static_cast<std::uint32_t>(overrun)); }
  void set(abi::ClockMode mode) { policy().clock_mode.store(static_cast<std::uint32_t>(mode)); }

  void pass(std::int64_t ns) { now += ns; }
  View look() { return consumer.look(ring, now); }
  std::uint64_t played() { return producer.played(ring, now); }
  std::uint64_t queued() { return producer.written() - played(); }

  // Plays up to `frames`, as far as the player's buffer has room.
  std::uint64_t play(std::uint64_t frames) {
    const std::uint64_t queue = queued();
    REQUIRE(queue <= ring.capacity_frames);
    frames = std::min(
        {frames, kBuffer - std::min<std::uint64_t>(queue, kBuffer), producer.room(ring, now)});
    producer.publish(frames);
    return frames;
  }
  // A stream that has just begun, with `frames` in it.
  void begin(std::uint64_t frames) {
    REQUIRE(producer.may_begin());
    producer.begin(now);
    REQUIRE(play(frames) == frames);
  }
  // Records what is due, sound before silence.
  View record(std::uint64_t most = ~std::uint64_t{0}) {
    const View view = look();
    const std::uint64_t sound = std::min(most, view.frames);
    consumer.take(sound);
    consumer.take_silence(std::min(most - sound, view.silence));
    return view;
  }
  // The end as a reader hears of it, after all frames.
  void expect_end() {
    const View view = look();
    REQUIRE(view.end);
    REQUIRE(view.frames == 0);
    REQUIRE(view.silence == 0);
    consumer.acknowledge_end(view);
  }
  // A server that reads, and a client whose full buffer it hears.
  void run() {
    consumer.start();
    begin(kBuffer);
    record();
  }
  void close(abi::SideIndex side) { segment->side[side].open.fetch_and(~std::uint64_t{1}); }
  void reopen(abi::SideIndex side) {
    auto& open = segment->side[side].open;
    open.store((open.load() >> 1) + 1 << 1 | 1);
  }

  std::unique_ptr<abi::Segment> segment = std::make_unique<abi::Segment>();
  RingLimits ring{57408, 20656, 48000};
  ProducerFlow producer{*segment, abi::kClientToServer};
  ConsumerFlow consumer{*segment, abi::kClientToServer};
  std::int64_t now = 1'000 * kSecond;
};

}  // namespace

// --- the beginning ------------------------------------------------------------

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

// --- pace ---------------------------------------------------------------------

TEST_CASE("sound comes at its rate, whatever the rate and however often one looks") {
  for (const int rate : {5000, 11025, 44100, 48000, 192000}) {
    for (const std::int64_t step : {1 * kMs, 7 * kMs, 20 * kMs}) {
      Loop loop(rate);
      loop.ring.capacity_frames = 400000;
      loop.ring.longest_buffer_frames = 100000;
      for (abi::Side& side : loop.segment->side) {
        side.buffer_frames.store(static_cast<std::uint32_t>(rate / 10));
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
  const abi::ClockStats& clock_stats = loop.segment->clock_stats[abi::kClientToServer];
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

// --- overrun ------------------------------------------------------------------

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
    for (abi::Side& side : loop.segment->side) side.buffer_frames.store(buffer);
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

// --- underrun -----------------------------------------------------------------

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

// --- halt and trigger -----------------------------------------------------------

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
  CHECK(loop.segment->direction[0].producer.skips.load() == 0);
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

// --- the end ------------------------------------------------------------------

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

// --- consumers come and go ------------------------------------------------------

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

// --- clock=free -----------------------------------------------------------------

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
  loop.segment->side[abi::kServer].fragment_chosen.store(0);
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

TEST_CASE("clock=free: a waiting side first waits a moment for plenty, not for each block") {
  Loop loop;
  loop.set(abi::ClockMode::kFree);
  loop.consumer.start();
  loop.begin(100);
  CHECK(loop.consumer.wait_for(480, 0, loop.look(), loop.ring, loop.now).plenty_frame ==
        kBuffer + kBuffer / 4 * 3);
  loop.play(2 * kBuffer);
  loop.play(2 * kBuffer);
  const auto writer = loop.producer.wait_for(loop.producer.written(), loop.ring, loop.now, 960);
  CHECK(writer.plenty_frame == writer.wake_frame + 960);
  SECTION("but not when no more will come") {
    loop.record();
    loop.record();
    loop.begin(100);
    loop.producer.end();
    const auto reader = loop.consumer.wait_for(480, 0, loop.look(), loop.ring, loop.now);
    CHECK(reader.plenty_frame == reader.wake_frame);
  }
}

TEST_CASE("clock=realtime: a side sleeps for what its call needs, not for plenty") {
  Loop loop;
  loop.run();
  const auto reader = loop.consumer.wait_for(480, 0, loop.look(), loop.ring, loop.now);
  CHECK(reader.plenty_frame == reader.wake_frame);
  const auto writer = loop.producer.wait_for(loop.producer.written(), loop.ring, loop.now, 960);
  CHECK(writer.plenty_frame == writer.wake_frame);
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

// --- garbage --------------------------------------------------------------------

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
          auto* words = reinterpret_cast<std::uint64_t*>(&loop.segment->direction[direction]);
          words[garbage.pick(sizeof(abi::Direction) / 8)] = garbage.word();
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
    garbage.fill(&loop.segment->direction[0].consumer, sizeof(abi::Consumer));
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
    garbage.fill(loop.segment->direction, sizeof loop.segment->direction);
    // Counters just before their wrap have a test of their own.
    loop.segment->direction[0].producer.stream.fetch_and(~(std::uint64_t{1} << 62));
    loop.segment->direction[0].producer.written.fetch_and(~(std::uint64_t{1} << 62));
    check_next_stream(loop);
  }
}

TEST_CASE("counters that garbage left at the end of their range do not end the instance") {
  for (const std::uint64_t edge : {~0ULL, ~1ULL, ~500ULL, ~0ULL >> 1, 1ULL << 63}) {
    INFO("at " << edge);
    Loop stream;
    stream.segment->direction[0].producer.stream.store(edge);
    check_next_stream(stream);
    Loop position;
    position.segment->direction[0].producer.written.store(edge);
    check_next_stream(position);
    Loop ends;
    ends.segment->direction[0].producer.ends.store(edge);
    check_next_stream(ends);
  }
}
