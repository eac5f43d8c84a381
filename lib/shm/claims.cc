#include "shm/claims.h"

#include <errno.h>

namespace ossloop::shm {

using base::sys;

namespace {

constexpr auto kAcquire = std::memory_order_acquire;

// A half of any other word has the first node.
NodeKind kind_of(std::uint32_t word) {
  const auto kind = static_cast<NodeKind>(word & abi::kNodeOfHalf);
  return kind == NodeKind::kPlaying || kind == NodeKind::kRecording ? kind : NodeKind::kWhole;
}

}  // namespace

Place place_of(const abi::Half& half, abi::SideIndex side, std::uint32_t slot) {
  return {side, slot, kind_of(half.place.load(std::memory_order_relaxed))};
}

bool is_held(const RuntimeDirectory& directory, int instance, const Place& place) {
  const base::Fd fd(Node(directory, instance, place).reach());
  return fd && Node::claimed_by_other(fd.get());
}

bool is_unheld(const RuntimeDirectory& directory, int instance, const Place& place) {
  const base::Fd fd(Node(directory, instance, place).reach());
  return fd ? !Node::claimed_by_other(fd.get()) : fd.get() == -ENOENT;
}

bool BothClaims::used(const RuntimeDirectory& directory, int instance, abi::Segment& segment) {
  for (abi::Direction& direction : segment.direction) {
    for (const abi::SideIndex side : {abi::kServer, abi::kClient}) {
      for (std::uint32_t slot = 0; slot < slots_of(side); ++slot) {
        const abi::Half& half = side == abi::kServer ? direction.server : direction.client[slot];
        if ((half.open.load(kAcquire) & 1) == 0) continue;
        const Place place = place_of(half, side, slot);
        // The first node's claim is in our hands.
        if (place != Place(side) && !is_unheld(directory, instance, place)) return true;
      }
    }
  }
  return false;
}

// The server's first: of two who want both, the second gets none.
int BothClaims::take(const RuntimeDirectory& directory, int instance, Missing missing,
                     int longest_ms) {
  for (const abi::SideIndex side : {abi::kServer, abi::kClient}) {
    const int error = take_side(Node(directory, instance, side), missing, longest_ms, fd_[side]);
    if (error == 0) continue;
    for (base::Fd& fd : fd_) fd.reset();
    return error;
  }
  return 0;
}

int BothClaims::take_side(const Node& node, Missing missing, int longest_ms, base::Fd& fd) {
  // Again if the node was removed between our look and our claim, which then keeps
  // nobody out.
  for (int attempt = 0; attempt < 8; ++attempt) {
    int error = missing == Missing::kMake ? node.make() : 0;
    if (error != 0) return error;
    fd.reset(node.reach());
    if (fd.get() == -ENOENT && missing == Missing::kFree) return 0;
    if (!fd) return fd.get();
    // The door first: who opens, and holds it, takes a claim for that of a program.
    error = Node::take_door_patiently(fd.get(), longest_ms);
    if (error == 0) error = Node::claim_patiently(fd.get(), longest_ms);
    if (error != 0) return error;
    struct stat status {};
    error = sys().fstat(fd.get(), &status);
    if (error != 0 || node.is(status)) return error;
  }
  return -EBUSY;
}

}  // namespace ossloop::shm
