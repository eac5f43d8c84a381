#include "control/view.h"

#include <errno.h>

#include <algorithm>
#include <cstring>

#include "base/error_text.h"
#include "base/fd.h"
#include "device/device_thread.h"
#include "shm/claims.h"
#include "shm/segment.h"
#include "stream/clock_speed.h"
#include "stream/flow.h"
#include "stream/format_word.h"
#include "stream/levels.h"
#include "stream/ring_size.h"

namespace ossloop::control {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr auto kAcquire = std::memory_order_acquire;

// A name that may not end, nor be a name: control characters and whatever is
// not ASCII would write on the reader's terminal.
template <std::size_t Size>
std::string printable(const char (&text)[Size]) {
  std::string result(text, ::strnlen(text, Size));
  std::replace_if(
      result.begin(), result.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return result;
}

// Of a place that an open word tells of the claim decides whether its program lives. `way`:
// only as it is open for that.
void look_at_side(const shm::RuntimeDirectory& directory, int number, abi::Segment& segment,
                  abi::SideIndex index, std::uint32_t slot, std::uint32_t way, SideView& view) {
  bool holds = view.state == SideState::kOpening;
  const std::uint32_t ways = device::open_ways(segment, index, slot);
  view.access = ways & way;
  if (view.access == 0) return;
  const abi::Half& side = device::main_half(segment, index, view.access, slot);
  if (side.access.load(kRelaxed) == device::kReadWrite) view.access = ways;
  const shm::Place place = shm::place_of(side, index, slot);
  if (place != shm::Place(index)) holds = shm::is_held(directory, number, place);
  view.state = holds ? SideState::kOpen : SideState::kDead;
  view.pid = side.pid.load(kRelaxed);
  view.command = printable(side.command);
  view.nonblock = side.nonblock.load(kRelaxed) != 0;
  view.format = device::unpack_format(side.format.load(kRelaxed));
  view.fragment_bytes = side.fragment_bytes.load(kRelaxed);
  view.fragments = side.fragments.load(kRelaxed);
}

StreamState state_of(const device::ProducerFlow& flow, const abi::Consumer& reader,
                     const SideView& producer, const SideView& consumer) {
  const std::uint64_t told = reader.acknowledged_stream.load(kAcquire);
  std::uint64_t clock_stream = 0;
  flow.clock(clock_stream);
  const bool fetches = reader.running.load(kAcquire) != 0;
  if (consumer.state == SideState::kOpen) {
    if (flow.stream() > told) {
      if (!flow.streaming()) return StreamState::kEnding;
      return fetches ? StreamState::kRunning : StreamState::kFilling;
    }
    // Silence that goes on after the end.
    if (fetches) return clock_stream != 0 ? StreamState::kRunning : StreamState::kWaiting;
  }
  const bool sleeps = flow.producer_half().waiting.load(kRelaxed) != 0;
  return producer.state == SideState::kOpen && sleeps ? StreamState::kWaiting : StreamState::kIdle;
}

std::uint64_t in_ms(std::uint64_t frames, const audio::PcmFormat& format) {
  return frames * 1000 / static_cast<std::uint64_t>(format.rate_hz);
}

void look_at_clock(const device::ProducerFlow& flow, const abi::ClockStats& clock_stats,
                   std::int64_t now_ns, StreamView& stream) {
  std::uint64_t clock_stream = 0;
  const audio::Clock clock = flow.clock(clock_stream);
  stream.clock_running = clock_stream != 0 && !flow.free_clock();
  if (!stream.clock_running) return;
  audio::Clock ideal = clock;
  ideal.anchor_ns = clock_stats.start_ns.load(kRelaxed);
  ideal.base = clock_stats.start_frame.load(kRelaxed);
  // Unsigned: a hostile consumer's figures wrap.
  stream.clock_error_frames = static_cast<std::int64_t>(
      static_cast<std::uint64_t>(clock.frames_at(now_ns)) -
      static_cast<std::uint64_t>(clock_stats.moved_frames.load(kRelaxed)) -
      static_cast<std::uint64_t>(ideal.frames_at(now_ns)));
}

abi::DirectionIndex index_of(const StreamView& stream) {
  return stream.server_reads ? abi::kClientToServer : abi::kServerToClient;
}

// Of the lane of one client, without what it has counted.
void look_at_stream(const shm::Segment& mapped, const config::InstancePolicy& policy,
                    const DirectionView& view, const SideView& client, std::uint32_t slot,
                    StreamView& stream) {
  abi::Segment& segment = mapped.contract();
  stream.server_reads = view.stream.server_reads;
  const abi::DirectionIndex index = index_of(stream);
  const abi::Consumer& reader = segment.direction[index].lane[slot].consumer;
  const SideView& server = view.server;
  const device::ProducerFlow flow(segment, index, slot);
  stream.trim_ppm = device::trim_ppm(segment, index);
  stream.state = stream.server_reads ? state_of(flow, reader, client, server)
                                     : state_of(flow, reader, server, client);
  stream.number = flow.stream();
  const device::Section section = flow.section(flow.sections());
  const audio::PcmFormat format = section.number != 0 ? section.format : view.loop;
  if (stream.state >= StreamState::kFilling) {
    const auto buffer_ms = config::get<"buffer_ms", std::uint32_t>(policy);
    device::RingLimits limits = device::limits_of(section, buffer_ms);
    limits.capacity_frames =
        std::min(limits.capacity_frames, device::ring_frames(limits.rate_hz, buffer_ms));
    // `read` first: it never overtakes, so what is counted is in range.
    const std::uint64_t read = flow.read(limits);
    stream.fill_frames = std::min(flow.written() - read, limits.capacity_frames);
    stream.fill_ms = in_ms(stream.fill_frames, format);
    const std::int64_t now_ns = base::sys().now_ns();
    stream.played_frames = flow.played(limits, now_ns);
    stream.looked_ns = now_ns;
    stream.rate_hz = format.rate_hz;
    stream.delay_frames = std::min(flow.written() - stream.played_frames, limits.capacity_frames);
    stream.delay_ms = in_ms(stream.delay_frames, format);
    look_at_clock(flow, reader.clock_stats, now_ns, stream);
  }
  stream.held_ms = in_ms(reader.clock_stats.held_frames.load(kRelaxed), format);
  stream.stalled_ms = in_ms(reader.clock_stats.stalled_frames.load(kRelaxed), format);
}

void add_counters(const abi::Consumer& reader, StreamView& stream) {
  stream.underruns += reader.underruns.load(kRelaxed);
  stream.overruns += reader.overruns.load(kRelaxed);
  stream.silence_frames += reader.silence_frames.load(kRelaxed);
  stream.dropped_frames += reader.dropped_frames.load(kRelaxed);
  stream.clipped_samples += reader.clipped_samples.load(kRelaxed);
}

// Those that have it open; where it is the only direction, all.
void look_at_direction(const shm::RuntimeDirectory& directory, int number,
                       const shm::Segment& mapped, const config::InstancePolicy& policy, bool only,
                       const SideView (&first)[2], DirectionView& view) {
  using device::kRead, device::kWrite;
  abi::Segment& segment = mapped.contract();
  const abi::DirectionIndex index = index_of(view.stream);
  abi::Direction& direction = segment.direction[index];
  const bool reads = view.stream.server_reads;
  view.loop = device::unpack_format(direction.server.format.load(kRelaxed));
  // Only the kernel knows whether the first one lives: the others stand as they say.
  view.server.state = first[abi::kServer].state;
  // Heard once, since it is most of the work: for each client, and all together.
  device::Loudness loudness[abi::kClients];
  const std::int64_t now_ns = base::sys().now_ns();
  for (std::uint32_t slot = 0; slot < (reads ? abi::kClients : 1); ++slot) {
    loudness[slot] = device::loudness_of(mapped, index, slot, now_ns);
    view.stream.loudness.join(loudness[slot]);
  }
  look_at_side(directory, number, segment, abi::kServer, 0,
               only    ? device::kReadWrite
               : reads ? kRead
                       : kWrite,
               view.server);
  for (std::uint32_t slot = 0; slot < abi::kClients; ++slot) {
    ClientView client;
    client.slot = slot;
    if (slot == 0) client.side.state = first[abi::kClient].state;
    look_at_side(directory, number, segment, abi::kClient, slot,
                 only    ? device::kReadWrite
                 : reads ? kWrite
                         : kRead,
                 client.side);
    if (client.side.access == 0) continue;
    look_at_stream(mapped, policy, view, client.side, slot, client.stream);
    client.stream.loudness = loudness[slot];
    add_counters(direction.lane[slot].consumer, client.stream);
    view.clients.push_back(client);
  }
  const bool any = !view.clients.empty();
  look_at_stream(mapped, policy, view, any ? view.clients.front().side : first[abi::kClient],
                 any ? view.clients.front().slot : 0, view.stream);
  for (std::uint32_t i = 0; i < abi::kClients; ++i) {
    add_counters(direction.lane[i].consumer, view.stream);
    view.frozen = view.frozen || device::ProducerFlow(segment, index, i).underway();
  }
  view.frozen = view.frozen && view.server.state == SideState::kOpen;
}

void look_at_mixer(const abi::Mixer& mixer, MixerView& view) {
  for (const abi::MixerChannel channel : {abi::kMixVolume, abi::kMixPcm, abi::kMixInput}) {
    const auto level = static_cast<int>(device::mixer_level(mixer, channel));
    view.channel[channel] = {level & 0xff, level >> 8};
  }
  view.muted = mixer.muted.load(kRelaxed) != 0;
}

}  // namespace

InstanceView look(const config::Runtime& runtime, int number) {
  InstanceView view;
  view.number = number;
  view.configured = number < runtime.config.instances;
  view.policy = runtime.config.policy[number];
  view.loop = device::kServerDefault;
  const shm::RuntimeDirectory directory = directory_of(runtime);
  for (const abi::SideIndex side : {abi::kServer, abi::kClient}) {
    if (shm::is_held(directory, number, side)) view.side[side].state = SideState::kOpening;
  }
  int error = 0;
  const auto mapped = shm::Segment::open_existing(directory, number, error);
  if (mapped == nullptr) {
    if (error == -ENOENT) return view;
    view.segment = SegmentState::kUnreadable;
    view.foreign = error == -EPROTO;
    view.problem =
        directory.path_of(shm::segment_name(number)) + ": " +
        (view.foreign ? "not a segment of layout version " + std::to_string(abi::kLayoutVersion)
                      : base::error_text(-error));
    return view;
  }
  view.segment = SegmentState::kPresent;
  abi::Segment& segment = mapped->contract();
  view.policy = config::load_policy(segment.policy);
  const bool both = device::open_ways(segment, abi::kServer) == device::kReadWrite;
  // A server that left keeps telling which way the last stream went.
  const abi::Half& plays = device::half_of(segment, abi::kServer, device::kWrite);
  view.stream.server_reads = both || plays.access.load(kRelaxed) == 0;
  look_at_direction(directory, number, *mapped, view.policy, !both, view.side, view);
  if (both) {
    view.other.emplace().stream.server_reads = false;
    look_at_direction(directory, number, *mapped, view.policy, false, view.side, *view.other);
  }
  look_at_side(directory, number, segment, abi::kServer, 0, device::kReadWrite,
               view.side[abi::kServer]);
  if (!view.clients.empty()) view.side[abi::kClient] = view.clients.front().side;
  look_at_mixer(segment.mixer, view.mixer);
  return view;
}

std::vector<InstanceView> look_at_all(const config::Runtime& runtime) {
  std::vector<InstanceView> views;
  // Where the rings are read: once there and back for all of them.
  device::DeviceThread::instance().run([&] {
    for (int number = 0; number < abi::kMaxInstances; ++number) {
      InstanceView view = look(runtime, number);
      if (view.exists()) views.push_back(std::move(view));
    }
  });
  return views;
}

int check_folder(const config::Runtime& runtime, bool create, std::string& why) {
  const shm::RuntimeDirectory directory = directory_of(runtime);
  const int error = create ? directory.make(why) : directory.check(why);
  return error == -ENOENT && !create ? 0 : error;
}

}  // namespace ossloop::control
