// A player that has closed, and may open again to go on: the policy `linger_ms`.
#include <unistd.h>

#include "config/policy.h"
#include "device/endpoint.h"

namespace ossloop::device {
namespace {

using base::sys;
std::atomic<bool> process_is_ending{false};

// Of this process: no other has the same number and began at the same moment.
std::uint64_t number_of_process() {
  static std::atomic<std::uint64_t> begun_ns{0};
  std::uint64_t none = 0;
  begun_ns.compare_exchange_strong(none, static_cast<std::uint64_t>(sys().now_ns()) | 1);
  return begun_ns.load() ^ static_cast<std::uint64_t>(::getpid()) << 40;
}

}  // namespace

void Endpoint::process_ends() { process_is_ending.store(true); }

// Who lives is told by a descriptor of the device thread: without one, nobody could.
std::uint64_t Endpoint::lingerer() const {
  const bool may = !half().server() && (access_ & kWrite) != 0 && !process_is_ending.load() &&
                   DeviceThread::instance().has_thread() &&
                   DeviceThread::instance().has_own_descriptors() &&
                   config::get<"linger_ms">(half().contract().policy) > 0;
  return may ? number_of_process() : 0;
}

// In the device thread, with the claim inherited, which ends with this.
bool Endpoint::begin_lingering() {
  const std::uint64_t process = lingerer();
  if (process == 0 || !playback_.flow().lingers(process)) return false;
  const base::Fd& node = peer_monitor_.own();
  if (!node || shm::Node::linger(node.get(), serial()) != 0) {
    if (playback_.flow().end_lingering()) wake_peers();
    return false;
  }
  const auto linger_ms = config::get<"linger_ms", std::int64_t>(half().contract().policy);
  linger_until_ns_.store(sys().now_ns() + linger_ms * 1'000'000);
  lingering_.store(true);
  return true;
}

// In the device thread.
bool Endpoint::lingering_is_over(std::int64_t now_ns) {
  if (!lingering_.load()) return false;
  // An open that came since has the stream, or has ended it.
  const bool ours = serial_of(half().own().open.load(std::memory_order_acquire)) == serial();
  if (ours && now_ns < linger_until_ns_.load()) return false;
  if (ours && playback_.flow().end_lingering()) {
    wake_peers();
    peer_monitor_.want_peer_notified();
    peer_monitor_.notify_peers(true, false);
  }
  peer_monitor_.drop_descriptors();
  if (ours) half().segment().give_back();
  lingering_.store(false);
  return true;
}

void Endpoint::stop_lingering() {
  if (!lingering_.load()) return;
  linger_until_ns_.store(0);
  DeviceThread::instance().run([this] { lingering_is_over(sys().now_ns()); });
}

// A new open, with the claim in hand: it goes on with what its process left, or ends it.
void Endpoint::go_on_or_end() {
  const bool goes_on =
      (access_ & kWrite) != 0 && lingerer() != 0 && playback_.flow().lingers(lingerer());
  if (!goes_on && owns(kWrite) && playback_.flow().end_lingering()) wake_peers();
}

}  // namespace ossloop::device
