#include "device/lookout.h"

#include "device/timer.h"
#include "device/token.h"
#include "shm/wakeup.h"

namespace ossloop::device {

Lookout::Lookout(Port& port, const shm::RuntimeDirectory& folder, int instance)
    : port_(port),
      own_node_(folder, instance, port.index()),
      peer_node_(folder, instance, port.server() ? abi::kClient : abi::kServer) {}

void Lookout::keep_descriptors() {
  if (!Timer::instance().has_thread() || !Timer::instance().has_own_descriptors()) return;
  open_once(own_, own_node_);
  open_once(peer_, peer_node_);
  port_.segment().keep_descriptor();
}

void Lookout::drop_descriptors() {
  own_.reset();
  peer_.reset();
  port_.segment().drop_descriptor();
}

void Lookout::forget_descriptors() {
  own_.release();
  peer_.release();
  port_.segment().forget_descriptor();
}

const base::Fd& Lookout::open_once(base::Fd& cached, const shm::Node& node) {
  if (!cached) cached.reset(node.reach());
  return cached;
}

const base::Fd& Lookout::own() { return open_once(own_, own_node_); }

bool Lookout::inherit_claim() {
  const base::Fd& node = own();
  if (!node || shm::Node::claim(node.get()) != 0) return false;
  shm::Node::announce(node.get());
  return true;
}

bool Lookout::peer_is_opening() {
  const base::Fd& fd = open_once(peer_, peer_node_);
  return fd && shm::Node::claim_of_other(fd.get()) == shm::Node::Claim::kOpening;
}

void Lookout::witness_peer(std::int64_t now_ns) {
  witnessed_ns_ = now_ns;
  abi::Side& peer = port_.peer();
  std::uint64_t open = peer.open.load(std::memory_order_acquire);
  if (!is_open(open)) return;
  const base::Fd& fd = open_once(peer_, peer_node_);
  if (!fd || shm::Node::claimed_by_other(fd.get())) return;
  if (peer.open.compare_exchange_strong(open, open & ~std::uint64_t{1})) shm::wake(port_.side());
}

// A reader finds its sound a moment later, a writer can write.
void Lookout::nudge_peer(bool peer_reads) {
  Token token(port_.peer());
  if (!nudge_peer_.exchange(false) || !token.watched()) return;
  const base::Fd& fd = open_once(peer_, peer_node_);
  if (fd) token.nudge(fd.get(), peer_reads);
}

}  // namespace ossloop::device
