#include <catch2/catch.hpp>

#include "instance.h"
#include "stream/ring_size.h"

using namespace ossloop;
using namespace ossloop::test;

TEST_CASE("what is queued in a pause waits, and goes on where it was") {
  Instance loop(kS16, kS16, true);
  const Bytes data = noise(4800 * 4);
  loop.read(4);  // it begins
  CHECK(loop.write(data, 0, data.size()).moved == data.size());
  loop.read(4);
  loop.now += 20 * kMs;
  loop.read(960 * 4);
  CHECK(loop.player().playback.queued_frames(loop.now) == 3840);
  loop.player().playback.pause(true, loop.now);
  for (int i = 0; i < 100; ++i) {
    loop.now += 10 * kMs;
    CHECK(loop.player().playback.queued_frames(loop.now) == 3840);
    loop.read(480 * 4);
    CHECK(loop.player().playback.queued_frames(loop.now) == 3840);
  }
  const std::size_t before = loop.recorded.size();
  loop.player().playback.pause(false, loop.now);
  loop.now += 10 * kMs;
  loop.read(480 * 4);
  CHECK(loop.player().playback.queued_frames(loop.now) < 3840);
  const Bytes heard(loop.recorded.begin() + static_cast<std::ptrdiff_t>(before),
                    loop.recorded.end());
  CHECK(heard == Bytes(data.begin() + 960 * 4, data.begin() + 960 * 4 + 480 * 4));
}

TEST_CASE("a buffer may be longer than the policy has it") {
  Instance loop(kS16, kS16, true);
  OpenHalf& half = loop.player().half();
  CHECK(half.buffer_frames() < 24000);
  half.allow_buffer(96000);
  half.set_buffering({4800 * 4, 20});
  CHECK(half.buffer_frames() == 96000);
  const Bytes data = noise(96001 * 4);
  CHECK(loop.write(data, 0, data.size()).moved == 96000 * 4);
  CHECK(buffer_ms_for(48000, longest_buffer_frames(48000, 340)) >= 340);
}
