// A side whose program maps the buffer instead of reading and writing.
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "device/endpoint.h"
#include "device/side_lock.h"
#include "shm/wakeup.h"

namespace ossloop::device {
namespace {

using base::sys;
constexpr auto kRelaxed = std::memory_order_relaxed;
// A process that has not moved for so long has stopped doing so.
constexpr std::uint64_t kMoverGoneNs = 200'000'000;

}  // namespace

void* Endpoint::map(int fd, const MapRequest& request, Access& direction, int& error) {
  const bool writing = (request.protection & PROT_WRITE) != 0;
  direction = writing || access_ == kWrite ? kWrite : kRead;
  const bool reads_only = !writing && (request.protection & PROT_READ) != 0;
  error = -EACCES;
  if ((access_ & direction) == 0 || (reads_only && direction == kWrite)) return nullptr;
  // Who opened for both ways may map both; the one that the loop does not go stays
  // silent.
  if (access_ != kReadWrite && !half().duplex() && peer_open() && !half().peer_open())
    return nullptr;
  SideLock lock(*this, fd);
  MappedBuffer& mapped = buffer(direction);
  const bool first = !mapped.mapped();
  error = direction == kWrite && live(kWrite) ? playback_.prepare_ring() : 0;
  if (error != 0) return nullptr;
  void* address = mapped.map(request, error);
  if (error != 0 || !first) return address;
  // From here on it takes a trigger to start.
  half().own().trigger.fetch_and(~static_cast<std::uint32_t>(direction));
  half(direction).own().partial_bytes.store(0, kRelaxed);
  half().own().pump_owner.store(static_cast<std::uint32_t>(::getpid()), kRelaxed);
  show_readiness(fd);
  return address;
}

void Endpoint::unmap(Access direction) {
  SideLock lock(*this, -1);
  MappedBuffer& mapped = buffer(direction);
  // A forked child's copy of the map is not the program's last.
  const std::uint32_t owner = half().own().pump_owner.load(kRelaxed);
  if (owner != static_cast<std::uint32_t>(::getpid())) return;
  const std::int64_t now_ns = sys().now_ns();
  stop(direction, now_ns);
  mapped.unmap();
  half().own().trigger.fetch_or(direction);
  if (direction == kWrite) playback_.arm(true, now_ns);
  half(direction).zero_pointers();
  DeviceThread::instance().notify();  // which shows the token, as no descriptor is at hand
}

// The trigger of a mapped buffer, alone or together with other opens.
void Endpoint::start_mapped(std::uint32_t directions, std::int64_t now_ns) {
  for (const Access direction : {kRead, kWrite}) {
    if ((access_ & directions & direction) == 0 || !buffer(direction).mapped()) continue;
    buffer(direction).start(now_ns);
    DeviceThread::instance().notify();
  }
}

// Does a position run? That of a recorder stands until a player comes.
bool Endpoint::mapped_moves() const {
  if (runs_mapped(kWrite)) return true;
  return runs_mapped(kRead) && (capture_.clock_runs() || !live(kRead) || capture_.idles());
}

// One process at a time moves the sound, so that there is one filter.
bool Endpoint::takes_the_moving(std::int64_t now_ns) {
  abi::Half& shared = half().own();
  const auto self = static_cast<std::uint32_t>(::getpid());
  // Unsigned: a time to come, or nonsense, is long ago.
  const std::uint64_t silent_ns = static_cast<std::uint64_t>(now_ns) -
                                  static_cast<std::uint64_t>(shared.moved_ns.load(kRelaxed));
  const bool ours = shared.pump_owner.load(kRelaxed) == self;
  if (!ours && silent_ns < kMoverGoneNs) return false;
  if (!ours) shared.pump_owner.store(self, kRelaxed);
  shared.moved_ns.store(now_ns, kRelaxed);
  return true;
}

void Endpoint::move_mapped(std::int64_t now_ns) {
  const bool playing = runs_mapped(kWrite) && played_.has_memory();
  const bool recording = runs_mapped(kRead) && recorded_.has_memory();
  if ((!playing && !recording) || !takes_the_moving(now_ns)) return;
  const bool plays = live(kWrite);
  const bool records = live(kRead);
  if (playing) {
    const bool was_streaming = playback_.streaming();
    const auto write = [&](std::byte* data, std::size_t bytes, bool progressed) {
      if (plays) return playback_.write(data, bytes, progressed, now_ns);
      TransferResult unheard;
      unheard.error = -EACCES;
      return unheard;
    };
    played_.play(now_ns, tick_ns(), write, [&](bool visible) {
      playback_.arm(visible, now_ns);
      if (visible) playing_.wake_peers();
    });
    if (!was_streaming && playback_.streaming()) started();
  }
  if (recording) {
    const bool by_own_clock = !records || capture_.idles() || capture_.flow().free_clock();
    recorded_.record(
        now_ns, by_own_clock, [&](std::byte* data, std::size_t bytes, bool progressed) {
          if (records) return capture_.read(data, bytes, progressed, now_ns);
          const audio::PcmFormat format = half().format();
          audio::fill_silence(format, data, bytes / static_cast<std::size_t>(format.frame_bytes()));
          TransferResult silence;
          silence.moved = bytes;
          return silence;
        });
  }
  if (watch_wanted() > watch_.load(kRelaxed)) DeviceThread::instance().notify();
}

Pointer Endpoint::mapped_pointer(Access direction, std::int64_t now_ns) {
  move_mapped(now_ns);
  MappedBuffer& mapped = buffer(direction);
  const std::uint64_t fragment = mapped.fragment_frames();
  Pointer result;
  result.frames = mapped.reached(now_ns);
  result.fragments = result.frames / fragment - mapped.exchange_seen(result.frames) / fragment;
  result.ptr_bytes = result.frames % mapped.buffer_frames() *
                     static_cast<std::uint64_t>(half().format().frame_bytes());
  if (direction == kWrite) {
    result.queued_frames = playback_.delay_frames(now_ns);
  }
  return result;
}

int Endpoint::mapped_end(int fd, Access direction) {
  if (direction != kRead || !recorded_.mapped()) return 0;
  SideLock lock(*this, fd);
  move_mapped(sys().now_ns());
  if (!recorded_.take_end()) return 0;
  show_readiness(fd);
  return -ECONNRESET;
}

}  // namespace ossloop::device
