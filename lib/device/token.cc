#include "device/token.h"

#include "shm/node.h"

namespace ossloop::device {

// A peer that nudges leaves kTokenUnknown behind its byte, whenever it comes.
void Token::show(int fd, bool byte) {
  const std::uint32_t wanted = byte ? 1 : 0;
  for (int attempt = 0; attempt < 3; ++attempt) {
    std::uint32_t seen = side_.token.load(std::memory_order_relaxed);
    if (seen == wanted) return;
    shm::Node::set_token(fd, byte);
    if (side_.token.compare_exchange_strong(seen, wanted)) return;
  }
}

void Token::nudge(int fd, bool byte) {
  shm::Node::set_token(fd, byte);
  side_.token.store(abi::kTokenUnknown);
}

}  // namespace ossloop::device
