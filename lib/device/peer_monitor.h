// What the device thread sees of an instance's two nodes: who lives, whose poll()
// wants to hear of a beginning.
//
// All calls in the device thread, unless said otherwise: the descriptors are of its
// own table.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "base/fd.h"
#include "shm/node.h"
#include "shm/segment.h"

namespace ossloop::device {

class PeerMonitor {
 public:
  PeerMonitor(std::shared_ptr<shm::Segment> segment, const shm::RuntimeDirectory& folder,
              int instance, abi::SideIndex side);
  // These numbers belong to the device thread's table; it closed them, or its end did.
  ~PeerMonitor() { forget_descriptors(); }

  // A program may change its root or its user once it has its devices: then names
  // lead nowhere, descriptors do.
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
  // was seen now.
  bool check_peer_alive(std::int64_t now_ns);
  std::int64_t checked_ns() const { return checked_ns_; }

  // A peer whose program sits in poll() while nothing ran hears at once that we
  // started; its own device thread would be slower. The asking in any thread.
  void want_peer_notified() { peer_notify_wanted_.store(true); }
  void notify_peer(bool peer_reads);

 private:
  static const base::Fd& open_once(base::Fd& cached, const shm::Node& node);

  const std::shared_ptr<shm::Segment> segment_;
  const abi::SideIndex peer_side_;
  const shm::Node own_node_;
  const shm::Node peer_node_;
  base::Fd own_;
  base::Fd peer_;
  std::int64_t checked_ns_ = 0;
  std::atomic<bool> peer_notify_wanted_{false};
};

}  // namespace ossloop::device
