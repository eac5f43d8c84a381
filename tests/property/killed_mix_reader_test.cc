// A process that shares the open of a recorder that hears four players is killed in a
// read: at any store of it, another one goes on with all in step.
#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__)  // as stepper.h says
#include "rig.h"

using namespace ossloop;
using namespace ossloop::property;

namespace {

constexpr PcmFormat kFormat{audio::afmt::kS32Le, 1, 48000};
constexpr std::size_t kFrames = 1000;
constexpr std::uint32_t kPlayers = 4;
constexpr std::int32_t kRound = 127;
constexpr std::uint64_t kMostStores = 200;

// The frames of each carry their number, from 1 to 127 and round, in seven bits of their own.
Bytes numbered(std::uint32_t player) {
  std::vector<std::int32_t> samples(kFrames);
  for (std::size_t i = 0; i < kFrames; ++i) {
    samples[i] = (static_cast<std::int32_t>(i) % kRound + 1) << (7 * player);
  }
  Bytes data(kFrames * 4);
  std::memcpy(data.data(), samples.data(), data.size());
  return data;
}

bool in_step(std::int32_t sample) {
  const std::int32_t first = sample & 0x7f;
  return sample == (first | first << 7 | first << 14 | first << 21);
}

}  // namespace

TEST_CASE("players stay in step, and none is stuck, however a reader was killed") {
  Rig rig;
  Setup setup;
  config::set<"clock">(setup.policy, config::kFreeClock);
  config::set<"clients">(setup.policy, abi::kClients);
  setup.player = setup.recorder = kFormat;
  std::uint64_t stores = 0, out_of_step = 0;
  for (bool survived = false; !survived && stores < kMostStores; ++stores) {
    INFO("killed before store " << stores);
    rig.begin(setup);
    rig.player().close();
    std::unique_ptr<Opened> players[kPlayers];
    for (std::uint32_t slot = 0; slot < kPlayers; ++slot) {
      players[slot] =
          std::make_unique<Opened>(rig.segment(), abi::kClient, device::kWrite, kFormat, slot);
      const Bytes data = numbered(slot);
      players[slot]->playback.write(data.data(), data.size(), false, rig.now);
      players[slot]->close();
    }
    std::byte lost[300 * 4];
    survived = rig.reader_survives(Rig::Kill{stores, false},
                                   [&] { rig.reader().read(lost, sizeof lost, false, rig.now); });
    std::vector<std::int32_t> heard(2 * kFrames);
    const auto step = rig.reader().read(reinterpret_cast<std::byte*>(heard.data()),
                                        heard.size() * 4, false, rig.now);
    heard.resize(step.moved / 4);
    REQUIRE(heard.size() >= kFrames - 300);
    CHECK(rig.reader().read(lost, sizeof lost, false, rig.now).error == -ECONNRESET);
    if (!in_step(heard[heard.size() / 2])) ++out_of_step;
  }
  CHECK(stores > 10);
  // Between the two stores by which one of them goes on.
  CHECK(out_of_step <= kPlayers);
}

#endif
