#include <catch2/catch.hpp>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

#include "instance.h"

using namespace ossloop;
using namespace ossloop::test;

TEST_CASE("equal formats pass bit for bit, in every length and both directions") {
  for (const bool server_reads : {true, false}) {
    for (const std::size_t frames : {1, 2, 1023, 1024, 1025, 48000, 48000 + 12345}) {
      for (const bool paced : {false, true}) {
        Instance loop(kS16, kS16, server_reads, paced ? config::InstancePolicy{} : free_clock());
        const Bytes data = noise(frames * 4);
        loop.transfer(data);
        INFO(frames << " frames, server " << (server_reads ? "reads" : "writes"));
        REQUIRE(loop.recorded.size() == data.size());
        CHECK(loop.recorded == data);
      }
    }
  }
}

TEST_CASE("equal formats pass bit for bit in every format") {
  for (const audio::SampleFormat& format : audio::sample_formats()) {
    for (const int channels : {1, 2, 7, 64}) {
      const PcmFormat pcm{format.afmt, channels, 44100};
      Instance loop(pcm, pcm, true, free_clock());
      const Bytes data = noise(3001 * static_cast<std::size_t>(pcm.frame_bytes()));
      loop.transfer(data, 10000, 7777);
      INFO(format.name << ' ' << channels);
      CHECK((loop.recorded == data));
    }
  }
}

TEST_CASE("frames may be split over writes and reads of any size") {
  const PcmFormat packed{audio::afmt::kS24Packed, 3, 48000};  // 9 bytes
  for (const PcmFormat& format : {kS16, packed}) {
    const Bytes data = noise(701 * static_cast<std::size_t>(format.frame_bytes()));
    for (const std::size_t write_bytes : {1, 2, 3, 5, 4096}) {
      for (const std::size_t read_bytes : {1, 3, 7, 10, 1001}) {
        Instance loop(format, format, true, free_clock());
        loop.transfer(data, write_bytes, read_bytes);
        INFO(write_bytes << " in, " << read_bytes << " out");
        CHECK((loop.recorded == data));
      }
    }
    std::mt19937 random(8);
    Instance loop(format, format, false);
    loop.transfer(
        data, [&] { return 1 + random() % 40; }, [&] { return 1 + random() % 40; });
    CHECK((loop.recorded == data));
  }
}

TEST_CASE("half a frame at the end is not delivered, and not held over") {
  Instance loop(kS16, kS16, true, free_clock());
  Bytes data = noise(10 * 4 + 3);
  loop.transfer(data);
  data.resize(10 * 4);
  CHECK((loop.recorded == data));
  loop.open_client(kS16);
  loop.recorded.clear();
  const Bytes next = noise(20 * 4);
  loop.transfer(next);
  CHECK((loop.recorded == next));
}

TEST_CASE("what is not the same is converted, and the count is the rounded product") {
  const PcmFormat formats[] = {
      kS16,
      {audio::afmt::kS16Le, 2, 44100},
      {audio::afmt::kMuLaw, 1, 8000},
      {audio::afmt::kS24Packed, 6, 96000},
      {audio::afmt::kFloat, 1, 11025},
      {audio::afmt::kU8, 2, 5000},
  };
  for (const PcmFormat& server : formats) {
    for (const PcmFormat& client : formats) {
      for (const bool server_reads : {true, false}) {
        for (const std::size_t frames : {1, 2, 999, 12347}) {
          Instance loop(server, client, server_reads, free_clock());
          const PcmFormat& from = server_reads ? client : server;
          const PcmFormat& to = server_reads ? server : client;
          loop.transfer(Bytes(frames * static_cast<std::size_t>(from.frame_bytes())), 4093, 8191);
          INFO(frames << " frames of " << from.rate_hz << " Hz to " << to.rate_hz << ", server "
                      << (server_reads ? "reads" : "writes"));
          CHECK(loop.recorded.size() == rounded(frames, to.rate_hz, from.rate_hz) *
                                            static_cast<std::size_t>(to.frame_bytes()));
        }
      }
    }
  }
}

TEST_CASE("a wider format of the loop and back is bit-exact") {
  const PcmFormat wide{audio::afmt::kS32Le, 2, 48000};
  const Bytes data = noise(5003 * 4);
  Instance there(wide, kS16, true, free_clock());
  there.transfer(data);
  REQUIRE(there.recorded.size() == 2 * data.size());
  Instance back(kS16, wide, true, free_clock());
  back.transfer(there.recorded);
  CHECK((back.recorded == data));
}

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
        REQUIRE(space <= loop.player().port.buffer_frames());
        REQUIRE(space + queued >= loop.player().port.buffer_frames());
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
  const std::size_t buffer = loop.client->port.buffer_frames() * 4;
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
  const std::uint64_t eighth = loop.player().port.buffer_frames() / 8;
  const std::int64_t eighth_ns = static_cast<std::int64_t>(eighth) * kSecond / 48000;
  CHECK(full.wait.deadline_ns > loop.now + eighth_ns / 2);
  // The recorder's read wakes it, or once more so much time.
  CHECK(full.wait.wake_frame >= eighth - 1);
  CHECK(full.wait.wake_frame <= eighth + 1);
  CHECK(full.wait.deadline_ns <= loop.now + 2 * eighth_ns + kMs);
}

