// The right to change a side: one holder at a time.
#pragma once

#include "base/deferral.h"
#include "device/endpoint.h"
#include "shm/node.h"

namespace ossloop::device {

// Threads take turns by the endpoint's mutex. Processes that share one open do
// so by a lock that the kernel keeps on the node, and frees if its owner dies.
class Endpoint::Turn {
 public:
  // `fd`: a descriptor of the open, or -1 once it is closed (no other process
  // holds it then).
  Turn(Endpoint& endpoint, int fd) : endpoint_(endpoint), fd_(fd) {
    endpoint_.mutex_.lock();
    lock_between_processes(fd);
    endpoint_.port_.refresh();
  }
  ~Turn() {
    if (locked_) shm::Node::end_turn(fd_);
    endpoint_.mutex_.unlock();
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  void lock_between_processes(int fd) {
    if (fd < 0 || endpoint_.port_.side().shared.load(std::memory_order_acquire) == 0) return;
    locked_ = shm::Node::take_turn(fd, true) == 0;
  }

  // The first in, the last out: a handler may not come back from where it goes.
  const base::SignalsDeferred deferred_;
  Endpoint& endpoint_;
  const int fd_;
  bool locked_ = false;
};

}  // namespace ossloop::device
