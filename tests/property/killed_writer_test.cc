// A process that shares the player's open is killed in a write: at any store of it, what
// another one writes then is whole frames, as it wrote them.
#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__)  // as stepper.h says
#include "rig.h"

using namespace ossloop;
using namespace ossloop::property;

namespace {

constexpr PcmFormat kThree{audio::afmt::kS16Le, 3, 48000};  // frames of 6 bytes

bool begins_with(const Bytes& all, std::size_t at, const Bytes& part, std::size_t bytes) {
  return std::equal(part.begin(), part.begin() + static_cast<std::ptrdiff_t>(bytes),
                    all.begin() + static_cast<std::ptrdiff_t>(at));
}

// All of `data`, with the frame that was begun or without it, behind so many bytes; but for
// what makes no whole frame.
bool holds(const Bytes& heard, std::size_t at, const Bytes& data) {
  const std::size_t whole = heard.size() - std::min(heard.size(), at);
  return whole <= data.size() && data.size() - whole < 6 && begins_with(heard, at, data, whole);
}

}  // namespace

TEST_CASE("frames stay whole after a writer was killed that shared its open") {
  constexpr std::size_t kAccepted = 16, kCutOff = 20, kNext = 48;
  Rig rig;
  Setup setup;
  config::set<"clock">(setup.policy, config::kFreeClock);
  setup.player = setup.recorder = kThree;
  const Bytes sent = test::noise(kAccepted + kCutOff), next = test::noise(kNext);
  std::uint64_t stores = 0;
  for (bool survived = false; !survived && stores < 100; ++stores) {
    INFO("killed before store " << stores);
    rig.begin(setup);
    auto write = [&](const std::byte* data, std::size_t bytes) {
      const auto step = rig.player().playback.write(data, bytes, false, rig.now);
      hold(step.moved == bytes, "there was no room");
    };
    write(sent.data(), kAccepted);
    rig.player().half().own().shared.store(1);
    survived = rig.player_survives(Rig::Kill{stores, true},
                                   [&] { write(sent.data() + kAccepted, kCutOff); });
    rig.change_player();
    write(next.data(), kNext);
    rig.player().close();
    Bytes heard(256);
    heard.resize(rig.reader().read(heard.data(), heard.size(), false, rig.now).moved);
    // So many frames of the two writes, the first one's at least; or the first one's bytes
    // and those of the next process behind them.
    bool right = begins_with(heard, 0, sent, kAccepted) && holds(heard, kAccepted, next);
    for (std::size_t frames = kAccepted / 6; frames <= (kAccepted + kCutOff) / 6; ++frames) {
      right = right || (begins_with(heard, 0, sent, frames * 6) && holds(heard, frames * 6, next));
    }
    CHECK(right);
  }
  CHECK(stores > 5);
}

#endif
