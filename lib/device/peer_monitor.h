// What the device thread sees of the nodes of an instance: who lives, whose poll() wants to
// hear of a beginning.
//
// All calls in the device thread, unless said otherwise: the descriptors are of its
// own table.
#pragma once

#include <atomic>
#include <cstdint>
#include <iterator>
#include <memory>

#include "base/fd.h"
#include "shm/node.h"
#include "shm/segment.h"
#include "stream/halves.h"

namespace ossloop::device {

class PeerMonitor {
 public:
  PeerMonitor(std::shared_ptr<shm::Segment> segment, const shm::RuntimeDirectory& folder,
              int instance, const shm::Place& place);
  // These numbers belong to the device thread's table; it closed them, or its end did.
  ~PeerMonitor() { forget_descriptors(); }

  // A program may change its root or its user once it has its devices: then names
  // lead nowhere, descriptors do. So those of all nodes that peers may have, made for that
  // if they are missing.
  void keep_descriptors();
  void drop_descriptors();
  // A forked child has a table without them. In any thread.
  void forget_descriptors();

  const shm::Node& own_node() const { return own_node_; }  // in any thread
  // Our node by a description of the thread's own.
  const base::Fd& own();
  // Takes the claim of our side if no program holds it any more.
  bool inherit_claim();
  bool peer_is_opening();
  // The kernel says who is alive: a peer that is open and not claimed is dead. True if that
  // was seen now of any.
  bool check_peer_alive(std::int64_t now_ns);
  std::int64_t checked_ns() const { return checked_ns_; }

  // A peer whose program sits in poll() while nothing ran hears at once that we
  // started; its own device thread would be slower. The asking in any thread.
  void want_peer_notified() { peer_notify_wanted_.store(true); }
  // Those that read what we play, and those that play what we read.
  void notify_peers(bool readers, bool writers);

 private:
  template <typename MakeNode>
  static const base::Fd& open_once(base::Fd& cached, MakeNode make_node);
  const base::Fd& peer(const shm::Place& place);
  bool is_dead(abi::Half& half, std::uint32_t slot);
  bool lingers_in_vain(std::uint32_t slot);
  bool frees_lane();
  void notify(Access way);

  const std::shared_ptr<shm::Segment> segment_;
  const shm::RuntimeDirectory folder_;
  const int instance_;
  const std::uint32_t own_slot_;
  const abi::SideIndex peer_side_;
  const shm::Node own_node_;
  const shm::Node first_peer_node_;
  base::Fd own_;
  base::Fd peers_[abi::kClients][std::size(shm::kNodeKinds)];
  std::int64_t checked_ns_ = 0;
  std::atomic<bool> peer_notify_wanted_{false};
};

}  // namespace ossloop::device
