// Record locks that a program puts on a device.
#pragma once

#include <fcntl.h>

namespace ossloop::shim {

// The first bytes of a node carry our own locks (shm/node.h), so a program's lie
// this much higher.
inline constexpr off64_t kOwnLockBytes = 16;

// Where a program's lock goes on the node. 0 or -errno.
int to_node(struct flock& lock);
// And back, for F_GETLK.
void from_node(struct flock& lock);

}  // namespace ossloop::shim
