// The functions that our entries stand in front of: libc's, or those of another
// preloaded library behind us.
#pragma once

#include <dlfcn.h>

#include <atomic>

#include "shim/abort.h"

namespace ossloop::shim {

// Found at the first call, by whichever thread gets there first. No constructor
// runs for it, so it works in calls that come before our own.
template <typename Function>
class Real {
 public:
  constexpr explicit Real(const char* name) : name_(name), function_(nullptr) {}

  template <typename... Arguments>
  auto operator()(Arguments... arguments) {
    return find()(arguments...);
  }
  Function* find() {
    Function* function = function_.load(std::memory_order_acquire);
    if (function != nullptr) return function;
    function = reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name_));
    if (function == nullptr) die_without(name_);
    function_.store(function, std::memory_order_release);
    return function;
  }

 private:
  const char* name_;
  std::atomic<Function*> function_;
};

// OSSLOOP_REAL(open) makes real_open, of the type that libc declares.
#define OSSLOOP_REAL(name) constinit ossloop::shim::Real<decltype(::name)> real_##name(#name)
#define OSSLOOP_REAL_AS(name, type) constinit ossloop::shim::Real<type> real_##name(#name)
#define OSSLOOP_EXPORT extern "C" __attribute__((visibility("default")))

}  // namespace ossloop::shim
