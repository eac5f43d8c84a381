// With a free clock a loop is a pipe that converts: what comes out depends on
// what went in and on nothing else.
#include <algorithm>

#include "model.h"

using namespace ossloop;
using namespace ossloop::property;

namespace {

constexpr int kFormats[] = {audio::afmt::kU8,    audio::afmt::kS16Le,    audio::afmt::kS16Be,
                            audio::afmt::kS24Le, audio::afmt::kS32Le,    audio::afmt::kFloat,
                            audio::afmt::kMuLaw, audio::afmt::kS24Packed};
constexpr int kRates[] = {8000, 11025, 16000, 44100, 48000, 96000};

Setup choose_setup(Chance& chance) {
  Setup setup;
  config::set<"clock">(setup.policy, config::kFreeClock);
  config::set<"eof">(setup.policy, static_cast<abi::Eof>(chance.below(4)));
  config::set<"underrun">(setup.policy, static_cast<abi::Underrun>(chance.below(2)));
  config::set<"overrun">(setup.policy, static_cast<abi::Overrun>(chance.below(2)));
  config::set<"buffer_ms">(setup.policy, static_cast<std::uint32_t>(chance.between(20, 100)));
  config::set<"quality">(setup.policy, static_cast<std::uint32_t>(chance.below(5)));
  setup.server_reads = chance.one_in(2);
  setup.player = {chance.pick(kFormats), static_cast<int>(chance.between(1, 3)),
                  chance.pick(kRates)};
  setup.recorder = setup.player;
  if (chance.one_in(2)) setup.recorder.afmt = chance.pick(kFormats);
  if (chance.one_in(3)) setup.recorder.channels = static_cast<int>(chance.between(1, 3));
  if (chance.one_in(6)) setup.recorder.rate_hz = chance.pick(kRates);
  return setup;
}

// Both programs, and the model that is told of all they do.
class Play {
 public:
  Play(Rig& rig, Chance& chance)
      : rig_(rig),
        chance_(chance),
        setup_(choose_setup(chance)),
        model_(setup_),
        playing_(setup_.player) {
    rig_.begin(setup_);
    model_.plays(playing_);
    // A server that plays sleeps until the recorder starts.
    if (!setup_.server_reads) read(0);
  }

  void write(std::size_t bytes) {
    Bytes data(bytes);
    for (std::byte& value : data) value = static_cast<std::byte>(chance_.below(256));
    if (playing_.afmt == audio::afmt::kFloat) plain_floats(data);
    auto& playback = rig_.player().playback;
    const bool streaming = playback.streaming();
    const std::uint64_t space = playback.space_frames(rig_.now);
    const device::TransferResult step = playback.write(data.data(), bytes, false, rig_.now);
    hold(step.error == 0, "write: error " + std::to_string(step.error));
    hold(step.moved <= bytes, "write took more than there was");
    if (!streaming && playback.streaming()) model_.began();
    // A stream begins with its first whole frame.
    early_.insert(early_.end(), data.begin(),
                  data.begin() + static_cast<std::ptrdiff_t>(step.moved));
    if (playback.streaming() && !early_.empty()) {
      model_.accepted(playing_, early_.data(), early_.size(), playback.flow().written());
      early_.clear();
    }
    const auto frame = static_cast<std::size_t>(playing_.frame_bytes());
    // Of a frame that was begun before, the rest is all that is taken.
    if (streaming)
      hold(step.moved + frame > std::min(bytes, space * frame),
           "write took less than the space told");
  }

  void read(std::size_t bytes) {
    Bytes block(bytes);
    auto& capture = rig_.reader();
    // Asking converts ahead; so do not always ask.
    const bool asks = chance_.one_in(4);
    const auto frame = static_cast<std::size_t>(setup_.recorder.frame_bytes());
    const std::uint64_t available = asks && bytes > 0 ? capture.available_frames(rig_.now) : 0;
    const device::TransferResult step = capture.read(block.data(), bytes, false, rig_.now);
    hold(step.moved <= bytes, "read gave more than was asked");
    hold(step.moved >= std::min(bytes, available * frame), "read gave less than was told");
    recorded_.insert(recorded_.end(), block.begin(),
                     block.begin() + static_cast<std::ptrdiff_t>(step.moved));
    if (step.error != 0) {
      hold(step.error == -ECONNRESET &&
               config::get<"eof", abi::Eof>(setup_.policy) == abi::Eof::kReset,
           "read: error " + std::to_string(step.error));
      hold(step.moved == 0, "an error with bytes");
      ends_.push_back(recorded_.size());
    } else if (step.short_return && step.moved == 0 && bytes > 0) {
      hold(config::get<"eof", abi::Eof>(setup_.policy) == abi::Eof::kEof,
           "an end of file that the policy does not have");
      if (ends_.empty() || ends_.back() != recorded_.size()) ends_.push_back(recorded_.size());
    }
  }

