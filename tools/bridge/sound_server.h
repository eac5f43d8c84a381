// What a bridge asks of a sound server, whichever it is. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "audio/pcm_format.h"
#include "bridge/wake_event.h"

namespace ossloop::bridge {

struct StreamSpec {
  audio::PcmFormat format;
  bool records = false;
  // Of sound between the loop and the server's mixer; what the card has beyond is its own.
  int latency_ms = 30;
};

// So many frames of a stream, and parts of one, the card had played or recorded at `at_ns`
// (CLOCK_MONOTONIC).
struct CardMoment {
  std::int64_t at_ns = 0;
  double frames = 0;
};

// A stream at the card. What it plays is silence at first, of about the latency, which begins
// at once; so is what it plays when nothing came in time.
class CardStream {
 public:
  virtual ~CardStream() = default;

  enum class State { kOpening, kOpen, kGone };
  virtual State state() = 0;
  // Why it is gone: one line.
  virtual std::string why() const = 0;

  // Takes all of it: whole frames.
  virtual void write(const std::byte* data, std::size_t bytes) = 0;
  // Fetches what was recorded, whole frames.
  virtual std::size_t read(std::byte* data, std::size_t bytes) = 0;

  // Frames that were written, or read, by the same count as CardMoment has.
  virtual std::uint64_t moved_frames() const = 0;
  // Asks where the card is; the answer comes by and by. True if one has come since the last time.
  virtual void ask() = 0;
  virtual bool answer(CardMoment& moment) = 0;
  // How often the card ran empty, or what it had recorded was not fetched; before and after one
  // that is told, leads do not belong together.
  virtual std::uint64_t breaks() const = 0;
};

class SoundServer {
 public:
  virtual ~SoundServer() = default;

  enum class State { kConnecting, kReady, kGone };
  virtual State state() = 0;
  virtual std::string why() const = 0;
  // "PulseAudio"
  virtual const char* name() const = 0;

  // The nearest format that its streams can have.
  virtual audio::PcmFormat nearest(const audio::PcmFormat& wanted) const = 0;
  virtual std::unique_ptr<CardStream> open(const StreamSpec& spec) = 0;

  // Sleeps until something has happened, the event was raised, which it clears, or it is
  // `deadline_ns` (CLOCK_MONOTONIC). A signal ends it.
  virtual void wait(std::int64_t deadline_ns) = 0;
};

std::int64_t now_ns();

// Nobody waits longer than that: a signal may come just before.
inline constexpr std::int64_t kLongestWaitNs = 1'000'000'000;

// SoundServer::wait() where nothing else can happen.
void wait_for(const WakeEvent& event, std::int64_t deadline_ns);

struct ServerRequest {
  std::string device;  // a sink and a source, or a PCM; empty for the server's own choice
  bool plays = false;
  bool records = false;
  const WakeEvent& event;
  // Has the device that this process has just opened joined it to itself?
  std::function<bool()> is_feedback;
};

// Each begins to connect.
std::unique_ptr<SoundServer> connect_pulse(const ServerRequest& request);
std::unique_ptr<SoundServer> connect_alsa(const ServerRequest& request);

}  // namespace ossloop::bridge
