#include "bridge/pulse_stream.h"

#include <pulse/channelmap.h>
#include <pulse/error.h>
#include <pulse/operation.h>
#include <sys/time.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "bridge/card_format.h"

namespace ossloop::bridge {
namespace {

// The part of the latency in which the server hands out what it records, and mixes. What it mixes
// ahead helps nobody who is late with more, so of a long latency it is less.
constexpr double kPart = 1.0 / 4, kLeastPart = 1.0 / 8, kLongPartMs = 22;
// How often the server is to ask for more, at most; its queues hold 4 MiB.
constexpr double kRequestMs = 100;
constexpr std::uint32_t kMostRequestBytes = 1 << 19;
// A card that ran empty gets more sound ahead, up to so much.
constexpr double kCushionGrowth = 1.5, kMostCushionMs = 250;
constexpr std::int64_t kPausedNs = 300'000'000;
constexpr double kLongestSinceDryMs = 1000;
// An answer that is older says nothing: the time of day was set meanwhile.
constexpr std::int64_t kOldestNs = 1'000'000'000;

// From the time of day, in which the server tells it.
bool moment_of(const timeval& stamp, std::int64_t& at_ns) {
  timeval now{};
  ::gettimeofday(&now, nullptr);
  const std::int64_t age_ns = (std::int64_t{now.tv_sec} - stamp.tv_sec) * 1'000'000'000 +
                              (std::int64_t{now.tv_usec} - stamp.tv_usec) * 1000;
  at_ns = now_ns() - age_ns;
  return age_ns >= 0 && age_ns < kOldestNs;
}

}  // namespace

PulseStream::PulseStream(pa_context* context, const std::string& device, const StreamSpec& spec)
    : spec_(spec),
      frame_bytes_(static_cast<std::size_t>(spec.format.frame_bytes())),
      context_(context),
      cushion_ms_(spec.latency_ms) {
  if (!connect(device)) fail();
}

PulseStream::~PulseStream() {
  if (stream_ == nullptr) return;
  pa_stream_set_state_callback(stream_, nullptr, nullptr);
  pa_stream_set_underflow_callback(stream_, nullptr, nullptr);
  pa_stream_set_overflow_callback(stream_, nullptr, nullptr);
  pa_stream_set_moved_callback(stream_, nullptr, nullptr);
  pa_stream_disconnect(stream_);
  pa_stream_unref(stream_);
}

bool PulseStream::connect(const std::string& device) {
  const CardFormat* format = find_card_format(spec_.format.afmt);
  if (format == nullptr) return false;
  const pa_sample_spec sample{format->pulse, static_cast<std::uint32_t>(spec_.format.rate_hz),
                              static_cast<std::uint8_t>(spec_.format.channels)};
  pa_channel_map map;
  pa_channel_map_init_extend(&map, sample.channels, PA_CHANNEL_MAP_WAVEEX);
  stream_ = pa_stream_new(context_, "OSS", &sample, &map);
  if (stream_ == nullptr) return false;
  watch();

  const auto bytes = [&](std::uint64_t frames) {
    return static_cast<std::uint32_t>(std::max<std::uint64_t>(frames, 1) * frame_bytes_);
  };
  const std::uint32_t part = bytes(frames_of_ms(part_ms()));
  pa_buffer_attr buffer{};
  buffer.maxlength = static_cast<std::uint32_t>(-1);
  // What lies ahead of the card is ours to say. So the server waits for no measure of its own, and
  // what it asks for is not heeded: the less often, the better. What two requests leave of the
  // whole is the part in which it mixes.
  buffer.minreq = std::min(bytes(frames_of_ms(kRequestMs)), kMostRequestBytes);
  buffer.tlength = part + 2 * buffer.minreq;
  buffer.prebuf = static_cast<std::uint32_t>(frame_bytes_);
  buffer.fragsize = part;
  const char* name = device.empty() ? nullptr : device.c_str();
  const int result =
      spec_.records
          ? pa_stream_connect_record(stream_, name, &buffer, PA_STREAM_ADJUST_LATENCY)
          : pa_stream_connect_playback(stream_, name, &buffer, PA_STREAM_NOFLAGS, nullptr, nullptr);
  return result == 0;
}

void PulseStream::watch() {
  pa_stream_set_state_callback(
      stream_, [](pa_stream*, void* data) { static_cast<PulseStream*>(data)->follow_stream(); },
      this);
  const auto broke = [](pa_stream*, void* data) { static_cast<PulseStream*>(data)->broke(); };
  pa_stream_set_underflow_callback(stream_, broke, this);
  pa_stream_set_overflow_callback(stream_, broke, this);
  pa_stream_set_moved_callback(stream_, broke, this);
}

void PulseStream::fail() {
  if (state_ != State::kGone) why_ = pa_strerror(pa_context_errno(context_));
  state_ = State::kGone;
}

void PulseStream::follow_stream() {
  switch (pa_stream_get_state(stream_)) {
    case PA_STREAM_READY:
      if (!spec_.records) write_silence(frames_of_ms(cushion_ms_));
      return ask();
    case PA_STREAM_FAILED:
    case PA_STREAM_TERMINATED:
      return fail();
    default:
      return;
  }
}

void PulseStream::broke() {
  if (state_ != State::kOpen) return;
  dry_ = true;
  if (spec_.records || written_ns_ != 0) ++breaks_;
}

// Silence ahead of what comes: a card that ran empty in the middle of a stream gets more of it.
// Where it was we who came late, what has become due meanwhile comes at once, and is ahead as well.
void PulseStream::fill_up(std::size_t bytes) {
  dry_ = false;
  if (now_ns() - written_ns_ < kPausedNs)
    cushion_ms_ = std::min(cushion_ms_ * kCushionGrowth, std::max(kMostCushionMs, cushion_ms_));
  const std::uint64_t wanted = frames_of_ms(cushion_ms_ + part_ms());
  const std::uint64_t ahead = (bytes + bytes_since_dry()) / frame_bytes_;
  if (ahead < wanted) write_silence(wanted - ahead);
}

// Written since the card ran empty, which we hear of later. An old count is of another time.
std::uint64_t PulseStream::bytes_since_dry() const {
  const std::int64_t index = pa_stream_get_underflow_index(stream_);
  if (index < 0 || static_cast<std::uint64_t>(index) > moved_bytes_) return 0;
  const std::uint64_t bytes = moved_bytes_ - static_cast<std::uint64_t>(index);
  return bytes > frames_of_ms(kLongestSinceDryMs) * frame_bytes_ ? 0 : bytes;
}

double PulseStream::part_ms() const {
  const double part_ms = spec_.latency_ms * kPart;
  if (spec_.records || part_ms <= kLongPartMs) return part_ms;
  return std::max(kLongPartMs, spec_.latency_ms * kLeastPart);
}

std::uint64_t PulseStream::frames_of_ms(double ms) const {
  return static_cast<std::uint64_t>(spec_.format.rate_hz * ms / 1000);
}

void PulseStream::write_silence(std::uint64_t frames) {
  silence_.resize(frames * frame_bytes_);
  audio::fill_silence(spec_.format, silence_.data(), frames);
  if (!silence_.empty()) {
    pa_stream_write(stream_, silence_.data(), silence_.size(), nullptr, 0, PA_SEEK_RELATIVE);
  }
  moved_bytes_ += silence_.size();
}

void PulseStream::write(const std::byte* data, std::size_t bytes) {
  if (state_ != State::kOpen || bytes == 0) return;
  if (dry_) {
    fill_up(bytes);
  } else if (written_ns_ == 0) {
    // What the card has played since it was asked.
    write_silence(frames_of_ms(static_cast<double>(now_ns() - opened_ns_) / 1e6));
  }
  written_ns_ = now_ns();
  if (pa_stream_write(stream_, data, bytes, nullptr, 0, PA_SEEK_RELATIVE) < 0) return fail();
  moved_bytes_ += bytes;
}

// Of the fragment that is shown. A hole in what was recorded is silence.
std::size_t PulseStream::take(std::byte* data, std::size_t bytes) {
  const void* shown = nullptr;
  std::size_t there = 0;
  if (pa_stream_peek(stream_, &shown, &there) < 0) fail();
  if (state_ != State::kOpen || there <= taken_bytes_) return 0;
  const std::size_t part = std::min(bytes, there - taken_bytes_);
  if (shown != nullptr) {
    std::memcpy(data, static_cast<const std::byte*>(shown) + taken_bytes_, part);
  } else {
    audio::fill_silence(spec_.format, data, part / frame_bytes_);
  }
  taken_bytes_ += part;
  if (taken_bytes_ == there) {
    taken_bytes_ = 0;
    pa_stream_drop(stream_);
  }
  return part;
}

std::size_t PulseStream::read(std::byte* data, std::size_t bytes) {
  std::size_t got = 0;
  while (state_ == State::kOpen && got < bytes) {
    const std::size_t part = take(data + got, bytes - got);
    if (part == 0) break;
    got += part;
  }
  moved_bytes_ += got;
  return got;
}

void PulseStream::ask() {
  if (asked_ || state_ == State::kGone || pa_stream_get_state(stream_) != PA_STREAM_READY) return;
  pa_operation* operation = pa_stream_update_timing_info(
      stream_,
      [](pa_stream*, int good, void* data) {
        static_cast<PulseStream*>(data)->answered(good != 0);
      },
      this);
  if (operation == nullptr) return fail();
  asked_ = true;
  pa_operation_unref(operation);
}

// So much is to lie in the server's queue: a card with a short buffer of its own is part of the
// latency, one with a long buffer is not.
std::uint64_t PulseStream::cushion_frames(const pa_timing_info& timing) const {
  const double card_ms = static_cast<double>(timing.configured_sink_usec) / 1000;
  return frames_of_ms(card_ms <= cushion_ms_ / 2 ? cushion_ms_ - card_ms : cushion_ms_);
}

// A card may sleep for a while yet: sound that is written before it has begun would be late for
// good. What it took at once, to fill its own buffer, was silence, and is made up for.
void PulseStream::found_running(const pa_timing_info& timing) {
  if (!spec_.records) {
    if (timing.read_index <= 0) return;
    const std::int64_t queued =
        (timing.write_index - timing.read_index) / static_cast<std::int64_t>(frame_bytes_);
    const auto wanted = static_cast<std::int64_t>(cushion_frames(timing));
    if (queued < wanted) write_silence(static_cast<std::uint64_t>(wanted - queued));
  }
  opened_ns_ = now_ns();
  state_ = State::kOpen;
}

void PulseStream::answered(bool good) {
  asked_ = false;
  const pa_timing_info* timing = good ? pa_stream_get_timing_info(stream_) : nullptr;
  if (timing == nullptr) return;
  if (state_ == State::kOpening) return found_running(*timing);
  if (!spec_.records && timing->playing == 0) return;
  if (!moment_of(timing->timestamp, answer_.at_ns)) return;
  const double rate_hz = spec_.format.rate_hz;
  const auto bytes = static_cast<double>(spec_.records ? timing->write_index : timing->read_index);
  const double beyond_s =
      static_cast<double>(spec_.records ? timing->source_usec + timing->sink_usec
                                        : timing->sink_usec) /
      1e6;
  answer_.frames =
      bytes / static_cast<double>(frame_bytes_) + (spec_.records ? beyond_s : -beyond_s) * rate_hz;
  has_answer_ = true;
}

bool PulseStream::answer(CardMoment& moment) {
  if (!std::exchange(has_answer_, false)) return false;
  moment = answer_;
  return true;
}

}  // namespace ossloop::bridge
