#include "mix.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "audio/codec.h"

namespace ossloop::property {
namespace {

constexpr int kServerFormats[] = {audio::afmt::kS16Le, audio::afmt::kS32Le,
                                  audio::afmt::kFloat, audio::afmt::kMuLaw,
                                  audio::afmt::kU8,    audio::afmt::kS24Packed};
constexpr int kFormats[] = {audio::afmt::kU8,    audio::afmt::kS16Le,    audio::afmt::kS16Be,
                            audio::afmt::kS24Le, audio::afmt::kS32Le,    audio::afmt::kFloat,
                            audio::afmt::kMuLaw, audio::afmt::kS24Packed};
constexpr int kRates[] = {8000, 11025, 16000, 44100, 48000, 96000};
// Eight of them together clip nothing, whatever a filter adds.
constexpr double kLoudest = 0.05;

Setup choose_setup(Chance& chance) {
  Setup setup;
  config::set<"clock">(setup.policy, config::kFreeClock);
  config::set<"clients">(setup.policy, abi::kClients);
  config::set<"eof">(setup.policy, static_cast<abi::Eof>(chance.below(4)));
  config::set<"underrun">(setup.policy, static_cast<abi::Underrun>(chance.below(2)));
  config::set<"overrun">(setup.policy, static_cast<abi::Overrun>(chance.below(2)));
  config::set<"buffer_ms">(setup.policy, static_cast<std::uint32_t>(chance.between(20, 100)));
  config::set<"quality">(setup.policy, 0);
  setup.recorder = {chance.pick(kServerFormats), static_cast<int>(chance.between(1, 3)),
                    chance.pick(kRates)};
  setup.player = setup.recorder;
  return setup;
}

std::size_t frame_of(const PcmFormat& format) {
  return static_cast<std::size_t>(format.frame_bytes());
}

}  // namespace

MixPlay::MixPlay(Rig& rig, Chance& chance, Kills kills)
    : rig_(rig),
      chance_(chance),
      kills_(kills),
      setup_(choose_setup(chance)),
      count_(static_cast<std::uint32_t>(chance.between(1, abi::kClients))) {
  rig_.begin(setup_);
  rig_.player().close();
}

abi::Lane& MixPlay::lane(std::uint32_t slot) {
  return rig_.contract().direction[abi::kClientToServer].lane[slot];
}

// Only then a next one may begin, or nobody could tell where this one joined.
bool MixPlay::last_is_known(std::uint32_t slot) {
  const Player& player = players_[slot];
  return player.streams.empty() || player.streams.back().joined ||
         lane(slot).consumer.acknowledged_stream.load() >= player.streams.back().number;
}

PcmFormat MixPlay::choose_format() {
  PcmFormat format = setup_.recorder;
  if (chance_.one_in(2)) format.afmt = chance_.pick(kFormats);
  if (chance_.one_in(3)) format.channels = static_cast<int>(chance_.between(1, 3));
  if (chance_.one_in(4)) format.rate_hz = chance_.pick(kRates);
  return format;
}

Bytes MixPlay::quiet_sound(const PcmFormat& format, std::size_t bytes) {
  const std::size_t frames = bytes / frame_of(format) + 1;
  std::vector<double> samples(frames * static_cast<std::size_t>(format.channels));
  for (double& sample : samples) {
    sample = (static_cast<double>(chance_.below(2001)) / 1000 - 1) * kLoudest;
  }
  Bytes data(frames * frame_of(format));
  audio::find_codec(format.afmt)->encode(samples.data(), data.data(), samples.size());
  data.resize(bytes);
  return data;
}

template <typename Call>
bool MixPlay::survives(Call call) {
  std::optional<Rig::Kill> kill;
  if (kills_ == Kills::kOfPlayers && chance_.one_in(12)) kill = {chance_.up_to(64) - 1, false};
  if (rig_.player_survives(kill, call)) return true;
  // One process has them all.
  process_died_ = true;
  return false;
}

void MixPlay::open(std::uint32_t slot) {
  Player& player = players_[slot];
  if (!last_is_known(slot)) return;
  if (player.opened) player.opened->vanish();
  player.format = choose_format();
  player.changes_rate = player.changes_rate || player.format.rate_hz != setup_.recorder.rate_hz;
  player.opened.reset();
  player.opened =
      std::make_unique<Opened>(rig_.segment(), abi::kClient, device::kWrite, player.format, slot);
  player.is_there = true;
}

void MixPlay::write(std::uint32_t slot, std::size_t bytes) {
  Player& player = players_[slot];
  auto& playback = player.opened->playback;
  const bool streaming = playback.streaming();
  const std::uint64_t written = playback.flow().written();
  // A frame that was begun goes on.
  const std::size_t begun = player.opened->half().own().partial_bytes.load();
  Bytes data = quiet_sound(player.format, begun + bytes);
  data.erase(data.begin(), data.begin() + static_cast<std::ptrdiff_t>(begun));
  device::TransferResult step;
  const bool survived =
      survives([&] { step = playback.write(data.data(), bytes, false, rig_.now); });
  // What a killed one has written, the segment says: whole frames.
  const std::uint64_t frames = playback.flow().written() - written;
  if (!streaming && playback.flow().stream() > 0 &&
      (player.streams.empty() || player.streams.back().number != playback.flow().stream())) {
    player.streams.emplace_back(setup_, playback.flow().stream());
  }
  Bytes& early = player.early;
  if (!survived) {
    early.insert(early.end(), data.begin(), data.end());
    hold(frames == 0 || player.streams.back().model.published(player.format, early, frames,
                                                              playback.flow().written()),
         "a player that was killed has written more than it had");
    return gone(player);
  }
  hold(step.error == 0, "write: error ", step.error);
  early.insert(early.end(), data.begin(), data.begin() + static_cast<std::ptrdiff_t>(step.moved));
  if (!playback.streaming() || early.empty()) return;
  player.streams.back().model.accepted(player.format, early.data(), early.size(),
                                       playback.flow().written());
  early.clear();
}

void MixPlay::change_format(Player& player) {
  const auto& flow = player.opened->playback.flow();
  if (flow.sections() - flow.section_read() >= abi::kMarks - 2) return;
  player.format = choose_format();
  player.changes_rate = player.changes_rate || player.format.rate_hz != setup_.recorder.rate_hz;
  if (!player.streams.empty()) player.streams.back().model.dropped_rest();
  player.early.clear();
  auto& half = player.opened->half();
  const auto change = [&] {
    half.set_format(player.format);
    half.own().partial_bytes.store(0);
    half.set_buffering(device::default_buffering(player.format, half.buffer_ms()));
  };
  if (!survives(change)) gone(player);
}

void MixPlay::halt(std::uint32_t slot) {
  Player& player = players_[slot];
  auto& playback = player.opened->playback;
  abi::Lane& shared = lane(slot);
  if (player.changes_rate || !playback.streaming()) return;
  if (shared.producer.skips.load() != shared.consumer.skips_done.load()) return;
  const std::uint64_t queued = playback.queued_frames(rig_.now);
  const std::uint64_t asked = shared.producer.skips.load();
  const bool survived = survives([&] { playback.halt(rig_.now); });
  player.early.clear();
  const bool dropped = survived || shared.producer.skips.load() != asked;
  if (dropped) player.streams.back().model.dropped(queued);
  if (!survived) gone(player);
}

void MixPlay::close(Player& player) {
  survives([&] { player.opened->close(); });
  gone(player);
}

void MixPlay::gone(Player& player) {
  player.is_there = false;
  if (!player.streams.empty()) player.streams.back().model.dropped_rest();
  player.early.clear();
}

void MixPlay::act_as_player(std::uint32_t slot) {
  Player& player = players_[slot];
  if (!player.is_there) {
    // Whoever asks the kernel sees that nobody has the side.
    if (player.opened) player.opened->vanish();
    if (chance_.one_in(2)) open(slot);
    return;
  }
  switch (chance_.below(12)) {
    case 0:
      chance_.one_in(3) ? gone(player) : close(player);
      break;
    case 1:
      halt(slot);
      break;
    case 2:
      change_format(player);
      break;
    case 3: {
      const bool armed = chance_.one_in(2);
      if (!survives([&] { player.opened->playback.arm(armed, rig_.now); })) gone(player);
      break;
    }
    default:
      write(slot, chance_.up_to(4000));
      break;
  }
}

void MixPlay::see_who_joined() {
  for (std::uint32_t slot = 0; slot < count_; ++slot) {
    Player& player = players_[slot];
    const abi::Consumer& consumer = lane(slot).consumer;
    if (player.streams.empty() || player.streams.back().joined) continue;
    if (consumer.joined_stream.load() != player.streams.back().number) continue;
    player.streams.back().joined = consumer.joined_frame.load();
  }
}

void MixPlay::read(std::size_t bytes, const std::optional<Rig::Kill>& kill) {
  Bytes block(bytes);
  auto& capture = rig_.reader();
  const bool asks = chance_.one_in(4);
  const std::size_t told =
      asks ? capture.available_frames(rig_.now) * frame_of(setup_.recorder) : 0;
  device::TransferResult step;
  const bool survived = rig_.reader_survives(
      kill, [&] { step = capture.read(block.data(), bytes, false, rig_.now); });
  reader_was_killed_ = reader_was_killed_ || !survived;
  if (!survived) return;
  see_who_joined();
  hold(step.moved >= std::min(told, bytes) || reader_was_killed_, "read gave ", step.moved,
       " when ", told, " were told");
  recorded_.insert(recorded_.end(), block.begin(),
                   block.begin() + static_cast<std::ptrdiff_t>(step.moved));
  const auto eof = config::get<"eof", abi::Eof>(setup_.policy);
  if (step.error != 0) {
    hold(step.error == -ECONNRESET && eof == abi::Eof::kReset, "read: error ", step.error);
    ends_.push_back(recorded_.size());
  } else if (step.short_return && step.moved == 0) {
    hold(eof == abi::Eof::kEof, "an end of file that the policy does not have");
    ends_.push_back(recorded_.size());
  } else if (step.moved < bytes && !step.short_return) {
    const std::int64_t sleep_ns = step.wait.deadline_ns - rig_.now;
    hold(sleep_ns > 0 && sleep_ns <= 2 * kSecond, "a reader would sleep for ", sleep_ns, " ns");
  }
}

void MixPlay::act_as_recorder() {
  switch (chance_.below(10)) {
    case 0:
      rig_.now += static_cast<std::int64_t>(chance_.up_to(1ULL << 40));
      break;
    case 1: {
      const bool ready = rig_.reader().ready(1, rig_.now);
      see_who_joined();
      if (ready && !reader_was_killed_) {
        const std::size_t before = recorded_.size() + ends_.size();
        read(frame_of(setup_.recorder));
        const bool told = recorded_.size() + ends_.size() != before;
        hold(told || rig_.recorder().half().own().shared.load() != 0, "ready for nothing");
      }
      break;
    }
    case 2:
      rig_.change_reader(chance_.one_in(2));
      break;
    case 3:
      if (kills_ == Kills::kOfReader && recorded_.size() % frame_of(setup_.recorder) == 0) {
        read(chance_.up_to(1000) * frame_of(setup_.recorder),
             Rig::Kill{chance_.up_to(200) - 1, false});
      }
      break;
    default:
      read(chance_.up_to(4000));
      break;
  }
}

void MixPlay::run() {
  const int steps = 6 * chance_.size();
  for (int i = 0; i < steps; ++i) {
    if (chance_.one_in(4)) {
      act_as_recorder();
    } else {
      act_as_player(static_cast<std::uint32_t>(chance_.below(count_)));
      if (std::exchange(process_died_, false)) {
        for (Player& player : players_) gone(player);
      }
    }
  }
  finish();
}

std::uint64_t MixPlay::told() {
  std::uint64_t told = 0;
  for (std::uint32_t slot = 0; slot < count_; ++slot) {
    told += lane(slot).consumer.acknowledged_stream.load();
  }
  return told;
}

void MixPlay::finish() {
  for (std::uint32_t slot = 0; slot < count_; ++slot) {
    if (players_[slot].is_there) players_[slot].opened->close();
    if (players_[slot].opened) players_[slot].opened->vanish();
    gone(players_[slot]);
  }
  for (int idle = 0; idle < 3;) {
    const std::size_t before = recorded_.size() + told();
    read(8192);
    idle = recorded_.size() + told() == before ? idle + 1 : 0;
    rig_.now += kSecond;
  }
  for (std::uint32_t slot = 0; slot < count_; ++slot) {
    const abi::Lane& shared = lane(slot);
    hold(shared.consumer.acknowledged_stream.load() == shared.producer.stream.load(), "client ",
         slot, " is stuck");
  }
  if (reader_was_killed_) return;
  compare();
  check_ends();
}

void MixPlay::compare() {
  const std::size_t channels = static_cast<std::size_t>(setup_.recorder.channels);
  const audio::Codec& codec = *audio::find_codec(setup_.recorder.afmt);
  const std::size_t frame = frame_of(setup_.recorder);
  const std::size_t frames = recorded_.size() / frame;
  std::vector<double> sum(frames * channels);
  std::size_t longest = 0;
  for (std::uint32_t slot = 0; slot < count_; ++slot) {
    for (const Stream& stream : players_[slot].streams) {
      std::vector<std::size_t> ends;
      const Bytes alone = stream.model.expected(ends);
      if (alone.empty()) continue;
      hold(stream.joined.has_value(), "stream ", stream.number, " of client ", slot,
           " has not joined");
      const std::size_t end = *stream.joined + alone.size() / frame;
      longest = std::max(longest, end);
      hold(end <= frames, "stream ", stream.number, " of client ", slot, " joined at ",
           *stream.joined, " ends at ", end, " of ", frames);
      std::vector<double> samples(alone.size() / frame * channels);
      codec.decode(alone.data(), samples.data(), samples.size());
      for (std::size_t i = 0; i < samples.size(); ++i)
        sum[*stream.joined * channels + i] += samples[i];
    }
  }
  hold(longest == frames && recorded_.size() % frame == 0, recorded_.size(), " bytes when ",
       longest, " frames were played");
  Bytes expected(recorded_.size());
  hold(codec.encode(sum.data(), expected.data(), sum.size()) == 0, "it clips");
  std::vector<double> heard(sum.size());
  codec.decode(expected.data(), sum.data(), sum.size());
  codec.decode(recorded_.data(), heard.data(), heard.size());
  // Numbers of FLOAT are added in another order.
  const double most = setup_.recorder.afmt == audio::afmt::kFloat ? 1e-6 : 0;
  for (std::size_t i = 0; i < sum.size(); ++i) {
    hold(std::fabs(sum[i] - heard[i]) <= most, "sample ", i, " of ", sum.size(), " is ", heard[i],
         " for ", sum[i]);
  }
}

// The recorder hears of an end where all that were heard have ended, and nowhere else.
void MixPlay::check_ends() {
  const std::size_t frame = frame_of(setup_.recorder);
  bool any = false;
  for (std::uint32_t slot = 0; slot < count_; ++slot) {
    for (const Stream& stream : players_[slot].streams) {
      std::vector<std::size_t> unused;
      const std::size_t frames = stream.model.expected(unused).size() / frame;
      any = true;
      if (frames == 0) continue;
      for (const std::size_t end : ends_) {
        hold(end / frame <= *stream.joined || end / frame >= *stream.joined + frames,
             "an end was told in the midst of a stream");
      }
    }
  }
  const auto eof = config::get<"eof", abi::Eof>(setup_.policy);
  const bool is_told = eof == abi::Eof::kReset || eof == abi::Eof::kEof;
  hold(ends_.empty() || is_told, "an end told against the policy");
  hold(!any || !is_told || (!ends_.empty() && ends_.back() == recorded_.size()),
       "the last end was not told");
}

}  // namespace ossloop::property
