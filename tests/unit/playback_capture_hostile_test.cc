#include <catch2/catch.hpp>
#include <cstring>
#include <random>
#include <thread>

#include "device/loudness.h"
#include "instance.h"

using namespace ossloop;
using namespace ossloop::test;

TEST_CASE("absurd fragments in shared memory do not become memory of ours") {
  Instance loop(kS16, {audio::afmt::kS16Le, 2, 44100}, false);
  loop.read(4);
  loop.write(Bytes(8000), 0, 8000);
  abi::Half& side = loop.client->half().own();
  side.fragment_bytes.store(0xffffffff);
  side.fragments.store(0xffffffff);
  loop.now += 10 * kMs;
  // A second and a half is more than any setting of 340 ms could mean.
  REQUIRE(loop.client->half().buffer_frames() <= 66150);
  CHECK(loop.client->capture.available_frames(loop.now) <= 66150);
}

TEST_CASE("a format that somebody changes under a call moves no byte beside the buffer") {
  const PcmFormat narrow{audio::afmt::kS16Le, 1, 48000};
  const PcmFormat broad{audio::afmt::kS32Le, 64, 48000};
  const bool of_the_ring = GENERATE(true, false);
  Instance loop(broad, broad, true, free_clock());
  loop.server->capture.start();
  REQUIRE(loop.write(Bytes(25600), 0, 25600).moved == 25600);
  auto& contract = loop.segment->contract();
  auto& [producer, consumer] = contract.direction[abi::kClientToServer].lane[0];
  auto& word = of_the_ring ? producer.mark[0].format : loop.server->half().own().format;
  std::atomic<bool> stop{false};
  std::thread peer([&] {
    for (unsigned i = 0; !stop.load(std::memory_order_relaxed); ++i) {
      word.store(pack(i % 2 == 0 ? narrow : broad), std::memory_order_relaxed);
      for (unsigned spin = 0; spin < i % 97; ++spin)
        std::atomic_signal_fence(std::memory_order_seq_cst);
    }
  });
  constexpr std::size_t kRead = 512;
  constexpr std::size_t kGuard = 1 << 17;  // more than 256 frames of 256 bytes
  Bytes memory(2 * kGuard, std::byte{0xA5});
  int spoilt = 0;
  for (int round = 0; round < 3000 && spoilt == 0; ++round) {
    // The same low positions again, far from the ring's end.
    consumer.read.store(0);
    producer.written.store(4000);
    loop.server->half().refresh();
    loop.server->capture.read(memory.data(), kRead, false, loop.now);
    for (std::size_t i = kRead; i < memory.size(); ++i) spoilt += memory[i] != std::byte{0xA5};
  }
  stop.store(true);
  peer.join();
  CHECK(spoilt == 0);
}

TEST_CASE("a ring that cannot be mapped is an error, and the next section is heard") {
  for (const bool server_reads : {true, false}) {
    Instance loop(kS16, kS16, server_reads, free_clock());
    loop.recorder().capture.start();
    REQUIRE(loop.write(noise(400), 0, 400).moved == 400);
    const std::uint64_t bytes = loop.lane().producer.mark[0].ring_bytes.exchange(1 << 30);
    CHECK(loop.recorder().capture.ready(1, loop.now));
    CHECK(loop.read(400).error == -EIO);
    CHECK(loop.recorded.empty());
    loop.lane().producer.mark[0].ring_bytes.store(bytes);
    loop.player().half().set_format({audio::afmt::kU8, 2, 48000});
    REQUIRE(loop.write(Bytes(200, std::byte{0x80}), 0, 200).moved == 200);
    CHECK(loop.read(400).moved == 400);
    CHECK(loop.recorded == Bytes(400));
  }
}

TEST_CASE("garbage in the whole segment harms no call") {
  std::mt19937_64 random(10);
  for (int seed = 0; seed < 300; ++seed) {
    INFO("seed " << seed);
    Instance loop(kS16, seed % 2 == 0 ? kS16 : PcmFormat{audio::afmt::kU8, 1, 44100},
                  seed % 3 != 0);
    abi::Segment& contract = loop.segment->contract();
    loop.read(100);
    loop.write(Bytes(4000), 0, 4000);
    Bytes block(5000);
    for (int round = 0; round < 10; ++round) {
      // All but the event counts, which harm nobody but who waits on them.
      const auto spoil = [&](void* from, std::size_t bytes) {
        auto* words = static_cast<std::uint64_t*>(from);
        for (std::size_t i = 0; i < bytes / 8; ++i) {
          if (random() % 4 == 0) words[i] = random() % 3 == 0 ? random() % 100000 : random();
        }
      };
      spoil(&contract.policy, sizeof contract.policy);
      spoil(&contract.header.file_end, sizeof contract.header.file_end);
      for (abi::Direction& direction : contract.direction) {
        spoil(direction.lane, sizeof direction.lane);
        for (abi::Half* half : {&direction.server, &direction.client[0]}) {
          spoil(half, offsetof(abi::Half, wake));
          // Bounds of a buffer have a test of their own.
          half->fragment_bytes.store(4096);
          half->fragments.store(16);
        }
      }
      loop.now += static_cast<std::int64_t>(random() % (50 * kMs));
      for (Opened* side : {loop.server.get(), loop.client.get()}) {
        const TransferResult in = side->capture.read(block.data(), block.size(), false, loop.now);
        REQUIRE(in.moved <= block.size());
        const TransferResult out =
            side->playback.write(block.data(), block.size(), false, loop.now);
        REQUIRE(out.moved <= block.size());
        side->playback.ready(100, loop.now);
        side->capture.ready(100, loop.now);
        side->playback.space_frames(loop.now);
        side->capture.available_frames(loop.now);
        side->playback.halt(loop.now);
        side->capture.halt(loop.now);
        side->playback.silence(loop.now);
        side->playback.delay_frames(loop.now);
        std::uint16_t peaks[kPeakChannels];
        tell_peaks(loudness_of(*loop.segment, abi::kClientToServer, loop.now), peaks);
      }
    }
  }
}
