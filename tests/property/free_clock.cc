#include "free_clock.h"

#include <algorithm>

namespace ossloop::property {
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
  config::set<"quality">(setup.policy,
                         chance.one_in(4) ? static_cast<std::uint32_t>(chance.between(1, 4)) : 0);
  setup.server_reads = chance.one_in(2);
  setup.player = {chance.pick(kFormats), static_cast<int>(chance.between(1, 3)),
                  chance.pick(kRates)};
  setup.recorder = setup.player;
  if (chance.one_in(2)) setup.recorder.afmt = chance.pick(kFormats);
  if (chance.one_in(3)) setup.recorder.channels = static_cast<int>(chance.between(1, 3));
  if (chance.one_in(6)) setup.recorder.rate_hz = chance.pick(kRates);
  return setup;
}

// Every bit pattern is a sound in the other formats; here some are none.
void plain_floats(Bytes& data) {
  for (std::size_t at = 3; at < data.size(); at += 4) data[at] &= std::byte{0xbf};
}

}  // namespace

FreeClockPlay::FreeClockPlay(Rig& rig, Chance& chance, Kills kills)
    : rig_(rig),
      chance_(chance),
      kills_(kills),
      setup_(choose_setup(chance)),
      model_(setup_),
      playing_(setup_.player) {
  rig_.begin(setup_);
  model_.plays(playing_);
  // A server that plays sleeps until the recorder starts.
  if (!setup_.server_reads) read(0);
}