  void halt_player() {
    if (model_.changes_rate()) return;
    auto& playback = rig_.player().playback;
    auto& flow = playback.flow();
    // There is room for one request, and what one after it drops of the frames
    // between them is left open.
    if (halt_unseen()) return;
    const bool streaming = playback.streaming();
    const std::uint64_t queued = streaming ? playback.queued_frames(rig_.now) : 0;
    const std::uint64_t heard = flow.read_by_peer();
    playback.halt(rig_.now);
    early_.clear();
    // What is left is an earlier stream's.
    hold(playback.queued_frames(rig_.now) == 0 || model_.streams() > 1,
         "something is queued after a halt");
    hold(queued <= flow.written() - std::min(flow.written(), heard),
         "a halt would drop what was read");
    if (streaming) model_.dropped(queued);
  }

  void halt_recorder() {
    // Of a frame that was read in part the rest would be lost.
    const auto frame = static_cast<std::size_t>(setup_.recorder.frame_bytes());
    if (model_.changes_rate() || recorded_.size() % frame != 0) return;
    auto& capture = rig_.reader();
    auto& flow = capture.flow();
    const std::uint64_t from = flow.read();
    const bool all =
        flow.running() && flow.free_clock() && model_.streams() == 1 && armed_ && !halt_unseen();
    const std::uint64_t written = flow.written_by_peer();
    capture.halt(rig_.now);
    hold(!flow.running(), "it records after a halt");
    hold(!all || flow.read() == written, "a halt left something to be heard");
    model_.dropped(from, flow.read());
  }

  // What is written now waits for the trigger, or that comes.
  void trigger(bool armed) {
    armed_ = armed;
    rig_.player().playback.arm(armed, rig_.now);
  }

  // By a clock nothing is lost or put in where both sides wait for each other. The
  // recorder looks: what it knew to be there counted as played.
  void change_clock() {
    const auto& policy = setup_.policy;
    if (model_.changes_rate()) return;  // the filter rounds otherwise
    if (config::get<"underrun", abi::Underrun>(policy) != abi::Underrun::kStall ||
        config::get<"overrun", abi::Overrun>(policy) != abi::Overrun::kWait ||
        config::get<"eof", abi::Eof>(policy) == abi::Eof::kSilence) {
      return;
    }
    auto& mode = rig_.contract().policy.clock_mode;
    const auto next = mode.load() == static_cast<std::uint32_t>(abi::ClockMode::kFree)
                          ? abi::ClockMode::kRealtime
                          : abi::ClockMode::kFree;
    mode.store(static_cast<std::uint32_t>(next));
    rig_.reader().ready(1, rig_.now);
  }

  // What is written from now on is of another format, a rest of a frame is not.
  void change_format() {
    const auto& flow = rig_.player().playback.flow();
    if (flow.sections() - flow.section_read() >= abi::kMarks - 2) return;
    playing_.afmt = chance_.pick(kFormats);
    if (chance_.one_in(2)) playing_.channels = static_cast<int>(chance_.between(1, 3));
    // By a clock a filter works in other blocks, and rounds otherwise.
    const bool free = rig_.contract().policy.clock_mode.load() ==
                      static_cast<std::uint32_t>(abi::ClockMode::kFree);
    if (free && chance_.one_in(4)) playing_.rate_hz = chance_.pick(kRates);
    model_.plays(playing_);
    model_.dropped_rest();
    early_.clear();
    auto& half = rig_.player().half();
    half.set_format(playing_);
    half.own().partial_bytes.store(0);
    half.set_buffering(device::default_buffering(playing_, half.buffer_ms()));
  }

  void close_player(bool killed) {
    armed_ = true;
    early_.clear();
    playing_ = setup_.player;
    if (killed) {
      // What a kill does not leave behind: half a frame.
      rig_.player().vanish();
    } else {
      rig_.player().close();
    }
    model_.dropped_rest();
    rig_.open_player();
  }

