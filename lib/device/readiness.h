// A side's readiness as the kernel shows it: the byte in its node.
#pragma once

#include <cstdint>

#include "abi/layout.h"

namespace ossloop::device {

class Readiness {
 public:
  explicit Readiness(abi::Half& half) : half_(half) {}

  // Does somebody wait on the node? Until then nobody keeps the token true.
  bool watched() const { return half_.polled.load(std::memory_order_relaxed) != 0; }
  // From now on somebody does. True if nobody did before.
  bool watch() { return half_.polled.fetch_or(kWatched, std::memory_order_acq_rel) == 0; }
  // And hears of changes only (EPOLLET, SIGIO): each fragment has to be one.
  void want_edges() { half_.polled.fetch_or(kWatched | kEdges, std::memory_order_acq_rel); }
  bool edges_wanted() const { return (half_.polled.load(std::memory_order_relaxed) & kEdges) != 0; }

  // Does the node of an open for both ways show them both at once?
  bool both_ways() const {
    return (half_.place.load(std::memory_order_relaxed) & abi::kBothWays) != 0;
  }

  // A new open's node, empty and of the size that it needs: 0, or what the system says.
  int begin(int fd) const;
  // Makes the node behind `fd` hold what abi::Token says. With the side's lock held.
  void show(int fd, abi::Token token);
  // The same; to who hears of changes only, each fragment that has passed is one.
  void show(int fd, abi::Token token, std::uint64_t passed_fragments);
  // The same, and a change to be heard of even if it holds that already.
  void signal_edge(int fd, abi::Token token);
  // What the node holds may not be what was put there: the next show() looks anew.
  void invalidate() { half_.token.store(word(abi::Token::kUnknown), std::memory_order_relaxed); }
  bool invalidated() const {
    return half_.token.load(std::memory_order_relaxed) == word(abi::Token::kUnknown);
  }
  // As show(), by the peer, which does not hold the lock; the owner puts it right
  // with its program's next call.
  void notify(int fd, abi::Token token);

 private:
  static constexpr std::uint32_t kWatched = 1, kEdges = 2;
  static constexpr std::uint32_t word(abi::Token token) {
    return static_cast<std::uint32_t>(token);
  }
  int pages() const { return both_ways() ? 2 : 1; }
  void put(int fd, abi::Token token) const;
  abi::Half& half_;
  std::uint64_t shown_fragments_ = 0;  // that had passed at the last edge
};

}  // namespace ossloop::device