void FreeClockPlay::write(std::size_t bytes) {
  Bytes data = chance_.bytes(bytes);
  if (playing_.afmt == audio::afmt::kFloat) plain_floats(data);
  auto& playback = rig_.player().playback;
  const bool streaming = playback.streaming();
  const std::uint64_t written = playback.flow().written();
  const std::uint64_t space = playback.space_frames(rig_.now);
  device::TransferResult step;
  if (!survives([&] { step = playback.write(data.data(), bytes, false, rig_.now); })) {
    return killed_writing(data, streaming, written);
  }
  hold(step.error == 0, "write: error ", step.error);
  hold(step.moved <= bytes, "write took more than there was");
  if (!streaming && playback.streaming()) model_.began();
  // A stream begins with its first whole frame.
  early_.insert(early_.end(), data.begin(), data.begin() + static_cast<std::ptrdiff_t>(step.moved));
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

// The segment says how far it came: whole frames, of what was to be written.
void FreeClockPlay::killed_writing(const Bytes& data, bool streaming, std::uint64_t written) {
  const auto& flow = rig_.player().playback.flow();
  if (!streaming && flow.streaming()) model_.began();
  early_.insert(early_.end(), data.begin(), data.end());
  const std::uint64_t frames = flow.written() - written;
  hold(frames == 0 || flow.streaming(), "frames without a stream");
  hold(model_.published(playing_, early_, frames, flow.written()),
       "a player that was killed has written more than it had");
  gone();
}

void FreeClockPlay::halt_player() {
  if (model_.changes_rate()) return;
  auto& playback = rig_.player().playback;
  auto& flow = playback.flow();
  // There is room for one request, and what one after it drops of the frames
  // between them is left open.
  if (halt_unseen()) return;
  const bool streaming = playback.streaming();
  const std::uint64_t queued = streaming ? playback.queued_frames(rig_.now) : 0;
  const std::uint64_t heard = flow.read_by_peer();
  const std::uint64_t asked = lane().producer.skips.load();
  if (!survives([&] { playback.halt(rig_.now); })) {
    if (lane().producer.skips.load() != asked) model_.dropped(queued);
    return gone();
  }
  early_.clear();
  // What is left is an earlier stream's.
  hold(playback.queued_frames(rig_.now) == 0 || model_.streams() > 1,
       "something is queued after a halt");
  hold(queued <= flow.written() - std::min(flow.written(), heard),
       "a halt would drop what was read");
  if (streaming) model_.dropped(queued);
}

void FreeClockPlay::trigger(bool armed) {
  const bool survived = survives([&] { rig_.player().playback.arm(armed, rig_.now); });
  armed_ = armed && survived;  // as far as is known
  if (!survived) gone();
}

void FreeClockPlay::change_format() {
  const auto& flow = rig_.player().playback.flow();
  if (flow.sections() - flow.section_read() >= abi::kMarks - 2) return;
  playing_.afmt = chance_.pick(kFormats);
  if (chance_.one_in(2)) playing_.channels = static_cast<int>(chance_.between(1, 3));
  // By a clock a filter works in other blocks, and rounds otherwise.
  const bool free =
      rig_.contract().policy.clock_mode.load() == static_cast<std::uint32_t>(abi::ClockMode::kFree);
  if (free && chance_.one_in(4)) playing_.rate_hz = chance_.pick(kRates);
  model_.plays(playing_);
  model_.dropped_rest();
  early_.clear();
  auto& half = rig_.player().half();
  const auto change = [&] {
    half.set_format(playing_);
    half.own().partial_bytes.store(0);
    half.set_buffering(device::default_buffering(playing_, half.buffer_ms()));
  };
  if (!survives(change)) gone();
}

void FreeClockPlay::close_player() {
  if (survives([&] { rig_.player().close(); })) witness_end();
  gone();
}

void FreeClockPlay::open_player() {
  if (!survives([&] { rig_.open_player(); })) return gone();
  player_is_there_ = true;
  armed_ = true;
}

void FreeClockPlay::kill_in_next_call() {
  const bool rings_count = chance_.one_in(3);
  kill_ = {chance_.up_to(rings_count ? 128 : 64) - 1, rings_count};
}

// What its end does not leave behind: half a frame.
void FreeClockPlay::gone() {
  player_is_there_ = false;
  early_.clear();
  playing_ = setup_.player;
  model_.dropped_rest();
}

// Whoever asks the kernel, or opens the side, sees that nobody has it.
void FreeClockPlay::witness_end() { rig_.player().vanish(); }

void FreeClockPlay::set_fragments(bool of_player) {
  auto& half = (of_player ? rig_.player() : rig_.recorder()).half();
  const auto word =
      static_cast<std::uint32_t>(chance_.between(4, 14) | chance_.between(0, 40) << 16);
  const bool chosen = chance_.one_in(2);
  const auto set = [&] {
    half.own().fragment_chosen.store(chosen ? word : 0);
    half.set_buffering(device::requested_buffering(word, half.format(), half.buffer_ms()));
  };
  if (!of_player) return set();
  if (!survives(set)) gone();
}

void FreeClockPlay::run() {
  const int steps = 4 * chance_.size();
  for (int i = 0; i < steps; ++i) {
    if (chance_.one_in(3)) {
      act_as_recorder();
    } else if (player_is_there_) {
      act_as_player();
    } else if (chance_.one_in(2)) {
      witness_end();
    } else {
      open_player();
    }
  }
  finish();
}

void FreeClockPlay::act_as_player() {
  switch (chance_.below(12)) {
    case 0:
      if (kills_ == Kills::kBetweenCalls || chance_.one_in(2)) {
        chance_.one_in(3) ? gone() : close_player();
      } else {
        kill_in_next_call();
      }
      break;
    case 1:
      halt_player();
      break;
    case 2:
      set_fragments(true);
      break;
    case 3:
      rig_.player().playback.ready(chance_.up_to(2000), rig_.now);
      break;
    case 4:
      trigger(chance_.one_in(2));
      break;
    case 5:
      change_format();
      break;
    default:
      write(chance_.up_to(4000));
      break;
  }
}

bool FreeClockPlay::halt_unseen() {
  return lane().producer.skips.load() != lane().consumer.skips_done.load();
}

void FreeClockPlay::finish() {
  if (player_is_there_) close_player();
  witness_end();
  rig_.contract().policy.clock_mode.store(static_cast<std::uint32_t>(abi::ClockMode::kFree));
  // As many streams without a frame may follow each other as have room.
  for (int idle = 0; idle < 2 * static_cast<int>(abi::kEnds);) {
    const std::size_t before = recorded_.size() + told();
    read(8192);
    idle = recorded_.size() + told() == before ? idle + 1 : 0;
    rig_.now += kSecond;
  }
  std::vector<std::size_t> ends;
  const Bytes expected = model_.expected(ends);
  if (gap_) bridge(expected);
  compare(expected);
  if (config::get<"eof", abi::Eof>(setup_.policy) == abi::Eof::kReset) {
    hold(ends == ends_, ends_.size(), " ends told of ", ends.size());
  } else if (config::get<"eof", abi::Eof>(setup_.policy) == abi::Eof::kEof) {
    ends.erase(std::unique(ends.begin(), ends.end()), ends.end());
    ends_.erase(std::unique(ends_.begin(), ends_.end()), ends_.end());
    hold(ends == ends_, "the ends of files are not where streams end");
  } else {
    hold(ends_.empty(), "an end told against the policy");
  }
}

// What goes on behind a gap is the end of all that was expected: so much is missing.
void FreeClockPlay::bridge(const Bytes& expected) {
  if (expected.size() < recorded_.size()) return;
  const std::size_t missing = expected.size() - recorded_.size();
  hold(missing <= gap_->most, "a killed reader has lost ", missing, " bytes in a read of ",
       gap_->most);
  const auto at = static_cast<std::ptrdiff_t>(gap_->at);
  recorded_.insert(recorded_.begin() + at, expected.begin() + at,
                   expected.begin() + at + static_cast<std::ptrdiff_t>(missing));
  for (std::size_t end = gap_->ends; end < ends_.size(); ++end) ends_[end] += missing;
}

void FreeClockPlay::compare(const Bytes& expected) const {
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

}  // namespace ossloop::property
