// Where a call goes: to the engine, or on to libc.
#pragma once

#include <errno.h>

#include "shim/descriptor_table.h"
#include "shim/engine_api.h"

namespace ossloop::shim {

extern DescriptorTable descriptors;

// The engine, loaded at the first call. nullptr if it cannot be: then no path is
// a device, and the reason was written to standard error once.
const EngineApi* load_engine();
// Only if it is there already.
const EngineApi* loaded_engine();
// Another library between us and libc gives the kernel handlers of its own. Known once
// the engine is loaded.
bool handlers_wrapped();

// A descriptor seen for the first time: looks whether it is one of our nodes,
// inherited over exec.
bool recognise(int fd);

inline bool is_ours(int fd) {
  if (descriptors.foreign(fd)) return false;
  return descriptors.ours(fd) || recognise(fd);
}

// A call of libc returned `fd` and it is not ours, whatever stood there before.
int lose(int fd);
inline int is_foreign(int fd) {
  return descriptors.ours(fd) || descriptors.folder(fd) != 0 ? lose(fd) : fd;
}
// It came from elsewhere and may be anything.
int look_anew(int fd);

// Reads what a program points at; false where the kernel would answer EFAULT.
bool fetch(void* to, const void* from, size_t bytes);

// Could the caller's pointer lead anywhere? Null with an offset and the kernel's half
// of the addresses are left to the kernel, which answers EFAULT. To ask it about
// every pointer of every call would cost programs that have no device.
inline bool plausible(const void* pointer) {
  const auto address = reinterpret_cast<unsigned long>(pointer);
  return address >= 65536 && address <= (~0UL >> (sizeof(void*) == 8 ? 17 : 0));
}

// The name of what is open, as the original's drivers call it. `text` has room for
// PATH_MAX.
void canonical_text(const config::DeviceName& name, char* text);

// -errno to -1 and errno; success leaves errno as it was.
template <typename Value>
Value to_libc(Value result) {
  if (result >= 0) return result;
  errno = static_cast<int>(-result);
  return -1;
}

}  // namespace ossloop::shim
