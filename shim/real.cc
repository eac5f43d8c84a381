#include "shim/real.h"

#include <dlfcn.h>

#include <cstdint>

#include "base/signal_mask.h"
#include "shim/abort.h"

namespace ossloop::shim {

void* next_function(const char* name) {
  const std::uint64_t mask = base::hold_signals();
  void* const function = ::dlsym(RTLD_NEXT, name);
  base::set_signal_mask(mask);
  if (function == nullptr) die_without(name);
  return function;
}

}  // namespace ossloop::shim
