// Opens whose programs were killed: the kernel says who holds a place (shm/claims.h).
#pragma once

#include "abi/layout.h"
#include "shm/runtime_directory.h"

namespace ossloop::device {

// Marks as closed what killed programs of a side left open. A client's sound is still to be
// heard by the server, which sees its end in the same word.
void forget_dead(const shm::RuntimeDirectory& folder, int instance, abi::Segment& segment,
                 abi::SideIndex side);

}  // namespace ossloop::device
