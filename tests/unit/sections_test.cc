// A change of format in the middle of a stream, where something else happens too.
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <cstring>

#include "base/sys.h"
#include "instance.h"

using namespace ossloop;
using namespace ossloop::test;

namespace {

constexpr PcmFormat kU8{audio::afmt::kU8, 2, 48000};
constexpr PcmFormat k44100{audio::afmt::kS16Le, 2, 44100};
constexpr PcmFormat kWide{audio::afmt::kS32Le, 2, 96000};

void set_format(Opened& side, const PcmFormat& format) {
  side.half().set_format(format);
  side.half().set_buffering(default_buffering(format, side.half().buffer_ms()));
}

std::int64_t memory(const Instance& loop) {
  std::int64_t bytes = 0;
  for (const auto& entry : std::filesystem::directory_iterator(loop.folder())) {
    struct stat status {};
    if (::lstat(entry.path().c_str(), &status) == 0) bytes += status.st_blocks * 512;
  }
  return bytes;
}

}  // namespace

TEST_CASE("what was written in one format is heard before what was written in the next") {
  for (const bool server_reads : {true, false}) {
    Instance loop(kS16, kS16, server_reads, free_clock());
    loop.read(4);
    const Bytes first = noise(4000), last = noise(800);
    loop.write(first, 0, first.size());
    set_format(loop.player(), kU8);
    loop.write(Bytes(1000, std::byte{0x80}), 0, 1000);
    set_format(loop.player(), kS16);
    loop.write(last, 0, last.size());
    loop.player().close();
    while (loop.read(777).error == 0) {
    }
    Bytes expected = first;
    expected.resize(expected.size() + 2000);  // silence, as 16 bits
    expected.insert(expected.end(), last.begin(), last.end());
    CHECK((loop.recorded == expected));
  }
}

TEST_CASE("a recorder that was overtaken before a mark goes on behind it") {
  config::InstancePolicy policy;
  config::set<"overrun">(policy, abi::Overrun::kDrop);
  Instance loop(kS16, kS16, true, policy);
  const Bytes block = noise(48000 * 4);
  loop.read(4);
  loop.write(block, 0, 9600 * 4);
  loop.now += 10 * kMs;
  loop.read(100);
  set_format(*loop.client, kU8);
  for (int moment = 0; moment < 1200; ++moment) {
    loop.write(block, 0, block.size());
    loop.now += 10 * kMs;
  }
  loop.recorded.clear();
  for (int moment = 0; moment < 100; ++moment) {
    loop.write(block, 0, block.size());
    loop.now += 10 * kMs;
    loop.read(48000 * 4);
  }
  CHECK(loop.recorded.size() > 90 * 480 * 4);
}

TEST_CASE("the end lets go what waited for its trigger, also behind a mark") {
  Instance loop(kS16, kS16, true, free_clock());
  loop.server->capture.start();
  loop.client->playback.arm(false, loop.now);
  loop.write(noise(400), 0, 400);
  set_format(*loop.client, kU8);
  loop.write(noise(200), 0, 200);
  CHECK(loop.read(4096).moved == 0);
  loop.client->close();
  int error = 0;
  for (int round = 0; round < 100 && error == 0; ++round) error = loop.read(4096).error;
  CHECK(error == -ECONNRESET);
  CHECK(loop.recorded.size() == 800);
}

TEST_CASE("a player that only asks for space takes no more memory than it asks for last") {
  Instance loop(kS16, kS16, true, free_clock());
  loop.server->capture.start();
  loop.write(noise(400), 0, 400);
  loop.read(400);
  const std::int64_t before = memory(loop);
  for (int round = 0; round < 20; ++round) {
    set_format(*loop.client, kWide);
    REQUIRE(loop.client->playback.prepare_ring() == 0);
    set_format(*loop.client, kS16);
    REQUIRE(loop.client->playback.prepare_ring() == 0);
  }
  CHECK(memory(loop) == before);
  for (int round = 0; round < 20; ++round) {
    loop.client->close();
    loop.open_client(kWide);
    REQUIRE(loop.client->playback.prepare_ring() == 0);
  }
  loop.client->close();
  CHECK(memory(loop) == before);
}

