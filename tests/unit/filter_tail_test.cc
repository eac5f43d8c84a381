#include "device/filter_tail.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <numbers>

#include "config/policy.h"
#include "instance.h"

using namespace ossloop;
using namespace ossloop::test;

namespace {

PcmFormat s16(int rate_hz) { return {audio::afmt::kS16Le, 2, rate_hz}; }

// A chord that never repeats, loud enough to show what is missing.
Bytes music(std::size_t frames, int rate_hz) {
  std::vector<std::int16_t> samples(frames * 2);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const double t = static_cast<double>(i / 2) / rate_hz;
    const double tone = std::sin(2 * std::numbers::pi * 440 * t) +
                        std::sin(2 * std::numbers::pi * (i % 2 == 0 ? 557.3 : 661.7) * t);
    samples[i] = static_cast<std::int16_t>(std::lround(12000 * tone));
  }
  Bytes bytes(samples.size() * 2);
  std::memcpy(bytes.data(), samples.data(), bytes.size());
  return bytes;
}

// Writes all of `data`, reading only when nothing more goes in.
void play(Instance& loop, const Bytes& data, std::size_t write_bytes) {
  for (std::size_t played = 0; played < data.size();) {
    const TransferResult step =
        loop.write(data, played, std::min(write_bytes, data.size() - played));
    REQUIRE(step.error == 0);
    played += step.moved;
    if (step.moved == 0) {
      loop.read(4096);
      loop.now += kMs;
    }
  }
}

// The error that tells the end; 0 if none does.
int record_to_end(Instance& loop) {
  int error = 0;
  for (int round = 0; round < 100'000 && error == 0; ++round) {
    error = loop.read(4096).error;
    loop.now += kMs;
  }
  return error;
}

int largest_difference(const Bytes& a, const Bytes& b) {
  REQUIRE(a.size() == b.size());
  int most = 0;
  for (std::size_t at = 0; at + 2 <= a.size(); at += 2) {
    std::int16_t x, y;
    std::memcpy(&x, a.data() + at, 2);
    std::memcpy(&y, b.data() + at, 2);
    most = std::max(most, std::abs(x - y));
  }
  return most;
}

Bytes recording(int from, int to, config::InstancePolicy policy, const Bytes& data, bool killed) {
  Instance loop(s16(to), s16(from), true, policy);
  loop.read(4096);
  play(loop, data, 4410);
  if (killed) {
    loop.client->vanish();
  } else {
    loop.client->close(loop.now);
  }
  CHECK(record_to_end(loop) == -ECONNRESET);
  return loop.recorded;
}

}  // namespace

TEST_CASE("what a killed player's rate converter held arrives as if it had been closed") {
  const int rates[][2] = {{44100, 48000}, {48000, 44100},  {8000, 48000},  {48000, 8000},
                          {11025, 44100}, {192000, 44100}, {44101, 48000}, {5000, 768000}};
  for (const auto& [from, to] : rates) {
    for (const auto quality :
         {audio::Quality::kQuick, audio::Quality::kHigh, audio::Quality::kVeryHigh}) {
      for (const std::size_t frames : {1, 441, 30011}) {
        config::InstancePolicy policy = free_clock();
        config::set<"quality">(policy, static_cast<std::uint32_t>(quality));
        const Bytes data = music(frames, from);
        INFO(from << " to " << to << " Hz, "
                  << config::kRow<"quality">.choices[static_cast<std::size_t>(quality)] << ", "
                  << frames);
        const Bytes closed = recording(from, to, policy, data, false);
        const Bytes killed = recording(from, to, policy, data, true);
        REQUIRE(closed.size() == rounded(frames, to, from) * 4);
        REQUIRE(killed.size() == closed.size());
        // The quick filter counts places in fewer bits; 44101 Hz has no place in common with 48000
        // within reach: a fraction of a frame beside.
        CHECK(largest_difference(closed, killed) <= (from == 44101 ? 1500 : 8));
      }
    }
  }
}

TEST_CASE("a killed player's tail comes in real time and before the next stream") {
  config::InstancePolicy policy;
  config::set<"eof">(policy, abi::Eof::kWait);
  Instance loop(s16(48000), s16(44100), true, policy);
  loop.read(4096);
  const Bytes data = music(4410, 44100);
  play(loop, data, 4410);
  loop.client->vanish();
  loop.open_client(s16(44100));
  play(loop, data, 4410);
  loop.client->vanish();
  for (int round = 0; round < 400; ++round) {
    loop.read(4096);
    loop.now += kMs;
  }
  CHECK(loop.recorded.size() == 2 * 4800 * 4);
  const Bytes first(loop.recorded.begin(), loop.recorded.begin() + 4800 * 4);
  const Bytes second(loop.recorded.begin() + 4800 * 4, loop.recorded.end());
  CHECK(largest_difference(first, second) <= 2);
}

TEST_CASE("a third player waits until the first killed one's end was heard") {
  config::InstancePolicy policy = free_clock();
  Instance loop(s16(48000), s16(44100), true, policy);
  loop.read(4096);
  const Bytes data = music(441, 44100);
  for (int player = 0; player < 2; ++player) {
    REQUIRE(loop.write(data, 0, data.size()).moved == data.size());
    loop.client->vanish();
    loop.open_client(s16(44100));
  }
  CHECK(loop.write(data, 0, data.size()).moved == 0);
  CHECK(record_to_end(loop) == -ECONNRESET);
  CHECK(loop.write(data, 0, data.size()).moved == data.size());
}

TEST_CASE("a tail that is not what it should be is no sound and no crash") {
  for (const auto garble :
       {+[](abi::Tail&tail, const std::string&) { tail.frames.store(~std::uint64_t{0}); },
        +[](abi::Tail&tail, const std::string&) { tail.start.store(~std::uint64_t{0}); },
        +[](abi::Tail&tail, const std::string&) { tail.format.store(~std::uint64_t{0}); },
        +[](abi::Tail&, const std::string&file) { std::filesystem::resize_file(file, 100); },
        +[](abi::Tail&, const std::string&file) { std::filesystem::remove(file); }}) {
    Instance loop(s16(48000), s16(44100), true, free_clock());
    loop.read(4096);
    play(loop, music(4410, 44100), 4410);
    garble(loop.segment->contract().tail[1], loop.segment->tail_path(1));
    loop.client->vanish();
    CHECK(record_to_end(loop) == -ECONNRESET);
    CHECK(loop.recorded.size() <= 4800 * 4);
  }
}
