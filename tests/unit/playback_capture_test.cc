#include <catch2/catch.hpp>
#include <cstring>
#include <memory>
#include <random>

#include "instance.h"
#include "shm/wakeup.h"

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

TEST_CASE("the end is told once, after a short read, and the next player is heard") {
  Instance loop(kS16, kS16);
  for (int stream = 0; stream < 5; ++stream) {
    if (stream > 0) loop.open_client(kS16);
    loop.recorded.clear();
    const Bytes data = noise(1000 * 4 + static_cast<std::size_t>(stream) * 4);
    loop.read(4);
    REQUIRE(loop.write(data, 0, data.size()).moved == data.size());
    loop.client->close();
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

TEST_CASE("an end that was passed is told before the next player's sound, within a vector too") {
  Instance loop(kS16, kS16, true, free_clock());
  const Bytes data = noise(4000);
  constexpr std::uint64_t kThisProcess = 1;
  loop.read(4);
  REQUIRE(loop.write(data, 0, data.size()).moved == data.size());
  loop.client->playback.end(kThisProcess);
  loop.client->vanish();
  REQUIRE(loop.read(data.size()).moved == data.size());
  REQUIRE(loop.read(4).moved == 0);  // it may go on
  // Another one plays instead.
  REQUIRE(loop.client->playback.flow().end_lingering());
  loop.open_client(kS16);
  REQUIRE(loop.write(data, 0, data.size()).moved == data.size());
  Bytes block(400);
  const TransferResult second =
      loop.recorder().capture.read(block.data(), block.size(), true, loop.now);
  CHECK(second.moved == 0);
  CHECK(second.short_return);
  CHECK(loop.read(400).error == -ECONNRESET);
  loop.recorded.clear();
  CHECK(loop.read(data.size()).moved == data.size());
  CHECK((loop.recorded == data));
}

TEST_CASE("who polls is told of the next stream behind an end that is not told") {
  config::InstancePolicy policy = free_clock();
  config::set<"eof">(policy, abi::Eof::kWait);
  Instance loop(kS16, kS16, true, policy);
  const Bytes data = noise(4000);
  for (int stream = 0; stream < 4; ++stream) {
    if (stream > 0) loop.open_client(kS16);
    if (stream == 0) loop.read(4);  // starts
    REQUIRE(loop.write(data, 0, data.size()).moved == data.size());
    CHECK(loop.recorder().capture.ready(1, loop.now));
    loop.recorded.clear();
    while (loop.recorder().capture.ready(1, loop.now)) loop.read(1000);
    CHECK((loop.recorded == data));
    loop.client->close();
    CHECK_FALSE(loop.recorder().capture.ready(1, loop.now));
  }
}

TEST_CASE("who polls passes an end behind which the player has gone on") {
  Instance loop(kS16, kS16, true, free_clock());
  const Bytes data = noise(4000);
  constexpr std::uint64_t kThisProcess = 1;
  loop.read(4);  // starts
  for (int stream = 0; stream < 4; ++stream) {
    REQUIRE(loop.write(data, 0, data.size()).moved == data.size());
    CHECK(loop.recorder().capture.ready(1, loop.now));
    loop.recorded.clear();
    while (loop.recorder().capture.ready(1, loop.now)) REQUIRE(loop.read(1000).error == 0);
    CHECK((loop.recorded == data));
    loop.client->playback.end(kThisProcess);
    CHECK_FALSE(loop.recorder().capture.ready(1, loop.now));
  }
}

TEST_CASE("a player without a server, or against the loop's direction, is refused") {
  Instance loop(kS16, kS16, false);
  CHECK(loop.client->playback.write(Bytes(400).data(), 400, false, loop.now).error == -EACCES);
  loop.server->close();
  CHECK(loop.client->playback.write(Bytes(400).data(), 400, false, loop.now).error == -ENXIO);
  Instance other(kS16, kS16, true);
  Bytes block(400);
  CHECK(other.client->capture.read(block.data(), 400, false, other.now).error == -EACCES);
}

TEST_CASE("a recorder that goes ends the player's stream: told once, then there is no server") {
  Instance loop(kS16, kS16);
  loop.read(4);
  loop.write(noise(4000), 0, 4000);
  loop.server->close();
  CHECK(loop.client->playback.ready(1, loop.now));
  CHECK(loop.write(noise(4000), 0, 4000).error == -ECONNRESET);
  CHECK(loop.write(noise(4000), 0, 4000).error == -ENXIO);
  loop.server = std::make_unique<Opened>(loop.segment, abi::kServer, kRead, kS16);
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
    const auto clipped = [&](int direction) {
      return loop.segment->contract().direction[direction].lane[0].consumer.clipped_samples.load();
    };
    CHECK(clipped(server_reads ? 0 : 1) == 2);
    CHECK(clipped(server_reads ? 1 : 0) == 0);
  }
}

TEST_CASE("who starts the clock wakes the player, whose wait knew of none") {
  for (const bool server_reads : {true, false}) {
    INFO("server " << (server_reads ? "reads" : "writes"));
    Instance loop(kS16, kS16, server_reads);
    loop.recorder().capture.start();
    REQUIRE(loop.write(Bytes(480 * 4), 0, 480 * 4).moved > 0);
    shm::Sleeper player(loop.player().half().own(), shm::Sleeper::kNever);
    CHECK(loop.read(480 * 4).moved == 0);
    CHECK(player.sleep_until(base::sys().now_ns()) == 0);
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
    loop.client->close();
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
  CHECK(loop.segment->contract().direction[0].lane[0].consumer.underruns.load() == 1);
}

TEST_CASE("a format changed between two streams of one recorder is followed") {
  Instance loop(kS16, kS16, true, free_clock());
  loop.transfer(noise(4000));
  const PcmFormat wide{audio::afmt::kS32Le, 4, 96000};
  loop.server->half().set_format(wide);
  loop.open_client(wide);
  loop.recorded.clear();
  const Bytes data = noise(1601 * 16);
  loop.transfer(data);
  CHECK((loop.recorded == data));
}

TEST_CASE("a stream is underway from the first frame that is taken until its end is") {
  for (const bool server_reads : {true, false}) {
    Instance loop(kS16, kS16, server_reads, free_clock());
    const auto& flow = loop.player().playback.flow();
    CHECK_FALSE(flow.underway());
    loop.recorder().capture.start();
    loop.write(noise(400), 0, 400);
    CHECK_FALSE(flow.underway());
    loop.read(4);
    CHECK(flow.underway());
    loop.player().close();
    while (loop.read(400).error == 0) CHECK(flow.underway());
    CHECK_FALSE(flow.underway());
  }
}
