#include "device/peer_monitor.h"

#include <utility>

#include "base/host.h"
#include "config/policy.h"
#include "device/device_thread.h"
#include "device/readiness.h"
#include "shm/claims.h"
#include "stream/lane_reader.h"

namespace ossloop::device {
namespace {

const base::Fd kNone;

}  // namespace

PeerMonitor::PeerMonitor(std::shared_ptr<shm::Segment> segment, const shm::RuntimeDirectory& folder,
                         int instance, const shm::Place& place)
    : segment_(std::move(segment)),
      folder_(folder),
      instance_(instance),
      own_slot_(place.slot),
      peer_side_(other(place.side)),
      own_node_(folder, instance, place),
      first_peer_node_(folder, instance, other(place.side)) {}

void PeerMonitor::keep_descriptors() {
  if (!DeviceThread::instance().has_thread() || !DeviceThread::instance().has_own_descriptors())
    return;
  own();
  const abi::Policy& policy = segment_->contract().policy;
  const bool duplex = config::get<"duplex", abi::Duplex>(policy) == abi::Duplex::kOn;
  const auto clients = config::get<"clients", std::uint32_t>(policy);
  const std::uint32_t slots = peer_side_ == abi::kClient ? clients : 1;
  shm::each_place([&](const shm::Place& place) {
    const bool first_kind = place.kind == shm::NodeKind::kWhole;
    if (place.side != peer_side_ || place.slot >= slots || !(duplex || first_kind)) return;
    if (place != shm::Place(peer_side_)) shm::Node(folder_, instance_, place).make();
    peer(place);
  });
  segment_->keep_descriptor();
}

void PeerMonitor::drop_descriptors() {
  own_.reset();
  for (auto& slot : peers_) {
    for (base::Fd& fd : slot) fd.reset();
  }
  segment_->drop_descriptor();
}

void PeerMonitor::forget_descriptors() {
  own_.release();
  for (auto& slot : peers_) {
    for (base::Fd& fd : slot) fd.release();
  }
  segment_->forget_descriptor();
}

template <typename MakeNode>
const base::Fd& PeerMonitor::open_once(base::Fd& cached, MakeNode make_node) {
  // Numbers of a device thread are of its own table: a process that was copied without
  // fork() has other files there.
  const bool of_the_thread = DeviceThread::instance().has_thread();
  if (cached && of_the_thread && !base::thread_note().device_thread) return kNone;
  if (!cached) cached.reset(make_node().reach());
  return cached;
}

const base::Fd& PeerMonitor::own() {
  return open_once(own_, [this]() -> const shm::Node& { return own_node_; });
}

const base::Fd& PeerMonitor::peer(const shm::Place& place) {
  base::Fd& cached = peers_[place.slot][static_cast<std::size_t>(place.kind)];
  if (place == shm::Place(peer_side_))
    return open_once(cached, [this]() -> const shm::Node& { return first_peer_node_; });
  return open_once(cached, [&] { return shm::Node(folder_, instance_, place); });
}

bool PeerMonitor::inherit_claim() {
  const base::Fd& node = own();
  if (!node || shm::Node::claim(node.get()) != 0) return false;
  shm::Node::announce(node.get());
  return true;
}

bool PeerMonitor::peer_is_opening() {
  const base::Fd& fd = peer(peer_side_);
  return fd && (shm::Node::claim_of_other(fd.get()) == shm::Node::Claim::kOpening ||
                shm::Node::door_taken_by_other(fd.get()));
}

bool PeerMonitor::is_dead(abi::Half& half, std::uint32_t slot) {
  std::uint64_t open = half.open.load(std::memory_order_acquire);
  if (!is_open(open)) return false;
  const base::Fd& fd = peer(shm::place_of(half, peer_side_, slot));
  if (!fd || shm::Node::claimed_by_other(fd.get())) return false;
  return half.open.compare_exchange_strong(open, open & ~std::uint64_t{1});
}

// Has the process gone that may go on with a stream of this slot's player?
bool PeerMonitor::lingers_in_vain(std::uint32_t slot) {
  if (peer_side_ != abi::kClient) return false;
  abi::Direction& direction = segment_->contract().direction[abi::kClientToServer];
  std::uint64_t stream = direction.lane[slot].producer.lingers.load(std::memory_order_acquire);
  const abi::Half& half = direction.client[slot];
  const std::uint64_t open = half.open.load(std::memory_order_acquire);
  if (stream == 0 || is_open(open)) return false;
  const base::Fd& fd = peer(shm::place_of(half, peer_side_, slot));
  if (!fd || shm::Node::is_lingering(fd.get(), serial_of(open))) return false;
  return direction.lane[slot].producer.lingers.compare_exchange_strong(stream, 0);
}

// A server that was killed in its open may have taken the lane from who reads for nobody.
bool PeerMonitor::frees_lane() {
  if (peer_side_ != abi::kServer) return false;
  abi::Direction& direction = segment_->contract().direction[abi::kClientToServer];
  LaneReader lane(direction.lane[own_slot_].consumer);
  return lane.is_ahead_of(direction.server) && !peer_is_opening() && lane.release(direction.server);
}

bool PeerMonitor::check_peer_alive(std::int64_t now_ns) {
  checked_ns_ = now_ns;
  bool dead = frees_lane();
  for (std::uint32_t slot = 0; slot < shm::slots_of(peer_side_); ++slot) {
    for (const Access way : {kRead, kWrite}) {
      dead = is_dead(half_of(segment_->contract(), peer_side_, way, slot), slot) || dead;
    }
    dead = lingers_in_vain(slot) || dead;
  }
  return dead;
}

void PeerMonitor::notify_peers(bool readers, bool writers) {
  if (!peer_notify_wanted_.exchange(false)) return;
  if (readers) notify(kRead);
  if (writers) notify(kWrite);
}

// A reader finds its sound a moment later, a writer can write.
void PeerMonitor::notify(Access way) {
  abi::Segment& contract = segment_->contract();
  for (std::uint32_t slot = 0; slot < shm::slots_of(peer_side_); ++slot) {
    const std::uint32_t ways = open_ways(contract, peer_side_, slot);
    if ((ways & way) == 0) continue;
    abi::Half& half = half_of(contract, peer_side_, way, slot);
    const shm::Place place = shm::place_of(half, peer_side_, slot);
    // Of an open for both ways the main half tells who polls, and that node shows it.
    const bool whole = half.access.load(std::memory_order_relaxed) == kReadWrite;
    Readiness readiness(whole ? main_half(contract, peer_side_, ways, slot) : half);
    if (!readiness.watched()) continue;
    const base::Fd& fd = peer(place);
    const bool byte = way == kRead || readiness.both_ways();
    if (fd) readiness.notify(fd.get(), byte ? abi::Token::kByte : abi::Token::kEmpty);
  }
}

}  // namespace ossloop::device
