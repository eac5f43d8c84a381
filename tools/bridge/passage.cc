#include "bridge/passage.h"

#include <algorithm>
#include <cstdio>
#include <utility>

namespace ossloop::bridge {
namespace {

constexpr std::int64_t kMs = 1'000'000;
// A client that waits for a card waits no longer than that.
constexpr std::int64_t kOpeningNs = 2000 * kMs, kOpeningStepNs = 10 * kMs;
// A card whose stream failed is tried again after so long.
constexpr std::int64_t kRetryNs = 1000 * kMs;
// A stream that is silent without an end has paused; and a card waits so long for the next.
constexpr std::int64_t kPausedNs = 500 * kMs, kSpareNs = 1500 * kMs;
// The latency passes in so many periods; a long one, of periods from kLongPeriodNs on, in more.
constexpr int kPeriods = 3, kManyPeriods = 4;
constexpr std::int64_t kShortestPeriodNs = 2 * kMs, kLongPeriodNs = 20 * kMs,
                       kLongestPeriodNs = 40 * kMs;
// The loop holds its clock when the bridge comes later than this.
constexpr int kLatestMs = 250;
// A card that ran empty is heard of some time after.
constexpr std::int64_t kOfLateNs = 1000 * kMs;
// Silence behind the last frame, so that it is heard.
constexpr int kPushMs = 50;
constexpr std::size_t kBlockBytes = std::size_t{1} << 16;

std::int64_t period_ns(std::int64_t latency_ns) {
  const std::int64_t some = std::min(latency_ns / kPeriods, kLongPeriodNs);
  return std::max(std::clamp(latency_ns / kManyPeriods, some, kLongestPeriodNs), kShortestPeriodNs);
}

std::string describe(const audio::PcmFormat& format) {
  const audio::SampleFormat* sample = audio::find_format(format.afmt);
  return std::string(sample != nullptr ? sample->name : "?") + ", " +
         std::to_string(format.channels) + (format.channels == 1 ? " channel, " : " channels, ") +
         std::to_string(format.rate_hz) + " Hz";
}

}  // namespace

Passage::Passage(int number, bool plays, int latency_ms, const WakeEvent& event, Tell tell)
    : plays_(plays),
      latency_ms_(latency_ms),
      period_ns_(period_ns(latency_ms * kMs)),
      event_(event),
      tell_(std::move(tell)),
      loop_(number, !plays),
      block_(kBlockBytes) {}

bool Passage::open(const config::Runtime& runtime, std::string& why) {
  if (!loop_.open(runtime, why)) return false;
  watch_.emplace(loop_.stream(), event_);
  return true;
}

std::string Passage::title() const { return plays_ ? "playing" : "recording"; }

bool Passage::card_is_open() const {
  return card_ != nullptr && card_->state() == CardStream::State::kOpen;
}

void Passage::leave_card() {
  card_.reset();
  loop_.trim(0);
}

std::int64_t Passage::finish(std::int64_t now_ns) {
  if (!plays_ || !card_is_open()) return 0;
  if (state_ == State::kRunning) play(now_ns);
  push_out();
  return moved_ns_ + lead_ns();
}

// So long it takes what the card was given to be heard.
std::int64_t Passage::lead_ns() const {
  return static_cast<std::int64_t>(follower_.target_s() * 1e9) + latency_ms_ * kMs;
}

void Passage::step(std::int64_t now_ns, SoundServer* server) {
  if (server == nullptr && card_ != nullptr) leave_card();
  if (state_ == State::kIdle && watch_->told()) next_ns_ = now_ns;
  // A wake that comes in the second half of a period saves that at its end.
  const std::int64_t early_ns = state_ == State::kRunning ? period_ns_ / 2 : 0;
  if (now_ns < next_ns_ - early_ns) return;
  switch (state_) {
    case State::kIdle:
      return look_for_client(now_ns, server);
    case State::kOpening:
      return wait_for_card(now_ns);
    case State::kRunning:
      watch_lateness(now_ns);
      // From one period to the next, but not after what was missed.
      next_ns_ = std::clamp(next_ns_ + period_ns_, now_ns + period_ns_ / 2, now_ns + period_ns_);
      mind_card(now_ns, server);
      if (!(plays_ ? play(now_ns) : record(now_ns))) return end();
      follow(now_ns);
      return plays_ ? follow_format(now_ns, server) : void();
    case State::kDraining:
      next_ns_ = now_ns + period_ns_;
      if (now_ns >= drained_ns_) open_card(now_ns, server);
  }
}

// Where the loop has stopped before sound of another format the card's stream is played to its
// end, and another takes its place; unless the card has only the one.
void Passage::follow_format(std::int64_t now_ns, SoundServer* server) {
  const auto next = loop_.stream().lone_client_format();
  if (!next || *next == client_format_) return;
  client_format_ = *next;
  if (server == nullptr || server->nearest(*next) == format_) {
    loop_.stop_at_marks(false);
    if (!play(now_ns)) return end();
    return loop_.stop_at_marks(true);
  }
  push_out();
  drained_ns_ = card_is_open() ? moved_ns_ + lead_ns() : now_ns;
  state_ = State::kDraining;
}

void Passage::look_for_client(std::int64_t now_ns, SoundServer* server) {
  watch_->arm();
  const auto format = loop_.stream().client_format();
  if (!format) {
    if (card_ != nullptr && now_ns - moved_ns_ > kSpareNs) leave_card();
    next_ns_ = card_ != nullptr ? moved_ns_ + kSpareNs + kMs : now_ns + kLongestWaitNs;
    return;
  }
  client_format_ = *format;
  open_card(now_ns, server);
}

void Passage::open_card(std::int64_t now_ns, SoundServer* server) {
  format_ = server != nullptr ? server->nearest(client_format_) : client_format_;
  const bool fits = card_is_open() && plays_ && card_format_ == format_;
  if (!fits) {
    card_.reset();
    if (server != nullptr) card_ = server->open({format_, !plays_, latency_ms_});
    card_format_ = format_;
  }
  opened_ns_ = now_ns;
  state_ = State::kOpening;
  wait_for_card(now_ns);
}

void Passage::wait_for_card(std::int64_t now_ns) {
  const bool waits = card_ != nullptr && card_->state() == CardStream::State::kOpening;
  if (waits && now_ns - opened_ns_ < kOpeningNs) {
    next_ns_ = now_ns + kOpeningStepNs;
    return card_->ask();
  }
  begin(now_ns);
}

void Passage::begin(std::int64_t now_ns) {
  const auto frames = [&](std::int64_t ns) {
    return static_cast<int>(std::max<std::int64_t>(ns * format_.rate_hz / 1'000'000'000, 1));
  };
  const int buffer_ms = std::max(4 * latency_ms_, kLatestMs);
  if (!loop_.begin(format_, frames(period_ns_), frames(buffer_ms * kMs))) {
    tell_("the loop does not take " + describe(format_), false);
  }
  loop_.stop_at_marks(plays_);
  tell_(title() + " " + describe(format_), true);
  state_ = State::kRunning;
  follower_.restart();
  told_lock_ = false;
  stream_ = 0;
  moved_ns_ = next_ns_ = ask_ns_ = now_ns;
  if (!plays_) give_silence(latency_frames());
}

// Some servers play only whole periods.
void Passage::push_out() {
  if (!plays_ || !card_is_open()) return;
  const auto frames = static_cast<std::size_t>(format_.rate_hz * kPushMs / 1000);
  std::vector<std::byte> silence(frames * static_cast<std::size_t>(format_.frame_bytes()));
  audio::fill_silence(format_, silence.data(), frames);
  card_->write(silence.data(), silence.size());
}

void Passage::end() {
  loop_.stop();
  push_out();
  state_ = State::kIdle;
  next_ns_ = 0;
  // What was recorded meanwhile is not for the next client; what is still to be played is heard.
  if (!plays_) leave_card();
}

// Sees to it that there is a stream at the card, if there can be one.
void Passage::mind_card(std::int64_t now_ns, SoundServer* server) {
  if (card_ != nullptr && card_->state() == CardStream::State::kGone) {
    tell_(title() + ": " + card_->why() + "; trying again", false);
    leave_card();
    opened_ns_ = now_ns;
  }
  if (card_ != nullptr || server == nullptr || now_ns - opened_ns_ < kRetryNs) return;
  card_ = server->open({format_, !plays_, latency_ms_});
  card_format_ = format_;
  opened_ns_ = now_ns;
  follower_.restart();
  told_lock_ = false;
}

// False: the stream has ended.
bool Passage::play(std::int64_t now_ns) {
  const auto frame_bytes = static_cast<std::size_t>(format_.frame_bytes());
  const std::size_t most = block_.size() / frame_bytes * frame_bytes;
  for (;;) {
    const std::int64_t got = loop_.read(block_.data(), most);
    if (got == LoopSide::kEnded) return false;
    if (got > 0) moved_ns_ = now_ns;
    if (got > 0 && card_is_open()) card_->write(block_.data(), static_cast<std::size_t>(got));
    if (static_cast<std::size_t>(got) < most) return now_ns - moved_ns_ < kPausedNs;
  }
}

bool Passage::give(std::size_t bytes) {
  // What there is no room for is lost: the client does not read.
  return loop_.write(block_.data(), bytes) != LoopSide::kEnded;
}

bool Passage::give_silence(double frames) {
  const auto frame_bytes = static_cast<std::size_t>(format_.frame_bytes());
  auto left = static_cast<std::size_t>(std::max(frames, 0.0));
  while (left > 0) {
    const std::size_t part = std::min(left, block_.size() / frame_bytes);
    audio::fill_silence(format_, block_.data(), part);
    if (!give(part * frame_bytes)) return false;
    left -= part;
  }
  return true;
}

// False: nobody records any more.
bool Passage::record(std::int64_t now_ns) {
  const auto frame_bytes = static_cast<std::size_t>(format_.frame_bytes());
  const std::size_t most = block_.size() / frame_bytes * frame_bytes;
  // Ahead of what is there the loop would put in silence, piece by piece.
  const auto ahead = loop_.ahead(now_ns);
  const bool dry = ahead && ahead->frames >= 0;
  if (dry || (ahead && !card_is_open())) {
    if (!give_silence(latency_frames() + ahead->frames)) return false;
    follower_.restart();
  }
  while (card_is_open()) {
    const std::size_t got = card_->read(block_.data(), most);
    if (got > 0 && !give(got)) return false;
    if (got < most) break;
  }
  return loop_.stream().client_waits();
}

void Passage::watch_lateness(std::int64_t now_ns) {
  const std::int64_t late_ns = std::max<std::int64_t>(now_ns - next_ns_, 0);
  if (late_ns < late_ns_ && now_ns - came_late_ns_ < kOfLateNs) return;
  late_ns_ = late_ns;
  came_late_ns_ = now_ns;
}

void Passage::follow(std::int64_t now_ns) {
  if (card_ == nullptr) return;
  if (now_ns >= ask_ns_) {
    ask_ns_ = now_ns + follower_.interval_ns();
    card_->ask();
  }
  CardMoment moment;
  if (!card_->answer(moment)) return;
  const auto ahead = loop_.ahead(moment.at_ns);
  if (!ahead) return;
  const bool broke = std::exchange(breaks_, card_->breaks()) != card_->breaks();
  if (broke) {
    tell_(title() + ": the card ran empty, or full; the bridge came up to " +
              std::to_string(late_ns_ / kMs) + " ms late",
          true);
  }
  if (std::exchange(stream_, ahead->stream) != ahead->stream || broke) follower_.restart();
  const double lead = static_cast<double>(card_->moved_frames()) + ahead->frames - moment.frames;
  loop_.trim(follower_.update(moment.at_ns, lead / format_.rate_hz));
  if (!follower_.locked() || std::exchange(told_lock_, true)) return;
  char text[128];
  std::snprintf(text, sizeof text,
                ": in step with the card after %.1f s, %+.0f ppm, %.1f ms behind",
                follower_.lock_s(), follower_.ppm(), follower_.target_s() * 1e3);
  tell_(title() + text, true);
}

}  // namespace ossloop::bridge
