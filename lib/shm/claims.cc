#include "shm/claims.h"

#include <errno.h>

namespace ossloop::shm {

using base::sys;

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
    error = Node::claim_patiently(fd.get(), longest_ms);
    if (error != 0) return error;
    struct stat status {};
    error = sys().fstat(fd.get(), &status);
    if (error != 0 || node.is(status)) return error;
  }
  return -EBUSY;
}

}  // namespace ossloop::shm
