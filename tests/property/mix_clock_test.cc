// Several players by a clock: each one's sound keeps its order, and silence goes in where its
// own did not come in time, whatever the others do.
#include <array>

#include "base/wide.h"
#include "rig.h"

using namespace ossloop;
using namespace ossloop::property;

namespace {

constexpr PcmFormat kFormat{audio::afmt::kS32Le, 1, 48000};
constexpr std::uint32_t kPlayers = 4;
// The frames of each carry their number, from 1 to 127 and round, in bits of their own: 0 is
// silence.
constexpr int kBits = 7;
constexpr std::int32_t kRound = 127;

Setup choose_setup(Chance& chance) {
  Setup setup;
  config::set<"clients">(setup.policy, abi::kClients);
  config::set<"underrun">(setup.policy, static_cast<abi::Underrun>(chance.below(2)));
  config::set<"buffer_ms">(setup.policy, static_cast<std::uint32_t>(chance.between(20, 200)));
  config::set<"clock">(setup.policy, static_cast<std::uint32_t>(
                                         chance.one_in(3) ? chance.between(100, 8000) : 1000));
  setup.player = setup.recorder = kFormat;
  return setup;
}

class Play {
 public:
  Play(Rig& rig, Chance& chance) : rig_(rig), chance_(chance), setup_(choose_setup(chance)) {
    rig_.begin(setup_);
    rig_.player().close();
    read(1);
  }

  void run() {
    const int steps = 6 * chance_.size();
    for (int i = 0; i < steps; ++i) {
      switch (chance_.below(8)) {
        case 0:
          pass(static_cast<std::int64_t>(chance_.up_to(400 * kMs)));
          break;
        case 1:
        case 2:
          pass(static_cast<std::int64_t>(chance_.up_to(20 * kMs)));
          break;
        case 3:
        case 4:
          read(chance_.up_to(20000));
          break;
        default:
          act(players_[chance_.below(kPlayers)]);
          break;
      }
    }
    finish();
  }

 private:
  struct Player {
    std::unique_ptr<Opened> opened;
    bool closed = false;
    std::int64_t sent = 0, heard = 0, silent = 0, since_heard = 0;
  };
  std::uint32_t slot_of(const Player& player) const {
    return static_cast<std::uint32_t>(&player - players_.data()) * 2 + 1;
  }
  abi::Consumer& counters(const Player& player) {
    return rig_.contract().direction[abi::kClientToServer].lane[slot_of(player)].consumer;
  }
  void pass(std::int64_t ns) { rig_.now += ns; }

  void act(Player& player) {
    if (player.closed) return;
    if (player.opened == nullptr) {
      player.opened = std::make_unique<Opened>(rig_.segment(), abi::kClient, device::kWrite,
                                               kFormat, slot_of(player));
    }
    if (player.sent > 0 && chance_.one_in(40)) return close(player);
    const std::size_t frames = chance_.up_to(20000);
    std::vector<std::int32_t> block(frames);
    const int shift = kBits * static_cast<int>(&player - players_.data());
    for (std::size_t i = 0; i < frames; ++i) {
      const auto number =
          static_cast<std::int32_t>((player.sent + static_cast<std::int64_t>(i)) % kRound);
      block[i] = (number + 1) << shift;
    }
    const auto step = player.opened->playback.write(reinterpret_cast<std::byte*>(block.data()),
                                                    frames * 4, false, rig_.now);
    hold(step.error == 0 && step.moved % 4 == 0, "write: error ", step.error);
    player.sent += static_cast<std::int64_t>(step.moved / 4);
  }

  void close(Player& player) {
    player.closed = true;
    if (player.opened != nullptr) player.opened->close();
  }

  void read(std::size_t frames) {
    std::vector<std::int32_t> block(frames);
    const auto step = rig_.recorder().capture.read(reinterpret_cast<std::byte*>(block.data()),
                                                   frames * 4, false, rig_.now);
    hold(step.error == 0 || step.error == -ECONNRESET, "read: error ", step.error);
    for (std::size_t i = 0; i < step.moved / 4; ++i) {
      for (std::uint32_t p = 0; p < kPlayers; ++p) {
        hear(players_[p], (block[i] >> (kBits * static_cast<int>(p))) & ((1 << kBits) - 1));
      }
    }
    if (step.moved < frames * 4 && step.error == 0 && !step.short_return) {
      hold(step.wait.deadline_ns > rig_.now && step.wait.deadline_ns <= rig_.now + 2 * kSecond,
           "a reader would sleep for ", step.wait.deadline_ns - rig_.now, " ns");
    }
  }

  void hear(Player& player, std::int32_t number) {
    if (number == 0) {
      ++player.since_heard;
      return;
    }
    hold(number == player.heard % kRound + 1, "player ", slot_of(player), ": ", number,
         " came after ", player.heard);
    if (player.heard > 0) player.silent += player.since_heard;
    player.since_heard = 0;
    ++player.heard;
  }

  void finish() {
    for (Player& player : players_) close(player);
    for (int i = 0; i < 60; ++i) {
      pass(100 * kMs);
      read(60000);
    }
    for (Player& player : players_) {
      hold(player.heard == player.sent, "player ", slot_of(player), ": ", player.heard, " of ",
           player.sent, " frames were heard");
      const auto silent = static_cast<std::int64_t>(counters(player).silence_frames.load());
      // What it was late by at its end is silence, too.
      hold(silent >= player.silent && silent <= player.silent + player.since_heard, "player ",
           slot_of(player), ": ", player.silent, " silent frames, counted ", silent);
      if (config::get<"underrun", abi::Underrun>(setup_.policy) == abi::Underrun::kStall) {
        hold(silent == 0, "silence where the clock should wait");
      }
    }
  }

  Rig& rig_;
  Chance& chance_;
  const Setup setup_;
  std::array<Player, kPlayers> players_;
};

}  // namespace

TEST_CASE("a mix in real time: each player keeps its order, and silence is its own") {
  run_cases("mix, injected clock", [](Rig& rig, Chance& chance) { Play(rig, chance).run(); });
}
