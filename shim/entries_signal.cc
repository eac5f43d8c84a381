// Installing a signal handler is not ours to change. We only want to know: what
// an interrupted call of ours does depends on the handlers' SA_RESTART.
#include <signal.h>

#include "shim/real.h"
#include "shim/router.h"

namespace {

using namespace ossloop::shim;

OSSLOOP_REAL(sigaction);
OSSLOOP_REAL_AS(signal, sighandler_t(int, sighandler_t));
OSSLOOP_REAL_AS(__sysv_signal, sighandler_t(int, sighandler_t));
OSSLOOP_REAL_AS(sigset, sighandler_t(int, sighandler_t));
OSSLOOP_REAL_AS(siginterrupt, int(int, int));

template <typename Result>
Result changed(Result result) {
  if (const EngineApi* engine = loaded_engine(); engine != nullptr) engine->handlers_changed();
  return result;
}

}  // namespace

OSSLOOP_EXPORT int sigaction(int number, const struct sigaction* action,
                             struct sigaction* before) noexcept {
  return changed(real_sigaction(number, action, before));
}
OSSLOOP_EXPORT sighandler_t signal(int number, sighandler_t handler) noexcept {
  return changed(real_signal(number, handler));
}
OSSLOOP_EXPORT sighandler_t __sysv_signal(int number, sighandler_t handler) noexcept {
  return changed(real___sysv_signal(number, handler));
}
OSSLOOP_EXPORT sighandler_t sigset(int number, sighandler_t handler) noexcept {
  return changed(real_sigset(number, handler));
}
OSSLOOP_EXPORT int siginterrupt(int number, int interrupt) noexcept {
  return changed(real_siginterrupt(number, interrupt));
}
