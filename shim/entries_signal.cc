// Handlers are installed as ever. While a device is in use we want to know of them:
// what an interrupted call of ours does depends on their SA_RESTART, and they wait
// for our locks (base/deferral.h).
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

// `install` is given what tells of the handler before.
template <typename Install>
auto change(int number, bool changes, Install install) {
  const EngineApi* engine = loaded_engine();
  changes = changes && engine != nullptr && engine->own_process();
  if (changes) engine->handler_changing();
  const auto result = install([&](sighandler_t& handler, int& flags) {
    if (engine != nullptr) engine->tell_handler(number, &handler, &flags);
  });
  if (changes) engine->handler_changed(number);
  return result;
}

sighandler_t change_simply(int number, sighandler_t handler,
                           sighandler_t (*install)(int, sighandler_t)) {
  return change(number, true, [&](auto tell) {
    int flags = 0;
    sighandler_t before = install(number, handler);
    tell(before, flags);
    return before;
  });
}

}  // namespace

OSSLOOP_EXPORT int sigaction(int number, const struct sigaction* action,
                             struct sigaction* before) noexcept {
  return change(number, action != nullptr, [&](auto tell) {
    const int result = real_sigaction(number, action, before);
    if (result == 0 && before != nullptr) tell(before->sa_handler, before->sa_flags);
    return result;
  });
}
OSSLOOP_EXPORT int __sigaction(int number, const struct sigaction* action,
                               struct sigaction* before) noexcept {
  return sigaction(number, action, before);
}
OSSLOOP_EXPORT sighandler_t signal(int number, sighandler_t handler) noexcept {
  return change_simply(number, handler, real_signal.find());
}
OSSLOOP_EXPORT sighandler_t bsd_signal(int number, sighandler_t handler) noexcept {
  return signal(number, handler);
}
OSSLOOP_EXPORT sighandler_t ssignal(int number, sighandler_t handler) noexcept {
  return signal(number, handler);
}
OSSLOOP_EXPORT sighandler_t __sysv_signal(int number, sighandler_t handler) noexcept {
  return change_simply(number, handler, real___sysv_signal.find());
}
OSSLOOP_EXPORT sighandler_t sysv_signal(int number, sighandler_t handler) noexcept {
  return __sysv_signal(number, handler);
}
OSSLOOP_EXPORT sighandler_t sigset(int number, sighandler_t handler) noexcept {
  return change_simply(number, handler, real_sigset.find());
}
OSSLOOP_EXPORT int siginterrupt(int number, int interrupt) noexcept {
  return change(number, true, [&](auto) { return real_siginterrupt(number, interrupt); });
}
