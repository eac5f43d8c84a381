// How a call waits, alone: what it announces, and when it tries to wait awake or for a batch.
#include "device/blocking_wait.h"

#include <catch2/catch.hpp>
#include <memory>

#include "shm/wakeup.h"

using namespace ossloop;
using device::AdaptiveSpin;
using device::BlockingWait;

namespace {

struct Waiting {
  BlockingWait call() { return BlockingWait(*half, experience); }
  std::uint64_t announced() const { return half->wake_frame.load(); }
  std::uint64_t sleepers() const { return half->waiting.load() & 0xffffffff; }

  std::unique_ptr<abi::Half> half = std::make_unique<abi::Half>();
  BlockingWait::Experience experience;
};

constexpr BlockingWait::Wait kForAFrame{
    .deadline_ns = 1'000'000'000, .wake_frame = 100, .batch_frame = 100};
constexpr BlockingWait::Wait kForABatch{
    .deadline_ns = 1'000'000'000, .wake_frame = 100, .batch_frame = 900};

}  // namespace

TEST_CASE("a spin ends when what it waits for is there") {
  AdaptiveSpin spin;
  int asked = 0;
  CHECK(spin.wait([&] { return ++asked == 3; }));
  CHECK(asked == 3);
}

TEST_CASE("a spin in vain is not tried again for a while, and then for longer") {
  AdaptiveSpin spin;
  int asked = 0;
  const auto never = [&] { return ++asked == 0; };
  for (const int off : {32, 64, 128, 256, 512, 1024, 1024}) {
    asked = 0;
    CHECK_FALSE(spin.wait(never));
    CHECK(asked == AdaptiveSpin::kSpins);
    for (int i = 0; i < off; ++i) CHECK_FALSE(spin.wait(never));
    CHECK(asked == AdaptiveSpin::kSpins);
  }
}

TEST_CASE("a spin that helps makes the next one in vain cost little") {
  AdaptiveSpin spin;
  int asked = 0;
  const auto never = [&] { return ++asked == 0; };
  for (int i = 0; i < 1 + 32 + 1 + 64; ++i) spin.wait(never);
  CHECK(spin.wait([] { return true; }));
  asked = 0;
  for (int i = 0; i < 1 + 32; ++i) spin.wait(never);
  CHECK(asked == AdaptiveSpin::kSpins);
}

TEST_CASE("a call announces what it needs, and looks once more before it sleeps") {
  Waiting waiting;
  {
    BlockingWait call = waiting.call();
    CHECK_FALSE(call.spin(kForAFrame, [] { return std::uint64_t{0}; }));
    CHECK(call.announce(kForAFrame));
    CHECK(waiting.sleepers() == 1);
    CHECK(waiting.announced() == 100);
    CHECK_FALSE(call.announce(kForAFrame));
    CHECK(call.deadline_ns(kForAFrame, 0) == kForAFrame.deadline_ns);
  }
  CHECK(waiting.sleepers() == 0);
}

TEST_CASE("a later look that needs less announces that") {
  Waiting waiting;
  BlockingWait call = waiting.call();
  CHECK(call.announce(kForAFrame));
  BlockingWait::Wait sooner = kForAFrame;
  sooner.wake_frame = sooner.batch_frame = 50;
  CHECK(call.announce(sooner));
  CHECK(waiting.announced() == 50);
  CHECK(waiting.sleepers() == 1);
  CHECK_FALSE(call.announce(kForAFrame));
}

TEST_CASE("a batch is waited for once, and for a moment") {
  Waiting waiting;
  BlockingWait call = waiting.call();
  CHECK(call.announce(kForABatch));
  CHECK(waiting.announced() == 900);
  CHECK(call.deadline_ns(kForABatch, 0) == BlockingWait::kBatchNs);
  call.woke(900);
  CHECK(waiting.sleepers() == 0);
  CHECK(call.announce(kForABatch));
  CHECK(waiting.announced() == 100);
  call.woke(900);
  call.moved();
  CHECK(call.announce(kForABatch));
  CHECK(waiting.announced() == 900);
}

TEST_CASE("a peer that brings no batch is not waited for so in the next waits") {
  Waiting waiting;
  {
    BlockingWait call = waiting.call();
    CHECK(call.announce(kForABatch));
    call.woke(899);
  }
  for (int i = 0; i < BlockingWait::kBatchesOff; ++i) {
    BlockingWait call = waiting.call();
    CHECK(call.announce(kForABatch));
    CHECK(waiting.announced() == 100);
  }
  BlockingWait call = waiting.call();
  CHECK(call.announce(kForABatch));
  CHECK(waiting.announced() == 900);
}

TEST_CASE("where a batch may come a call waits awake first, for a quarter of it") {
  Waiting waiting;
  BlockingWait call = waiting.call();
  CHECK(call.spin(kForABatch, [] { return std::uint64_t{300}; }));
  // Once, until bytes were moved.
  CHECK_FALSE(call.spin(kForABatch, [] { return std::uint64_t{300}; }));
  call.moved();
  CHECK_FALSE(call.spin(kForABatch, [] { return std::uint64_t{299}; }));
}
