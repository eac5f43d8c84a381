// In real time: sound keeps its order and its pace, silence goes in only where none
// came in time, and nothing is played before its time.
#include "base/wide.h"
#include "rig.h"

using namespace ossloop;
using namespace ossloop::property;

namespace {

// Frames carry their number, from 1 on: a silent one is silence that was put in.
constexpr PcmFormat kNumbered{audio::afmt::kS32Le, 1, 48000};

Setup choose_setup(Chance& chance) {
  Setup setup;
  config::set<"eof">(setup.policy, static_cast<abi::Eof>(chance.below(2) * 3));  // reset or wait
  config::set<"underrun">(setup.policy, static_cast<abi::Underrun>(chance.below(2)));
  config::set<"overrun">(setup.policy, static_cast<abi::Overrun>(chance.below(2)));
  config::set<"buffer_ms">(setup.policy, static_cast<std::uint32_t>(chance.between(20, 200)));
  config::set<"clock">(setup.policy, chance.one_in(3)
                                         ? static_cast<std::uint32_t>(chance.between(100, 8000))
                                         : 1000);
  config::set<"ppm">(
      setup.policy,
      chance.one_in(3) ? static_cast<std::int32_t>(chance.between(0, 400000)) - 200000 : 0);
  setup.server_reads = chance.one_in(2);
  setup.player = setup.recorder = kNumbered;
  setup.player.rate_hz = setup.recorder.rate_hz = chance.one_in(2) ? 48000 : 44100;
  return setup;
}

class Play {
 public:
  Play(Rig& rig, Chance& chance) : rig_(rig), chance_(chance), setup_(choose_setup(chance)) {
    rig_.begin(setup_);
    policy().clock_factor_milli.store(config::get<"clock">(setup_.policy));
    policy().ppm.store(config::get<"ppm">(setup_.policy));
    if (!setup_.server_reads) read(0);
  }

  void run() {
    const int steps = 3 * chance_.size();
    for (int i = 0; i < steps; ++i) {
      switch (chance_.below(10)) {
        case 0:
        case 1:
          pass(static_cast<std::int64_t>(chance_.up_to(400 * kMs)));
          break;
        case 2:
        case 3:
          pass(static_cast<std::int64_t>(chance_.up_to(20 * kMs)));
          break;
        case 4:
          policy().ppm.store(static_cast<std::int32_t>(chance_.between(0, 400000)) - 200000);
          faster(policy().clock_factor_milli.load(), policy().ppm.load());
          break;
        case 5:
        case 6:
          read(chance_.up_to(20000));
          break;
        default:
          write(chance_.up_to(20000));
          break;
      }
    }
    finish();
  }

 private:
  abi::Policy& policy() { return rig_.contract().policy; }
  abi::Consumer& counters() { return rig_.lane().consumer; }

  // The fastest that the clock may have gone: a speed is looked at in the next read,
  // which may come late, so both old and new count for the time between.
  void faster(std::uint32_t factor_milli, std::int32_t ppm) {
    next_speed_ =
        static_cast<base::Int128>(setup_.player.rate_hz) * factor_milli * (1'000'000 + ppm);
  }
  void pass(std::int64_t ns) {
    rig_.now += ns;
    if (started_) most_due_ += std::max(speed_, next_speed_) * ns;
  }

