#include <catch2/catch.hpp>
#include <random>

#include "instance.h"

using namespace ossloop;
using namespace ossloop::test;

TEST_CASE("the space that is told can be written at once") {
  const PcmFormat formats[] = {kS16, {audio::afmt::kU8, 1, 11025}, {audio::afmt::kS32Le, 2, 96000}};
  for (const PcmFormat& format : formats) {
    for (const bool server_reads : {true, false}) {
      Instance loop(server_reads ? kS16 : format, server_reads ? format : kS16, server_reads);
      const auto frame = static_cast<std::size_t>(format.frame_bytes());
      const Bytes zeros(frame * 100000);
      Playback& playback = loop.player().playback;
      loop.read(4);
      REQUIRE(loop.write(zeros, 0, frame).moved == frame);
      std::mt19937 random(9);
      for (int round = 0; round < 400; ++round) {
        const std::uint64_t space = playback.space_frames(loop.now);
        const std::uint64_t queued = playback.queued_frames(loop.now);
        REQUIRE(space <= loop.player().half().buffer_frames());
        REQUIRE(space + queued >= loop.player().half().buffer_frames());
        const std::uint64_t part = round % 2 == 0 ? space : space / 3;
        INFO(format.rate_hz << " Hz, round " << round << ", space " << space);
        REQUIRE(loop.write(zeros, 0, part * frame).moved == part * frame);
        loop.now += static_cast<std::int64_t>(random() % 30) * kMs;
        loop.read(20000);
      }
    }
  }
}

TEST_CASE("what is available can be read at once") {
  const PcmFormat formats[] = {
      kS16, {audio::afmt::kFloat, 2, 44100}, {audio::afmt::kMuLaw, 1, 8000}};
  for (const PcmFormat& format : formats) {
    Instance loop(kS16, format, false);
    const auto frame = static_cast<std::size_t>(format.frame_bytes());
    Capture& capture = loop.recorder().capture;
    loop.read(frame);
    for (int round = 0; round < 300; ++round) {
      loop.write(Bytes(4 * 2048), 0, 4 * 2048);
      loop.now += (round % 20) * kMs;
      const std::uint64_t frames = capture.available_frames(loop.now);
      const std::uint64_t part = round % 2 == 0 ? frames : frames / 2;
      REQUIRE(capture.ready(part, loop.now));
      if (part > 0) REQUIRE(loop.read(part * frame).moved == part * frame);
    }
  }
}

TEST_CASE("a player fills its buffer, not more, until the recorder starts") {
  Instance loop(kS16, kS16);
  const Bytes data = noise(400000);
  const std::size_t buffer = loop.client->half().buffer_frames() * 4;
  CHECK(buffer == 65536);
  CHECK(loop.write(data, 0, data.size()).moved == buffer);
  loop.now += 10 * kSecond;
  CHECK(loop.write(data, buffer, 4).moved == 0);
  CHECK_FALSE(loop.client->playback.ready(1, loop.now));
  CHECK(loop.client->playback.queued_frames(loop.now) == buffer / 4);
}

TEST_CASE("a player of small blocks sleeps until an eighth of its buffer is free, not a block") {
  Instance loop(kS16, kS16);
  loop.read(4);
  const Bytes data = noise(480);
  while (loop.write(data, 0, data.size()).moved == data.size()) {
  }
  loop.read(4);  // starts the clock
  const TransferResult full = loop.write(data, 0, data.size());
  CHECK(full.moved == 0);
  const std::uint64_t eighth = loop.player().half().buffer_frames() / 8;
  const std::int64_t eighth_ns = static_cast<std::int64_t>(eighth) * kSecond / 48000;
  CHECK(full.wait.deadline_ns > loop.now + eighth_ns / 2);
  // The recorder's read wakes it, or once more so much time.
  CHECK(full.wait.wake_frame >= eighth - 1);
  CHECK(full.wait.wake_frame <= eighth + 1);
  CHECK(full.wait.deadline_ns <= loop.now + 2 * eighth_ns + kMs);
}

TEST_CASE("a player with a short buffer sleeps until there is room, not longer") {
  Instance loop(kS16, kS16);
  loop.player().half().set_buffering({512, 2});
  loop.read(4);
  const Bytes data = noise(1024);
  CHECK(loop.write(data, 0, data.size()).moved == data.size());
  loop.read(4);  // starts the clock
  const TransferResult full = loop.write(data, 0, 192);
  CHECK(full.moved == 0);
  CHECK(full.wait.wake_frame == ~std::uint64_t{0});
  CHECK(full.wait.deadline_ns <= loop.now + 128 * kSecond / 48000 + 1);
}

TEST_CASE(
    "a recorder of small blocks sleeps for a fragment, one with short fragments for a block") {
  Instance loop(kS16, kS16);
  const std::uint32_t fragment_bytes = GENERATE(4096U, 256U);
  loop.recorder().half().set_buffering({fragment_bytes, 16});
  loop.read(4);
  const Bytes data = noise(48000);
  loop.write(data, 0, data.size());
  loop.read(4);  // starts the clock
  const TransferResult early = loop.read(480);
  CHECK(early.moved == 0);
  const std::int64_t frames = fragment_bytes == 4096 ? 1024 : 120;
  CHECK(early.wait.deadline_ns >= loop.now + frames * kSecond / 48000);
  CHECK(early.wait.deadline_ns <= loop.now + frames * kSecond / 48000 + 1);
}

TEST_CASE("a slow recorder loses nothing") {
  Instance loop(kS16, kS16);
  const Bytes data = noise(48000 * 4);
  std::size_t played = 0;
  int error = 0;
  for (int round = 0; error == 0 && round < 5000; ++round) {
    if (round % 400 < 200) error = loop.read(3000).error;  // it stops for 2 s at a time
    played += loop.write(data, played, data.size() - played).moved;
    if (played == data.size()) loop.client->close();
    loop.now += 10 * kMs;
  }
  CHECK(error == -ECONNRESET);
  CHECK((loop.recorded == data));
}

TEST_CASE("overrun=drop: a recorder that was away hears the newest, whatever the buffers") {
  for (const std::uint32_t buffer_ms : {100U, 340U, 1000U, 5000U}) {
    config::InstancePolicy policy;
    config::set<"overrun">(policy, abi::Overrun::kDrop);
    config::set<"buffer_ms">(policy, buffer_ms);
    Instance loop(kS16, kS16, true, policy);
    const Bytes block = noise(48000 * 4);
    loop.read(4);
    const auto play = [&](int seconds) {
      for (int i = 0; i < 100 * seconds; ++i) {
        loop.write(block, 0, block.size());
        loop.now += 10 * kMs;
      }
    };
    play(1);
    loop.read(100);
    play(12);
    loop.recorded.clear();
    for (int i = 0; i < 10; ++i) loop.read(48000 * 4);
    INFO("buffers of " << buffer_ms << " ms");
    CHECK(loop.recorded.size() >= 40U * 4 * buffer_ms);
    CHECK(loop.recorded.size() <= 60U * 4 * buffer_ms);
  }
}
