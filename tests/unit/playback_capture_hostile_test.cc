#include <catch2/catch.hpp>
#include <cstring>
#include <random>
#include <thread>

#include "instance.h"

using namespace ossloop;
using namespace ossloop::test;

TEST_CASE("a time of its last request that lies far ahead makes no player wait") {
  Instance loop(kS16, kS16);
  loop.segment->contract().loop.changed_ns.store(loop.now + kSecond);
  const Bytes data = noise(480);
  CHECK(loop.write(data, 0, data.size()).moved == data.size());
}

TEST_CASE("absurd fragments in shared memory do not become memory of ours") {
  Instance loop(kS16, {audio::afmt::kS16Le, 2, 44100}, false);
  loop.read(4);
  loop.write(Bytes(8000), 0, 8000);
  abi::Side& side = loop.client->port.side();
  side.fragment_bytes.store(0xffffffff);
  side.fragments.store(0xffffffff);
  loop.now += 10 * kMs;
  // A second and a half is more than any setting of 340 ms could mean.
  REQUIRE(loop.client->port.buffer_frames() <= 66150);
  CHECK(loop.client->capture.available_frames(loop.now) <= 66150);
}

TEST_CASE("a format that a peer changes under a call moves no byte beside the buffer") {
  const PcmFormat narrow{audio::afmt::kS16Le, 1, 48000};
  const PcmFormat broad{audio::afmt::kS32Le, 64, 48000};
  Instance loop(broad, kS16, true, free_clock());
  loop.segment->contract().loop.word.store(pack(narrow, 0, 1));
  loop.server->capture.start();
  std::atomic<bool> stop{false};
  std::thread peer([&] {
    auto& contract = loop.segment->contract();
    for (unsigned i = 0; !stop.load(std::memory_order_relaxed); ++i) {
      contract.loop.word.store(pack(i % 2 == 0 ? narrow : broad, 0, 1), std::memory_order_relaxed);
      for (unsigned spin = 0; spin < i % 97; ++spin)
        std::atomic_signal_fence(std::memory_order_seq_cst);
    }
  });
  constexpr std::size_t kRead = 512;
  constexpr std::size_t kGuard = 1 << 17;  // more than 256 frames of 256 bytes
  Bytes memory(2 * kGuard, std::byte{0xA5});
  auto& direction = loop.segment->contract().direction[abi::kClientToServer];
  int spoilt = 0;
  for (int round = 0; round < 3000 && spoilt == 0; ++round) {
    direction.producer.stream.store(1);
    loop.segment->contract().side[abi::kClient].open.store(3);
    // The same low positions again, far from the ring's end.
    direction.consumer.read.store(0);
    direction.producer.written.store(4000);
    loop.server->capture.read(memory.data(), kRead, false, loop.now);
    for (std::size_t i = kRead; i < memory.size(); ++i) spoilt += memory[i] != std::byte{0xA5};
  }
  stop.store(true);
  peer.join();
  CHECK(spoilt == 0);
}

TEST_CASE("who polls hears of a loop that cannot be mapped by a call's error") {
  for (const bool server_reads : {true, false}) {
    Instance loop(kS16, kS16, server_reads);
    loop.player().playback.write(noise(400).data(), 400, false, loop.now);
    loop.recorder().capture.start();
    // More than there is memory for.
    loop.segment->contract().loop.word.store(pack({audio::afmt::kS32Le, 64, 768000}, 0, 1));
    loop.recorder().port.refresh();
    CHECK(loop.recorder().capture.ready(1, loop.now));
    std::byte data[400];
    CHECK(loop.recorder().capture.read(data, sizeof data, false, loop.now).error == -EIO);
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
      // All but the semaphores, which harm nobody but who waits on them.
      const auto spoil = [&](void* from, std::size_t bytes) {
        auto* words = static_cast<std::uint64_t*>(from);
        for (std::size_t i = 0; i < bytes / 8; ++i) {
          if (random() % 4 == 0) words[i] = random() % 3 == 0 ? random() % 100000 : random();
        }
      };
      spoil(&contract.policy, sizeof contract.policy);
      spoil(&contract.loop, sizeof contract.loop);
      spoil(contract.direction, sizeof contract.direction);
      for (abi::Side& side : contract.side) {
        spoil(&side, offsetof(abi::Side, wake));
        // Bounds of a buffer have a test of their own.
        side.fragment_bytes.store(4096);
        side.fragments.store(16);
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
        side->playback.finish(loop.now);
      }
    }
  }
}
