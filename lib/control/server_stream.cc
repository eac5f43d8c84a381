#include "control/server_stream.h"

#include <algorithm>

#include "base/error_text.h"
#include "base/sys.h"
#include "control/view.h"
#include "shm/wakeup.h"
#include "stream/clock_speed.h"
#include "stream/flow.h"
#include "stream/format_word.h"

namespace ossloop::control {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr auto kAcquire = std::memory_order_acquire;

// A client that was killed before it woke anybody is found after so long.
constexpr std::int64_t kLookAgainNs = 2'000'000'000;

// Between frames, too, and before the clock's anchor as well.
double frames_at(const audio::Clock& clock, std::int64_t at_ns) {
  const double speed = clock.rate_hz * (clock.factor_milli / 1e3) * (1 + clock.ppm / 1e6);
  return static_cast<double>(at_ns - clock.anchor_ns) / 1e9 * speed;
}

}  // namespace

std::unique_ptr<ServerStream> ServerStream::open(const config::Runtime& runtime, int number,
                                                 device::Access way, std::string& why) {
  int error = 0;
  auto segment = shm::Segment::open_existing(directory_of(runtime), number, error);
  if (segment == nullptr) {
    why = "instance " + std::to_string(number) + ": " + base::error_text(-error);
    return nullptr;
  }
  return std::unique_ptr<ServerStream>(new ServerStream(std::move(segment), way));
}

abi::Direction& ServerStream::direction() const {
  return segment_->contract().direction[device::direction_of(abi::kServer, way_)];
}

// Has it a stream whose end the server has not yet heard of?
bool ServerStream::plays(std::uint32_t slot) const {
  const abi::Lane& lane = direction().lane[slot];
  return lane.producer.stream.load(kAcquire) > lane.consumer.acknowledged_stream.load(kAcquire);
}

bool ServerStream::waits(std::uint32_t slot) const {
  const abi::Lane& lane = direction().lane[slot];
  if (way_ == device::kRead)
    return plays(slot) && lane.producer.written.load(kAcquire) != lane.consumer.read.load(kAcquire);
  return device::is_open(direction().client[slot].open.load(kAcquire)) &&
         lane.consumer.running.load(kAcquire) != 0;
}

bool ServerStream::client_waits() const {
  for (std::uint32_t slot = 0; slot < abi::kClients; ++slot) {
    if (waits(slot)) return true;
  }
  return false;
}

// A client's first read wakes whoever sleeps on the server's half; its first frame, whom that
// is worth it. Positions of several lanes are not comparable.
std::uint64_t ServerStream::first_frame() const {
  if (way_ == device::kWrite) return shm::Sleeper::kNever;
  const bool several = (direction().server.place.load(kRelaxed) & abi::kForSeveral) != 0;
  return several ? 0 : direction().lane[0].consumer.read.load(kAcquire) + 1;
}

void ServerStream::wait_for_client(const std::atomic<bool>& over) const {
  for (;;) {
    shm::Sleeper sleeper(direction().server, first_frame());
    if (over.load() || client_waits()) return;
    sleeper.sleep_until(base::sys().now_ns() + kLookAgainNs);
  }
}

void ServerStream::end_wait() const { shm::wake(direction().server); }

std::optional<audio::PcmFormat> ServerStream::lone_client_format() const {
  std::uint32_t playing = 0;
  for (std::uint32_t slot = 0; slot < abi::kClients; ++slot) playing += plays(slot) ? 1 : 0;
  if (playing != 1) return {};
  return client_format();
}

std::optional<audio::PcmFormat> ServerStream::client_format() const {
  std::uint32_t slot = 0;
  while (slot < abi::kClients && !waits(slot)) ++slot;
  if (slot == abi::kClients) return {};
  const abi::Half& client = direction().client[slot];
  const audio::PcmFormat own = device::unpack_format(client.format.load(kRelaxed));
  if (way_ == device::kWrite) return own;
  // What is played has marks where the format changes.
  const device::ProducerFlow flow(segment_->contract(), abi::kClientToServer, slot);
  device::Section section = flow.section(flow.section_read());
  if (flow.sections() != section.number) {
    const device::Section next = flow.section(section.number + 1);
    if (section.number == 0 || next.frame <= flow.read_by_peer()) section = next;
  }
  return section.number == 0 ? own : section.format;
}

bool ServerStream::is_own_client(pid_t pid) const {
  for (const abi::Direction& way : segment_->contract().direction) {
    for (const abi::Half& client : way.client) {
      if (device::is_open(client.open.load(kAcquire)) &&
          client.pid.load(kRelaxed) == static_cast<std::uint32_t>(pid))
        return true;
    }
  }
  return false;
}

std::optional<ServerStream::Ahead> ServerStream::ahead(std::int64_t at_ns,
                                                       int server_rate_hz) const {
  for (std::uint32_t slot = 0; slot < abi::kClients; ++slot) {
    const auto index = device::direction_of(abi::kServer, way_);
    const device::ProducerFlow flow(segment_->contract(), index, slot);
    std::uint64_t stream = 0;
    const audio::Clock clock = flow.clock(stream);
    if (stream == 0) continue;
    const auto moved =
        static_cast<std::int64_t>(way_ == device::kRead ? flow.read_by_peer() : flow.written());
    const double ring_frames = static_cast<double>(clock.base - moved) + frames_at(clock, at_ns);
    return Ahead{ring_frames * server_rate_hz / clock.rate_hz, stream * abi::kClients + slot};
  }
  return {};
}

void ServerStream::stop_at_marks(bool stops) {
  direction().server.stops_at_marks.store(stops ? 1 : 0, kRelaxed);
}

void ServerStream::trim(int ppm) {
  direction().server.trim_ppm.store(std::clamp(ppm, -device::kMostTrimPpm, device::kMostTrimPpm),
                                    kRelaxed);
}

}  // namespace ossloop::control
