#include "device/peer_monitor.h"

#include <utility>

#include "base/host.h"
#include "device/device_thread.h"
#include "device/readiness.h"
#include "stream/halves.h"

namespace ossloop::device {
namespace {

const base::Fd kNone;

}  // namespace

PeerMonitor::PeerMonitor(std::shared_ptr<shm::Segment> segment, const shm::RuntimeDirectory& folder,
                         int instance, abi::SideIndex side)
    : segment_(std::move(segment)),
      peer_side_(other(side)),
      own_node_(folder, instance, side),
      peer_node_(folder, instance, other(side)) {}

void PeerMonitor::keep_descriptors() {
  if (!DeviceThread::instance().has_thread() || !DeviceThread::instance().has_own_descriptors())
    return;
  open_once(own_, own_node_);
  open_once(peer_, peer_node_);
  segment_->keep_descriptor();
}

void PeerMonitor::drop_descriptors() {
  own_.reset();
  peer_.reset();
  segment_->drop_descriptor();
}

void PeerMonitor::forget_descriptors() {
  own_.release();
  peer_.release();
  segment_->forget_descriptor();
}

const base::Fd& PeerMonitor::open_once(base::Fd& cached, const shm::Node& node) {
  // Numbers of a device thread are of its own table: a process that was copied without
  // fork() has other files there.
  const bool of_the_thread = DeviceThread::instance().has_thread();
  if (cached && of_the_thread && !base::thread_note().device_thread) return kNone;
  if (!cached) cached.reset(node.reach());
  return cached;
}

const base::Fd& PeerMonitor::own() { return open_once(own_, own_node_); }

bool PeerMonitor::inherit_claim() {
  const base::Fd& node = own();
  if (!node || shm::Node::claim(node.get()) != 0) return false;
  shm::Node::announce(node.get());
  return true;
}

bool PeerMonitor::peer_is_opening() {
  const base::Fd& fd = open_once(peer_, peer_node_);
  return fd && shm::Node::claim_of_other(fd.get()) == shm::Node::Claim::kOpening;
}

bool PeerMonitor::check_peer_alive(std::int64_t now_ns) {
  checked_ns_ = now_ns;
  abi::Segment& contract = segment_->contract();
  std::uint64_t before[2] = {};
  for (const Access way : {kRead, kWrite}) {
    before[way == kWrite] = half_of(contract, peer_side_, way).open.load(std::memory_order_acquire);
  }
  if (!is_open(before[0]) && !is_open(before[1])) return false;
  const base::Fd& fd = open_once(peer_, peer_node_);
  if (!fd || shm::Node::claimed_by_other(fd.get())) return false;
  bool dead = false;
  for (const Access way : {kRead, kWrite}) {
    std::uint64_t open = before[way == kWrite];
    auto& word = half_of(contract, peer_side_, way).open;
    dead = (is_open(open) && word.compare_exchange_strong(open, open & ~std::uint64_t{1})) || dead;
  }
  return dead;
}

// A reader finds its sound a moment later, a writer can write.
void PeerMonitor::notify_peer(bool peer_reads) {
  abi::Segment& contract = segment_->contract();
  Readiness readiness(main_half(contract, peer_side_, open_ways(contract, peer_side_)));
  if (!peer_notify_wanted_.exchange(false) || !readiness.watched()) return;
  const base::Fd& fd = open_once(peer_, peer_node_);
  if (fd) readiness.notify(fd.get(), peer_reads);
}

}  // namespace ossloop::device
