#include "device/readiness.h"

#include <utility>

#include "shm/node.h"

namespace ossloop::device {

// A peer that notifies leaves kTokenUnknown behind its byte, whenever it comes.
void Readiness::show(int fd, bool byte) {
  const std::uint32_t wanted = byte ? 1 : 0;
  for (int attempt = 0; attempt < 3; ++attempt) {
    std::uint32_t seen = half_.token.load(std::memory_order_relaxed);
    if (seen == wanted) return;
    shm::Node::set_token(fd, byte);
    if (half_.token.compare_exchange_strong(seen, wanted)) return;
  }
}

void Readiness::show(int fd, bool byte, std::uint64_t passed_fragments) {
  if (std::exchange(shown_fragments_, passed_fragments) == passed_fragments) {
    show(fd, byte);
  } else {
    signal_edge(fd, byte);
  }
}

// Who waits for input is woken by a byte that comes, who waits to write by one that
// goes.
void Readiness::signal_edge(int fd, bool byte) {
  const std::uint32_t seen = half_.token.load(std::memory_order_relaxed);
  if (byte && seen == 0) return show(fd, byte);
  if (!byte && seen == 1) return show(fd, byte);
  if (byte && shm::Node::add_byte(fd)) return;
  shm::Node::set_token(fd, !byte);
  shm::Node::set_token(fd, byte);
}

void Readiness::notify(int fd, bool byte) {
  shm::Node::set_token(fd, byte);
  half_.token.store(abi::kTokenUnknown);
}

}  // namespace ossloop::device