  void write(std::size_t frames) {
    std::vector<std::int32_t> block(frames);
    for (std::size_t i = 0; i < frames; ++i) block[i] = static_cast<std::int32_t>(sent_ + i + 1);
    const device::TransferResult step = rig_.player().playback.write(
        reinterpret_cast<std::byte*>(block.data()), frames * 4, false, rig_.now);
    hold(step.error == 0, "write: error ", step.error);
    hold(step.moved % 4 == 0 && step.moved <= frames * 4, "write took a strange count");
    sent_ += static_cast<std::int64_t>(step.moved / 4);
    const auto& half = rig_.player().half();
    hold(rig_.player().playback.queued_frames(rig_.now) <= half.buffer_frames(),
         "more is queued than fits");
    if (step.moved < frames * 4) {
      hold(step.wait.deadline_ns > rig_.now, "a writer would not sleep");
      hold(step.wait.deadline_ns <= rig_.now + 1'100'000'000, "a writer would sleep for long");
    }
  }

  void read(std::size_t frames) {
    std::vector<std::int32_t> block(frames);
    const device::TransferResult step = rig_.recorder().capture.read(
        reinterpret_cast<std::byte*>(block.data()), frames * 4, false, rig_.now);
    if (step.error != 0) {
      hold(step.error == -ECONNRESET && closed_, "read: error ", step.error);
      ended_ = true;
      return;
    }
    hold(step.moved % 4 == 0 && step.moved <= frames * 4, "read gave a strange count");
    const bool drops = config::get<"overrun", abi::Overrun>(setup_.policy) == abi::Overrun::kDrop;
    for (std::size_t i = 0; i < step.moved / 4; ++i) {
      if (block[i] == 0) {
        ++silent_;
        continue;
      }
      hold(drops ? block[i] > heard_ : block[i] == heard_ + 1, "frame ", block[i], " came after ",
           heard_);
      lost_ += block[i] - heard_ - 1;
      heard_ = block[i];
    }
    const std::int64_t given = static_cast<std::int64_t>(step.moved / 4);
    if (given > 0) hold(started_, "sound came before its time");
    given_ += given;
    // The first look that finds sound starts the clock.
    if (!started_ && sent_ > 0) {
      started_ = true;
      faster(policy().clock_factor_milli.load(), policy().ppm.load());
    }
    speed_ = next_speed_;
    constexpr base::Int128 kScale = static_cast<base::Int128>(1'000'000'000) * 1000 * 1'000'000;
    const auto due = static_cast<std::int64_t>(most_due_ / kScale) + 1 + speeds_;
    hold(given_ + lost_ <= due, given_ + lost_, " frames were given when ", due, " were due");
    if (step.moved < frames * 4 && !step.short_return) {
      hold(step.wait.deadline_ns > rig_.now, "a reader would not sleep");
      hold(step.wait.deadline_ns <= rig_.now + 1'100'000'000, "a reader would sleep for long");
    }
  }

  void finish() {
    rig_.player().close();
    closed_ = true;
    for (int idle = 0; idle < 30 && !ended_; ++idle) {
      const std::int64_t before = heard_;
      pass(100 * kMs);
      read(60000);
      if (heard_ != before) idle = 0;
    }
    hold(
        heard_ + (config::get<"overrun", abi::Overrun>(setup_.policy) == abi::Overrun::kDrop ? lost_
                                                                                             : 0) >=
                sent_ ||
            lost_ > 0 || heard_ == sent_,
        heard_, " of ", sent_, " frames were heard");
    if (config::get<"overrun", abi::Overrun>(setup_.policy) == abi::Overrun::kWait) {
      hold(heard_ == sent_, heard_, " of ", sent_, " frames were heard");
      hold(lost_ == 0, "frames were lost");
    } else {
      hold(lost_ + (sent_ - heard_) == static_cast<std::int64_t>(counters().dropped_frames.load()),
           "lost frames were not counted");
    }
    if (config::get<"underrun", abi::Underrun>(setup_.policy) == abi::Underrun::kStall)
      hold(silent_ == 0, "silence where the clock should wait");
    hold(silent_ == static_cast<std::int64_t>(counters().silence_frames.load()),
         "silence was not counted");
  }

  Rig& rig_;
  Chance& chance_;
  const Setup setup_;
  std::int64_t sent_ = 0, heard_ = 0, lost_ = 0, silent_ = 0, given_ = 0;
  base::Int128 speed_ = 0, next_speed_ = 0, most_due_ = 0;
  std::int64_t speeds_ = 0;
  bool started_ = false, closed_ = false, ended_ = false;
};

// A player that keeps its buffer full and a recorder that fetches in time hear
// nothing but the clock.
void keeps_pace(Rig& rig, Chance& chance) {
  Setup setup;
  config::set<"buffer_ms">(setup.policy, 200);
  setup.player = setup.recorder = kNumbered;
  setup.player.rate_hz = setup.recorder.rate_hz = static_cast<int>(chance.between(5000, 192000));
  config::set<"ppm">(setup.policy, static_cast<std::int32_t>(chance.between(0, 400000)) - 200000);
  rig.begin(setup);
  static std::vector<std::int32_t> block(100000);
  auto* bytes = reinterpret_cast<std::byte*>(block.data());
  std::int64_t start_ns = 0, got = 0;
  const int rounds = 20 * chance.size();
  for (int round = 0; round < rounds; ++round) {
    rig.player().playback.write(bytes, block.size() * 4, false, rig.now);
    const auto step = rig.recorder().capture.read(bytes, block.size() * 4, false, rig.now);
    hold(step.error == 0, "read: error ", step.error);
    if (start_ns == 0) start_ns = rig.now;
    got += static_cast<std::int64_t>(step.moved / 4);
    const base::Int128 elapsed = rig.now - start_ns;
    const auto due = static_cast<std::int64_t>(elapsed * setup.player.rate_hz *
                                               (1'000'000 + config::get<"ppm">(setup.policy)) /
                                               1'000'000'000 / 1'000'000);
    hold(got >= due - 1 && got <= due + 1, got, " frames after ", rig.now - start_ns, " ns, due ",
         due);
    rig.now += static_cast<std::int64_t>(chance.up_to(100 * kMs));
  }
}

}  // namespace

TEST_CASE("in real time: no frame is lost, doubled or early, silence is counted") {
  run_cases("injected clock", [](Rig& rig, Chance& chance) { Play(rig, chance).run(); });
}

TEST_CASE("in real time: frames given are elapsed time times rate, within one") {
  run_cases("pace", keeps_pace);
}