TEST_CASE("a player with a short buffer sleeps until there is room, not longer") {
  Instance loop(kS16, kS16);
  loop.player().port.set_buffering({512, 2});
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
  loop.recorder().port.set_buffering({fragment_bytes, 16});
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

TEST_CASE("a player waits for a server that chooses its format, however late it looks") {
  Instance loop(kS16, kS16);
  auto& word = loop.segment->contract().loop;
  const std::int64_t asked = loop.now + GENERATE(-kMs, 0 * kMs, kMs, 100 * kMs);
  word.opened_ns.store(asked - kMs);
  word.changed_ns.store(asked);
  const Bytes data = noise(480);
  const TransferResult early = loop.write(data, 0, data.size());
  CHECK(early.moved == 0);
  CHECK(early.wait.deadline_ns > asked);
  CHECK(frozen_by(word.word.load()) == 0);
  loop.now = early.wait.deadline_ns;
  CHECK(loop.write(data, 0, data.size()).moved == data.size());
  CHECK(frozen_by(word.word.load()) != 0);
}

TEST_CASE("a time of its last request that lies far ahead makes no player wait") {
  Instance loop(kS16, kS16);
  loop.segment->contract().loop.changed_ns.store(loop.now + kSecond);
  const Bytes data = noise(480);
  CHECK(loop.write(data, 0, data.size()).moved == data.size());
}

TEST_CASE("a slow recorder loses nothing") {
  Instance loop(kS16, kS16);
  const Bytes data = noise(48000 * 4);
  std::size_t played = 0;
  int error = 0;
  for (int round = 0; error == 0 && round < 5000; ++round) {
    if (round % 400 < 200) error = loop.read(3000).error;  // it stops for 2 s at a time
    played += loop.write(data, played, data.size() - played).moved;
    if (played == data.size()) loop.client->close(loop.now);
    loop.now += 10 * kMs;
  }
  CHECK(error == -ECONNRESET);
  CHECK((loop.recorded == data));
}

TEST_CASE("overrun=drop: a recorder that was away hears the newest, whatever the buffers") {
  for (const std::uint32_t buffer_ms : {100U, 340U, 1000U, 5000U}) {
    config::InstancePolicy policy;
    policy.overrun = abi::Overrun::kDrop;
    policy.buffer_ms = buffer_ms;
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

TEST_CASE("the end is told once, after a short read, and the next player is heard") {
  Instance loop(kS16, kS16);
  for (int stream = 0; stream < 5; ++stream) {
    if (stream > 0) loop.open_client(kS16);
    loop.recorded.clear();
    const Bytes data = noise(1000 * 4 + static_cast<std::size_t>(stream) * 4);
    loop.read(4);
    REQUIRE(loop.write(data, 0, data.size()).moved == data.size());
    loop.client->close(loop.now);
    loop.read(4);
    loop.now += kSecond;
    const TransferResult last = loop.read(100000);
    CHECK(last.short_return);
    CHECK(last.error == 0);
    CHECK((loop.recorded == data));
    CHECK(loop.read(100).error == -ECONNRESET);
    const TransferResult after = loop.read(100);
    CHECK(after.error == 0);
    CHECK(after.moved == 0);
    CHECK(after.block_despite_nonblock);
  }
}

TEST_CASE("a player without a server, or against the loop's direction, is refused") {
  Instance loop(kS16, kS16, false);
  CHECK(loop.client->playback.write(Bytes(400).data(), 400, false, loop.now).error == -EACCES);
  loop.server->close(loop.now);
  CHECK(loop.client->playback.write(Bytes(400).data(), 400, false, loop.now).error == -ENXIO);
  Instance other(kS16, kS16, true);
  Bytes block(400);
  CHECK(other.client->capture.read(block.data(), 400, false, other.now).error == -EACCES);
}

TEST_CASE("a recorder that goes ends the player's stream: told once, then there is no server") {
  Instance loop(kS16, kS16);
  loop.read(4);
  loop.write(noise(4000), 0, 4000);
  loop.server->close(loop.now);
  CHECK(loop.client->playback.ready(1, loop.now));
  CHECK(loop.write(noise(4000), 0, 4000).error == -ECONNRESET);
  CHECK(loop.write(noise(4000), 0, 4000).error == -ENXIO);
  loop.server = std::make_unique<Opened>(loop.segment, abi::kServer, kS16);
  loop.server->publish(1);
  loop.recorded.clear();
  const Bytes data = noise(8000);
  loop.transfer(data);
  CHECK((loop.recorded == data));
}

TEST_CASE("sound too loud for its format is saturated and counted") {
  for (const bool server_reads : {true, false}) {
    const PcmFormat loud{audio::afmt::kFloat, 1, 48000}, narrow{audio::afmt::kS16Le, 1, 48000};
    Instance loop(server_reads ? narrow : loud, server_reads ? loud : narrow, server_reads);
    const float samples[] = {0.5F, 1.5F, -0.5F, -2, 0.999F, -1};
    Bytes data(sizeof samples);
    std::memcpy(data.data(), samples, sizeof samples);
    loop.transfer(data);
    std::int16_t heard[6];
    REQUIRE(loop.recorded.size() == sizeof heard);
    std::memcpy(heard, loop.recorded.data(), sizeof heard);
    CHECK(heard[1] == 32767);
    CHECK(heard[3] == -32768);
    CHECK(heard[5] == -32768);
    CHECK(loop.segment->contract().clips.samples[server_reads ? 0 : 1].load() == 2);
    CHECK(loop.segment->contract().clips.samples[server_reads ? 1 : 0].load() == 0);
  }
}

TEST_CASE("halt drops what was queued, the stream goes on") {
  for (const int rate : {48000, 44100}) {
    Instance loop(kS16, {audio::afmt::kS16Le, 2, rate});
    loop.read(4);
    loop.write(Bytes(40000, std::byte{0x11}), 0, 40000);
    loop.client->playback.halt(loop.now);
    CHECK(loop.client->playback.queued_frames(loop.now) == 0);
    loop.recorded.clear();
    loop.read(4);
    const Bytes data(40000, std::byte{0x22});
    CHECK(loop.write(data, 0, data.size()).moved == data.size());
    loop.client->close(loop.now);
    int error = 0;
    for (int i = 0; error == 0 && i < 1000; ++i) {
      loop.now += kMs;
      error = loop.read(5000).error;
    }
    CHECK(loop.recorded.size() == rounded(10000, 48000, rate) * 4);
    if (rate == 48000) CHECK((loop.recorded == data));
  }
}

TEST_CASE("what a halt drops by the clock is not heard when there is none again") {
  Instance loop(kS16, kS16, true, free_clock());
  auto& mode = loop.segment->contract().policy.clock_mode;
  const Bytes data = noise(1000);
  loop.read(4);
  REQUIRE(loop.write(data, 0, 400).moved == 400);
  REQUIRE(loop.read(40).moved == 40);
  mode.store(static_cast<std::uint32_t>(abi::ClockMode::kRealtime));
  loop.recorder().capture.ready(1, loop.now);
  loop.player().playback.halt(loop.now);
  mode.store(static_cast<std::uint32_t>(abi::ClockMode::kFree));
  REQUIRE(loop.write(data, 400, 80).moved == 80);
  REQUIRE(loop.read(80).moved == 80);
  CHECK((Bytes(loop.recorded.begin() + 40, loop.recorded.end()) ==
         Bytes(data.begin() + 400, data.begin() + 480)));
}

TEST_CASE("an underrun is heard as silence of the recorder's format") {
  const PcmFormat phone{audio::afmt::kMuLaw, 1, 48000};
  Instance loop(phone, kS16);
  loop.read(1);
  loop.write(Bytes(4800), 0, 4800);
  loop.read(1);
  loop.now += 200 * kMs;
  const TransferResult step = loop.read(9600);
  CHECK(step.moved == 9600);
  CHECK(loop.recorded == Bytes(9600, std::byte{0xff}));
  CHECK(loop.server->capture.flow().running());
  CHECK(loop.segment->contract().direction[0].consumer.underruns.load() == 1);
}

TEST_CASE("a format changed between two streams of one recorder is followed") {
  Instance loop(kS16, kS16, true, free_clock());
  loop.transfer(noise(4000));
  const PcmFormat wide{audio::afmt::kS32Le, 4, 96000};
  REQUIRE(loop.segment->reserve_ring(ring_bytes(wide, 340)) == 0);
  loop.segment->contract().loop.word.store(pack(wide, 0, 1));
  loop.server->port.set_format(wide);
  loop.open_client(wide);
  loop.recorded.clear();
  const Bytes data = noise(1601 * 16);
  loop.transfer(data);
  CHECK((loop.recorded == data));
}

TEST_CASE("the loop's format is frozen while a stream runs, and free after it") {
  Instance loop(kS16, kS16, true, free_clock());
  auto& word = loop.segment->contract().loop.word;
  CHECK(frozen_by(word.load()) == 0);
  loop.read(4);
  loop.write(noise(400), 0, 400);
  CHECK(frozen_by(word.load()) != 0);
  CHECK(unpack_format(word.load()) == kS16);
  loop.client->close(loop.now);
  while (loop.read(400).error == 0) {
  }
  CHECK(frozen_by(word.load()) == 0);
  CHECK(server_serial(word.load()) == 1);
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
