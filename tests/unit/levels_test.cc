#include "stream/levels.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <memory>

using namespace ossloop;
using namespace ossloop::device;

namespace {

constexpr std::uint32_t both(std::uint32_t level) { return level | level << 8; }

// What the client's side of a stream does to it, playing or recording; the server's is full.
Levels client_levels(std::uint32_t volume, const abi::Mixer& mixer, bool playing) {
  abi::Half client{}, server{};
  client.volume.store(volume);
  server.volume.store(both(100));
  return playing ? levels_of(mixer, abi::kClientToServer, client, server)
                 : levels_of(mixer, abi::kServerToClient, server, client);
}

double left(const Levels& levels) { return factors_of(levels).left; }

}  // namespace

TEST_CASE("a fresh mixer passes everything as it is") {
  const abi::Mixer mixer{};
  CHECK(mixer_level(mixer, abi::kMixVolume) == both(100));
  const Factors factors = factors_of(client_levels(both(100), mixer, true));
  CHECK(factors.left == 1.0);
  CHECK(factors.right == 1.0);
}

TEST_CASE("each step of the mixer is half a decibel, and 0 is silence") {
  abi::Mixer mixer{};
  double before = 1;
  for (std::uint32_t level = 99; level > 0; --level) {
    set_mixer_level(mixer, abi::kMixVolume, both(level));
    const double now = left(client_levels(both(100), mixer, true));
    CHECK(20 * std::log10(now / before) == Approx(-0.5));
    before = now;
  }
  set_mixer_level(mixer, abi::kMixVolume, both(0));
  CHECK(left(client_levels(both(100), mixer, true)) == 0);
}

TEST_CASE("a level comes back as it was set, and too much as full") {
  abi::Mixer mixer{};
  set_mixer_level(mixer, abi::kMixPcm, 30 | 70 << 8);
  CHECK(mixer_level(mixer, abi::kMixPcm) == (30 | 70 << 8));
  set_mixer_level(mixer, abi::kMixPcm, 0xffffffff);
  CHECK(mixer_level(mixer, abi::kMixPcm) == both(100));
}

TEST_CASE("a channel of the mixer acts on its direction alone, the master on both") {
  abi::Mixer mixer{};
  set_mixer_level(mixer, abi::kMixPcm, both(88));
  CHECK(left(client_levels(both(100), mixer, true)) == Approx(std::pow(10, -6.0 / 20)));
  CHECK(left(client_levels(both(100), mixer, false)) == 1.0);
  set_mixer_level(mixer, abi::kMixVolume, both(88));
  CHECK(left(client_levels(both(100), mixer, true)) == Approx(std::pow(10, -12.0 / 20)));
  CHECK(left(client_levels(both(100), mixer, false)) == Approx(std::pow(10, -6.0 / 20)));
  mixer.muted.store(1);
  CHECK(left(client_levels(both(100), mixer, false)) == 0);
}

TEST_CASE("only a change counts as one") {
  abi::Mixer mixer{};
  set_mixer_level(mixer, abi::kMixVolume, both(100));
  CHECK(mixer.changes.load() == 0);
  set_mixer_level(mixer, abi::kMixVolume, both(50));
  set_mixer_level(mixer, abi::kMixVolume, both(50));
  CHECK(mixer.changes.load() == 1);
}

TEST_CASE("garbage in the segment is a level like any other") {
  abi::Mixer mixer{};
  mixer.attenuation[abi::kMixVolume].store(0xdeadbeef);
  const Factors factors = factors_of(client_levels(0xffffffff, mixer, true));
  CHECK(factors.left >= 0);
  CHECK(factors.left <= 1);
}

TEST_CASE("what the player sets and what the recorder sets both count") {
  const abi::Mixer mixer{};
  abi::Half player{}, recorder{};
  player.volume.store(50 | 20 << 8);
  recorder.volume.store(40 | 100 << 8);
  for (const auto direction : {abi::kClientToServer, abi::kServerToClient}) {
    const Factors factors = factors_of(levels_of(mixer, direction, player, recorder));
    CHECK(factors.left == Approx(0.2));
    CHECK(factors.right == Approx(0.2));
  }
}
