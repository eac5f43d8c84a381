#include "device/open_half.h"

#include <errno.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <utility>

#include "config/policy.h"
#include "device/device_thread.h"
#include "shm/wakeup.h"
#include "stream/levels.h"
#include "stream/ring_size.h"

namespace ossloop::device {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;

}  // namespace

OpenHalf::OpenHalf(std::shared_ptr<shm::Segment> segment, abi::SideIndex side, Access way,
                   std::uint32_t slot, Listener* listener)
    : segment_(std::move(segment)),
      side_(side),
      way_(way),
      slot_(slot),
      listener_(listener),
      own_(listener != nullptr ? listener->half : half_of(contract(), side, way, slot)),
      buffer_ms_(usual_buffer_ms()) {
  refresh();
}

bool OpenHalf::peer_open() const {
  bool any = false;
  each_peer([&](const abi::Half& peer) {
    any = any || is_open(peer.open.load(std::memory_order_acquire));
  });
  return any;
}

// By one descriptor for both ways a program may wait for itself: it never sleeps for a start.
bool OpenHalf::has_nobody() const {
  if (both_ways()) return true;
  if (server() || peer_open()) return false;
  return !wrong_way() && client_goes_on(contract(), own_);
}

void OpenHalf::wake_peers() const {
  each_peer([](abi::Half& peer) { shm::wake(peer); });
}

void OpenHalf::claim(std::uint32_t access, std::uint32_t place) {
  for (auto* zero :
       {&own_.low_water_bytes, &own_.fragment_chosen, &own_.polled, &own_.token, &own_.shared,
        &own_.partial_bytes, &own_.pump_owner, &own_.mapped.mapped, &own_.mapped.running,
        &own_.mapped.ended, &own_.stops_at_marks, &own_.lent_from}) {
    zero->store(0, kRelaxed);
  }
  for (auto* zero : {&own_.frames, &own_.zero_frames, &own_.seen_frames}) zero->store(0, kRelaxed);
  own_.opened_ns.store(base::sys().now_ns(), kRelaxed);
  own_.access.store(access, kRelaxed);
  own_.place.store(place, kRelaxed);
  own_.pid.store(static_cast<std::uint32_t>(::getpid()), kRelaxed);
  own_.trigger.store(kReadWrite, kRelaxed);
  own_.cooked.store(1, kRelaxed);
  own_.volume.store(kFullVolume, kRelaxed);
  own_.trim_ppm.store(0, kRelaxed);
  std::snprintf(own_.command, sizeof own_.command, "%s", program_invocation_short_name);
  std::memset(own_.song, 0, sizeof own_.song);
  std::memset(own_.label, 0, sizeof own_.label);
  shm::make_wakeup(own_);
  serial_ = serial_of(own_.open.load(std::memory_order_acquire)) + 1;
}

void OpenHalf::publish() {
  own_.open.store(serial_ << 1 | 1, std::memory_order_release);
  wake_peers();
}

void OpenHalf::close() {
  std::uint64_t open = serial_ << 1 | 1;
  own_.trim_ppm.store(0, kRelaxed);
  own_.open.compare_exchange_strong(open, serial_ << 1, std::memory_order_acq_rel);
  wake_peers();
}

void OpenHalf::zero_pointers() const {
  own_.zero_frames.store(own_.frames.load(kRelaxed), kRelaxed);
  own_.seen_frames.store(0, kRelaxed);
}

void OpenHalf::count_lent(std::uint64_t position) const {
  const std::uint32_t from = own_.lent_from.load(kRelaxed);
  if (from == 0) return;
  own_.lent_from.store(0, kRelaxed);
  own_.frames.store(own_.frames.load(kRelaxed) + (loan_word(position) - from) / 2, kRelaxed);
}

void OpenHalf::leave_ring(const Section& before, const Section& now) const {
  if (before.ring_bytes == 0 || before.ring_offset == now.ring_offset) return;
  std::uint32_t listeners = 0;
  for (const abi::Half& client : contract().direction[abi::kServerToClient].client)
    listeners += is_open(client.open.load(std::memory_order_acquire)) ? 1 : 0;
  if (direction() == abi::kServerToClient && listeners > 1) return;
  DeviceThread::instance().run([&] { segment().drop_ring(before.ring_offset, before.ring_bytes); });
}

audio::PcmFormat OpenHalf::shared_format() const {
  return unpack_format(own_.format.load(kRelaxed));
}

void OpenHalf::refresh() { format_word_.store(own_.format.load(kRelaxed), kRelaxed); }

std::uint32_t OpenHalf::usual_buffer_ms() const {
  return config::get<"buffer_ms", std::uint32_t>(contract().policy);
}

void OpenHalf::set_format(const audio::PcmFormat& format) {
  // What is little in one format may be all memory in another.
  if (format != this->format()) buffer_ms_ = usual_buffer_ms();
  own_.format.store(pack(format), kRelaxed);
  refresh();
}

Buffering OpenHalf::buffering() const {
  const auto frame = static_cast<std::uint32_t>(format().frame_bytes());
  return {std::clamp<std::uint32_t>(own_.fragment_bytes.load(kRelaxed), frame, 1U << 28),
          std::clamp<std::uint32_t>(own_.fragments.load(kRelaxed), 2, 1U << 20)};
}

void OpenHalf::set_buffering(const Buffering& buffering) {
  ++buffer_changes_;
  own_.fragment_bytes.store(buffering.fragment_bytes, kRelaxed);
  own_.fragments.store(buffering.fragments, kRelaxed);
  own_.buffer_frames.store(static_cast<std::uint32_t>(buffer_frames()), kRelaxed);
}

void OpenHalf::allow_buffer(std::uint64_t frames) {
  buffer_ms_ = std::max(buffer_ms_, buffer_ms_for(format().rate_hz, frames));
}

std::uint64_t OpenHalf::buffer_frames() const {
  const Buffering parts = buffering();
  const audio::PcmFormat present = format();
  return std::min(static_cast<std::uint64_t>(parts.fragment_bytes) * parts.fragments /
                      static_cast<std::uint64_t>(present.frame_bytes()),
                  longest_buffer_frames(present.rate_hz, buffer_ms_));
}

std::uint64_t OpenHalf::fragment_frames() const {
  return std::max<std::uint64_t>(
      buffering().fragment_bytes / static_cast<std::uint64_t>(format().frame_bytes()), 1);
}

std::uint64_t OpenHalf::worth_a_sleep(std::uint64_t frames) const {
  constexpr std::uint64_t kShortestMs = 10;
  const auto rate_hz = static_cast<std::uint64_t>(format().rate_hz);
  return frames * 1000 < kShortestMs * rate_hz ? 0 : frames;
}

}  // namespace ossloop::device
