// The functions that our entries stand in front of: libc's, or those of another
// preloaded library behind us.
#pragma once

#include <atomic>
#include <cstddef>

namespace ossloop::shim {

// The next function of that name behind ours. No handler comes meanwhile: one that jumped
// away would leave the dynamic loader locked for ever.
void* next_function(const char* name);

// A name that is part of a type: nothing in the file has to be relocated for it
// at every program's start.
template <std::size_t kSize>
struct Name {
  constexpr Name(const char (&name)[kSize]) {
    for (std::size_t i = 0; i < kSize; ++i) text[i] = name[i];
  }
  char text[kSize];
};

// Found at the first call, by whichever thread gets there first. No constructor
// runs for it, so it works in calls that come before our own.
template <Name kName, typename Function>
class Real {
 public:
  constexpr Real() = default;

  template <typename... Arguments>
  auto operator()(Arguments... arguments) {
    return find()(arguments...);
  }
  bool known() const { return found() != nullptr; }
  // nullptr before the first call.
  Function* found() const { return function_.load(std::memory_order_acquire); }
  Function* find() {
    Function* function = function_.load(std::memory_order_acquire);
    if (function != nullptr) return function;
    function = reinterpret_cast<Function*>(next_function(kName.text));
    function_.store(function, std::memory_order_release);
    return function;
  }

 private:
  std::atomic<Function*> function_{nullptr};
};

template <Name kName, typename Function>
inline constinit Real<kName, Function> real_function{};

// OSSLOOP_REAL(open) is the real open(), of the type that it is declared with.
#define OSSLOOP_REAL(name) (ossloop::shim::real_function<#name, decltype(::name)>)
#define OSSLOOP_EXPORT extern "C" __attribute__((visibility("default")))

}  // namespace ossloop::shim