  void set_fragments() {
    auto& half = (chance_.one_in(2) ? rig_.player() : rig_.recorder()).half();
    const auto word =
        static_cast<std::uint32_t>(chance_.between(4, 14) | chance_.between(0, 40) << 16);
    half.own().fragment_chosen.store(chance_.one_in(2) ? word : 0);
    half.set_buffering(device::requested_buffering(word, half.format(), half.buffer_ms()));
  }

  void run() {
    const int steps = 4 * chance_.size();
    for (int i = 0; i < steps; ++i) {
      switch (chance_.below(18)) {
        case 0:
          close_player(chance_.one_in(3));
          break;
        case 1:
          halt_player();
          break;
        case 2:
          set_fragments();
          break;
        case 3:
          rig_.now += static_cast<std::int64_t>(chance_.up_to(1ULL << 40));
          break;
        case 4:
          rig_.reader().ready(chance_.up_to(2000), rig_.now);
          break;
        case 5:
          rig_.player().playback.ready(chance_.up_to(2000), rig_.now);
          break;
        case 6:
          halt_recorder();
          break;
        case 7:
          trigger(chance_.one_in(2));
          break;
        case 8:
          change_clock();
          break;
        case 9:
          change_format();
          break;
        case 10:
          rig_.change_reader(chance_.one_in(2));
          break;
        case 11:
        case 12:
        case 13:
          read(chance_.up_to(4000));
          break;
        default:
          write(chance_.up_to(4000));
          break;
      }
    }
    finish();
  }

 private:
  // Every bit pattern is a sound in the other formats; here some are none.
  static void plain_floats(Bytes& data) {
    for (std::size_t at = 3; at < data.size(); at += 4) data[at] &= std::byte{0xbf};
  }

  // Has the recorder still to drop what a halt of the player asked it to?
  bool halt_unseen() {
    const auto& [producer, consumer] = rig_.lane();
    return producer.skips.load() != consumer.skips_done.load();
  }

  void finish() {
    close_player(false);
    rig_.contract().policy.clock_mode.store(static_cast<std::uint32_t>(abi::ClockMode::kFree));
    // As many streams without a frame may follow each other as have room.
    for (int idle = 0; idle < 2 * static_cast<int>(abi::kEnds);) {
      const std::size_t before = recorded_.size() + ends_.size();
      read(8192);
      idle = recorded_.size() + ends_.size() == before ? idle + 1 : 0;
      rig_.now += kSecond;
    }
    std::vector<std::size_t> ends;
    const Bytes expected = model_.expected(ends);
    compare(expected);
    if (config::get<"eof", abi::Eof>(setup_.policy) == abi::Eof::kReset) {
      hold(ends == ends_,
           std::to_string(ends_.size()) + " ends told of " + std::to_string(ends.size()));
    } else if (config::get<"eof", abi::Eof>(setup_.policy) == abi::Eof::kEof) {
      ends.erase(std::unique(ends.begin(), ends.end()), ends.end());
      hold(ends == ends_, "the ends of files are not where streams end");
    } else {
      hold(ends_.empty(), "an end told against the policy");
    }
  }

  void compare(const Bytes& expected) const {
    const auto differs =
        std::mismatch(expected.begin(), expected.end(), recorded_.begin(), recorded_.end());
    if (differs.first == expected.end() && differs.second == recorded_.end()) return;
    std::ostringstream text;
    text << "recorded " << recorded_.size() << " bytes of " << expected.size()
         << ", the first other at " << differs.first - expected.begin() << " ("
         << audio::find_format(setup_.player.afmt)->name << " " << setup_.player.channels << " "
         << setup_.player.rate_hz << " to " << audio::find_format(setup_.recorder.afmt)->name << " "
         << setup_.recorder.channels << " " << setup_.recorder.rate_hz << ", server "
         << (setup_.server_reads ? "reads" : "writes") << ")";
    throw Broken(text.str());
  }

  Rig& rig_;
  Chance& chance_;
  const Setup setup_;
  Model model_;
  PcmFormat playing_;
  Bytes early_;  // of a frame that is not yet whole, and of no stream
  Bytes recorded_;
  std::vector<std::size_t> ends_;
  bool armed_ = true;
};

}  // namespace

TEST_CASE("a free clock: whatever the calls, what is recorded is what was played") {
  run_cases("free clock", [](Rig& rig, Chance& chance) { Play(rig, chance).run(); });
}
