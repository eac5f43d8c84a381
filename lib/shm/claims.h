// The claims and the doors of both sides of an instance: while they are held no program can
// open it, and nobody else can make, replace or remove its files.
#pragma once

#include "base/fd.h"
#include "shm/node.h"
#include "shm/runtime_directory.h"

namespace ossloop::shm {

// Has a program the place of an open that `half` tells of?
bool is_held(const RuntimeDirectory& directory, int instance, const Place& place);
// Nobody has it, for sure: that could be found out.
bool is_unheld(const RuntimeDirectory& directory, int instance, const Place& place);
Place place_of(const abi::Half& half, abi::SideIndex side, std::uint32_t slot);

class BothClaims {
 public:
  // What becomes of a node that is missing: it is made, or its side counts as free, or
  // there are no claims, -ENOENT.
  enum class Missing { kMake, kFree, kNone };

  // 0; -EBUSY; or what the system says. Waits so long at each side for a program that is
  // just opening it.
  int take(const RuntimeDirectory& directory, int instance, Missing missing,
           int longest_ms = Node::kOpeningMs);
  // Does any open of the instance live? Those of the first nodes had no claim to give.
  static bool used(const RuntimeDirectory& directory, int instance, abi::Segment& segment);

 private:
  static int take_side(const Node& node, Missing missing, int longest_ms, base::Fd& fd);

  base::Fd fd_[2];
};

}  // namespace ossloop::shm
