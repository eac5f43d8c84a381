// What the tests of a direction's positions and clock share.
#pragma once

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <memory>

#include "stream/flow.h"
#include "stream/format_word.h"
#include "stream/ring_size.h"

namespace ossloop::test {

using namespace ossloop::device;
using View = ConsumerFlow::View;

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
    for (abi::Half* half : halves()) {
      half->open.store(1 << 1 | 1);
      half->format.store(pack({audio::afmt::kS16Le, 2, rate_hz}));
      half->buffer_frames.store(kBuffer);
      half->fragments.store(10);
      half->fragment_chosen.store(1);
    }
    consumer.attach();
    producer.arm(true, 0);
  }

  // The player's and the recorder's.
  std::array<abi::Half*, 2> halves() { return {&half(abi::kClient), &half(abi::kServer)}; }
  abi::Half& half(abi::SideIndex side) {
    return half_of(segment->direction[abi::kClientToServer], side, 0);
  }
  abi::Policy& policy() { return segment->policy; }
  abi::Consumer& counters() { return segment->direction[abi::kClientToServer].lane[0].consumer; }
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
  void close(abi::SideIndex side) { half(side).open.fetch_and(~std::uint64_t{1}); }
  void reopen(abi::SideIndex side) {
    auto& open = half(side).open;
    open.store((open.load() >> 1) + 1 << 1 | 1);
  }

  std::unique_ptr<abi::Segment> segment = std::make_unique<abi::Segment>();
  RingLimits ring{57408, 20656, 48000};
  ProducerFlow producer{*segment, abi::kClientToServer};
  ConsumerFlow consumer{*segment, abi::kClientToServer};
  std::int64_t now = 1'000 * kSecond;
};

}  // namespace ossloop::test
