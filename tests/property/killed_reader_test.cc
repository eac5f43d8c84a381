// A process that shares the recorder's open is killed in the read that would have told an
// end: at any store of it, another one finds the next stream as it should be.
#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__)  // as stepper.h says
#include "model.h"

using namespace ossloop;
using namespace ossloop::property;

namespace {

constexpr PcmFormat kPlayed{audio::afmt::kS16Le, 1, 48000};

class Play {
 public:
  Play(Rig& rig, int rate_hz, abi::Eof eof, bool free_clock) : rig_(rig) {
    if (free_clock) config::set<"clock">(setup_.policy, config::kFreeClock);
    config::set<"eof">(setup_.policy, eof);
    setup_.player = kPlayed;
    setup_.recorder = {audio::afmt::kS16Le, 1, rate_hz};
    rig_.begin(setup_);
  }

  Bytes play(std::size_t frames) {
    if (played_) rig_.open_player();
    played_ = true;
    Bytes data = test::noise(frames * 2);
    const auto step = rig_.player().playback.write(data.data(), data.size(), false, rig_.now);
    hold(step.moved == data.size(), "there was no room");
    return data;
  }
  // At most so many bytes.
  Bytes read(std::size_t bytes) {
    Bytes data(bytes);
    const auto step = rig_.reader().read(data.data(), data.size(), false, rig_.now);
    data.resize(step.moved);
    return data;
  }
  // False if it was killed.
  bool read_end(std::uint64_t stores) {
    std::byte data[64];
    const auto call = [&] { rig_.reader().read(data, sizeof data, false, rig_.now); };
    return rig_.reader_survives(Rig::Kill{stores, false}, call);
  }
  Bytes converted(const Bytes& data) const {
    Model model(setup_);
    model.began();
    model.accepted(kPlayed, data.data(), data.size(), data.size() / 2);
    std::vector<std::size_t> ends;
    return model.expected(ends);
  }

 private:
  Rig& rig_;
  Setup setup_;
  bool played_ = false;
};

constexpr std::uint64_t kMostStores = 100;

}  // namespace

TEST_CASE("the next stream is converted for itself after a reader was killed in an end") {
  Rig rig;
  for (const abi::Eof eof : {abi::Eof::kReset, abi::Eof::kEof, abi::Eof::kWait}) {
    // A filter begins for few frames, and for so many that it is full.
    for (const std::size_t frames : {3, 900}) {
      std::uint64_t stores = 0;
      for (bool survived = false; !survived && stores < kMostStores; ++stores) {
        INFO("killed before store " << stores << " with eof " << static_cast<int>(eof));
        Play play(rig, 44100, eof, true);
        const Bytes first = play.play(frames);
        rig.player().close();
        REQUIRE(play.read(play.converted(first).size()) == play.converted(first));
        survived = play.read_end(stores);
        const Bytes second = play.play(700);
        rig.player().close();
        Bytes heard = play.read(8192);
        if (heard.empty()) heard = play.read(8192);  // the end was not told yet
        CHECK(heard == play.converted(second));
      }
      CHECK(stores > 5);
    }
  }
}

TEST_CASE("a recorder that is stopped by an end has nothing to read, however a reader was killed") {
  Rig rig;
  std::uint64_t stores = 0;
  for (bool survived = false; !survived && stores < kMostStores; ++stores) {
    INFO("killed before store " << stores);
    Play play(rig, kPlayed.rate_hz, abi::Eof::kReset, false);
    play.read(64);
    play.play(480);
    play.read(64);
    rig.player().close();
    rig.now += kSecond;
    play.read(8192);
    survived = play.read_end(stores);
    play.play(480);
    rig.now += kSecond;
    const std::size_t told = rig.reader().available_frames(rig.now);
    CHECK(play.read(8192).size() >= told * 2);
  }
  CHECK(stores > 5);
}

#endif