TEST_CASE("memory that cannot be had leaves no hole in the file") {
  Instance loop(kS16, kS16, true, free_clock());
  loop.server->capture.start();
  base::Sys full = base::kernel_sys();
  full.fallocate = [](int, std::int64_t, std::int64_t) { return -ENOSPC; };
  DeviceThread::instance().run([&] { base::set_sys(full); });
  for (int round = 0; round < 100; ++round) CHECK(loop.write(Bytes(400), 0, 400).error == -ENOSPC);
  DeviceThread::instance().run([] { base::set_sys(base::kernel_sys()); });
  CHECK(loop.segment->contract().header.file_end.load() <= abi::kRingOffset);
  CHECK(loop.write(Bytes(400), 0, 400).moved == 400);
}

TEST_CASE("what a killed player left is as loud as it was when another has the side") {
  Instance loop(kS16, kS16, true, free_clock());
  loop.server->capture.start();
  loop.client->half().own().volume.store(50 | 50 << 8);
  const std::vector<std::int16_t> loud(200, 16384);
  Bytes data(400);
  std::memcpy(data.data(), loud.data(), data.size());
  loop.write(data, 0, data.size());
  loop.client->playback.end();
  loop.client->vanish();
  loop.open_client(kS16);
  loop.read(400);
  REQUIRE(loop.recorded.size() == 400);
  std::int16_t heard = 0;
  std::memcpy(&heard, loop.recorded.data() + 300, 2);
  CHECK(heard == 8192);
}

TEST_CASE("who polls in another process of the open hears of a section's last frames") {
  Instance loop(k44100, kS16, true, free_clock());
  loop.server->half().own().shared.store(1);
  loop.server->capture.start();
  const auto& [producer, consumer] = loop.lane();
  loop.write(noise(16000), 0, 16000);
  set_format(*loop.client, kU8);
  loop.write(noise(4000), 0, 4000);
  const std::uint64_t mark = producer.mark[1].frame.load();
  for (int round = 0; round < 10000 && consumer.read.load() < mark; ++round) loop.read(4);
  REQUIRE(consumer.read.load() == mark);
  Capture other(loop.server->half());
  CHECK(other.ready(1, loop.now));
}

TEST_CASE("a player whose changes of format nobody has heard is not told to write on") {
  Instance loop(kS16, kS16, true, free_clock());
  loop.server->capture.start();
  bool full = false;
  for (int round = 0; round < 20 && !full; ++round) {
    set_format(*loop.client, round % 2 == 0 ? kU8 : kS16);
    const bool ready = loop.client->playback.ready(1, loop.now);
    full = loop.write(Bytes(4), 0, 4).moved == 0;
    CHECK(ready != full);
  }
  CHECK(full);
}

TEST_CASE("silence that was converted ahead does not stand for a ring that is mapped") {
  Instance loop(k44100, kS16, true);
  auto& capture = loop.server->capture;
  capture.start();
  const Bytes data = noise(48000 * 4);
  loop.write(data, 0, 480 * 4);
  capture.ready(1, loop.now);
  loop.client->playback.halt(loop.now);
  loop.now += kMs;
  capture.ready(1, loop.now);
  loop.now += 300 * kMs;
  CHECK(capture.available_frames(loop.now) > 0);
  loop.write(data, 0, 9600 * 4);
  loop.now += 50 * kMs;
  CHECK(loop.read(48000 * 4).moved > 0);
}

TEST_CASE("who only polls in another process of the open leaves the player's delay as it is") {
  Instance loop(k44100, kS16, true, free_clock());
  loop.server->half().own().shared.store(1);
  loop.server->capture.start();
  loop.write(noise(40000), 0, 40000);
  loop.read(4000);
  const std::uint64_t held = loop.player().playback.flow().filter_frames();
  REQUIRE(held > 0);
  Capture other(loop.server->half());
  for (int round = 0; round < 10; ++round) other.ready(1, loop.now);
  CHECK(loop.player().playback.flow().filter_frames() == held);
}

TEST_CASE("a filter that somebody tells wrong takes no memory, and old sound is not given again") {
  const PcmFormat many{audio::afmt::kS32Le, 64, 768000};
  Instance loop(many, {audio::afmt::kU8, 1, 5000}, true, free_clock());
  loop.server->half().own().shared.store(1);
  loop.server->capture.start();
  auto& consumer = loop.segment->contract().direction[abi::kClientToServer].lane[0].consumer;
  Bytes frames(256 * 64);
  for (int round = 0; round < 20; ++round) {
    loop.write(noise(1000), 0, 1000);
    while (loop.read(frames.size()).moved > 0) {
    }
  }
  loop.recorded.clear();
  consumer.filter_begin.store(consumer.read.load() - 11900);
  consumer.filter_given.store(0);
  // Nothing was written since: what comes now came before.
  CHECK(loop.read(frames.size()).moved == 0);
}
