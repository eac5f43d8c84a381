#include "device/readiness.h"

#include <utility>

#include "shm/node.h"

namespace ossloop::device {

// Of one page a byte more is as good as one. Of two all but that must go first.
void Readiness::put(int fd, abi::Token token) const {
  if (token == abi::Token::kFull) return shm::Node::fill(fd);
  if (token == abi::Token::kEmpty || both_ways()) shm::Node::set_token(fd, false, pages());
  if (token == abi::Token::kByte) shm::Node::set_token(fd, true);
}

int Readiness::begin(int fd) const {
  shm::Node::set_token(fd, false, pages());
  return shm::Node::set_pages(fd, pages());
}

// A peer that notifies leaves Token::kUnknown behind its byte, whenever it comes.
void Readiness::show(int fd, abi::Token token) {
  for (int attempt = 0; attempt < 3; ++attempt) {
    std::uint32_t seen = half_.token.load(std::memory_order_relaxed);
    if (seen == word(token)) return;
    put(fd, token);
    if (half_.token.compare_exchange_strong(seen, word(token))) return;
  }
}

void Readiness::show(int fd, abi::Token token, std::uint64_t passed_fragments) {
  if (std::exchange(shown_fragments_, passed_fragments) == passed_fragments) {
    show(fd, token);
  } else {
    signal_edge(fd, token);
  }
}

// Who waits for input is woken by a byte that comes, who waits to write by one that goes; of
// two pages, by what goes out of a full node.
void Readiness::signal_edge(int fd, abi::Token token) {
  std::uint32_t seen = half_.token.load(std::memory_order_relaxed);
  const bool changes = token == abi::Token::kEmpty ? seen == word(abi::Token::kByte)
                                                   : seen == word(abi::Token::kEmpty);
  if (both_ways()) {
    shm::Node::fill(fd);
    if (token == abi::Token::kFull) shm::Node::set_token(fd, false, pages());
  } else if (changes) {
    return show(fd, token);
  } else if (token == abi::Token::kByte && shm::Node::add_byte(fd)) {
    return;
  } else {
    shm::Node::set_token(fd, token == abi::Token::kEmpty);
  }
  put(fd, token);
  half_.token.compare_exchange_strong(seen, word(token));
}

void Readiness::notify(int fd, abi::Token token) {
  put(fd, token);
  half_.token.store(word(abi::Token::kUnknown));
}

}  // namespace ossloop::device
