// Buffers of the program that were tried out.
//
// The kernel would answer EFAULT to a wild buffer; we would die of it. So each buffer is tried
// out when a thread first comes with it, a byte a page. Programs come with the same few again
// and again.
#pragma once

#include <cstddef>

namespace ossloop::shim {

bool usable(const void* data, std::size_t bytes, bool writing_to_it);
// Is that known? A signal handler may come meanwhile, and ask too.
bool known_usable(const void* data, std::size_t bytes, bool writing_to_it);

}  // namespace ossloop::shim
