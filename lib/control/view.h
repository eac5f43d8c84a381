// What the instances of a runtime folder are doing, for people and scripts.
//
// Looks and changes nothing. Whatever a segment holds comes out in range and
// printable: another process wrote it, and it may be garbage.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "abi/layout.h"
#include "audio/pcm_format.h"
#include "config/runtime.h"
#include "device/loudness.h"
#include "shm/runtime_directory.h"

namespace ossloop::control {

// The word in the segment says whether a side is open, the kernel whether a
// program holds it. Dead: the program was killed; the side is free to open.
enum class SideState { kFree, kOpening, kOpen, kDead };

struct SideView {
  SideState state = SideState::kFree;
  // The rest only of an open or dead side.
  std::uint32_t pid = 0;  // as the opener saw itself
  std::string command;
  std::uint32_t access = 0;  // 1 read, 2 write, 3 both
  bool nonblock = false;
  audio::PcmFormat format = {};  // the program's own
  std::uint32_t fragment_bytes = 0;
  std::uint32_t fragments = 0;

  bool alive() const { return state == SideState::kOpen || state == SideState::kOpening; }
};

// Idle: nothing. Waiting: a side sleeps until the other begins. Filling: sound
// is there and the consumer has not begun to fetch. Running: it flows. Ending:
// the producer is done, and the consumer has not yet heard of the end.
enum class StreamState { kIdle, kWaiting, kFilling, kRunning, kEnding };

struct StreamView {
  StreamState state = StreamState::kIdle;
  bool server_reads = true;
  std::uint64_t number = 0;
  std::uint64_t fill_frames = 0;  // in the ring, not yet fetched
  std::uint64_t fill_ms = 0;
  std::uint64_t delay_frames =
      0;  // in the ring, not yet played: what GETODELAY says, without filters
  std::uint64_t delay_ms = 0;
  // How far it has been played, and when that was: what a pace is measured by, at the rate of
  // what is played.
  std::uint64_t played_frames = 0;
  std::int64_t looked_ns = 0;
  int rate_hz = 0;
  // The clock: does it run, and how far is it from the time since its start, all
  // silence and all holds counted?
  bool clock_running = false;
  std::int64_t clock_error_frames = 0;
  // What the server adds to the policy `ppm`, to keep step with a card.
  int trim_ppm = 0;
  // Since the consumer's open.
  std::uint64_t held_ms = 0;     // the clock waited for the consumer
  std::uint64_t stalled_ms = 0;  // and for the producer
  std::uint64_t underruns = 0;
  std::uint64_t overruns = 0;
  std::uint64_t silence_frames = 0;
  std::uint64_t dropped_frames = 0;
  std::uint64_t clipped_samples = 0;  // saturated by a conversion, or by a mix
  // What is heard now, by channels; nothing where nothing was ever played.
  device::Loudness loudness;
};

// One of the clients, and the stream that it plays or hears.
struct ClientView {
  std::uint32_t slot = 0;
  SideView side;
  StreamView stream;
};

// As the mixer's controls are called, by abi::MixerChannel.
inline constexpr const char* kMixerChannelNames[] = {"vol", "pcm", "igain"};

// Levels left and right, 0 to 100: 100 passes bit for bit, each step below it is
// half a decibel, 0 is silence.
struct MixerView {
  struct Level {
    int left = 100, right = 100;
  };
  Level channel[abi::kMixerChannels];
  bool muted = false;
};

// From the clients to the server, or back.
struct DirectionView {
  SideView server;                  // as it has this direction open
  std::vector<ClientView> clients;  // that are open or dead, by slot
  audio::PcmFormat loop = {};
  bool frozen = false;  // the server cannot change the format now
  StreamView stream;    // the first client's; what it counts is of all, and so is its loudness
};

enum class SegmentState { kNone, kPresent, kUnreadable };

// The direction is that of the server, or of the last one.
struct InstanceView : DirectionView {
  int number = 0;
  bool configured = false;  // exists without a segment
  SegmentState segment = SegmentState::kNone;
  std::string problem;   // why a segment is unreadable: one line
  bool foreign = false;  // because it is none of this layout
  SideView side[2];      // by abi::SideIndex; the first of the clients
  // The other way, where the server side has both open.
  std::optional<DirectionView> other;
  MixerView mixer;
  config::InstancePolicy policy;  // in force; of an unused instance, the configured one

  bool exists() const { return configured || segment != SegmentState::kNone; }
  bool in_use() const { return side[0].alive() || side[1].alive(); }
};

inline shm::RuntimeDirectory directory_of(const config::Runtime& runtime) {
  return {runtime.folder, static_cast<mode_t>(runtime.config.mode)};
}

InstanceView look(const config::Runtime& runtime, int number);

// All that exist, by number.
std::vector<InstanceView> look_at_all(const config::Runtime& runtime);

// Whether the runtime folder can be trusted; a missing one can. 0, or -errno
// with one line in `why`.
int check_folder(const config::Runtime& runtime, bool create, std::string& why);

}  // namespace ossloop::control
