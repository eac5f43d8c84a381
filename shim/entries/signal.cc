// Handlers are installed as ever. While a device is in use we want to know of them:
// what an interrupted call of ours does depends on their SA_RESTART, and they wait
// for our locks (base/deferral.h).
#include <signal.h>

#include <atomic>
#include <cstdint>

#include "base/kernel_signals.h"
#include "shim/engine_loader.h"
#include "shim/real.h"

namespace {

using namespace ossloop::shim;
namespace base = ossloop::base;

OSSLOOP_REAL(sigaction);
OSSLOOP_REAL_AS(signal, sighandler_t(int, sighandler_t));
OSSLOOP_REAL_AS(__sysv_signal, sighandler_t(int, sighandler_t));
OSSLOOP_REAL_AS(sigset, sighandler_t(int, sighandler_t));
OSSLOOP_REAL_AS(siginterrupt, int(int, int));

// sigset() changes the thread's mask, too.
enum class Mask { kOurs, kTheirs };

// `install` is given the engine if it is to know of the new handler, and what tells of
// the one before.
template <typename Install>
auto change(int number, bool changes, Mask whose, Install install) {
  const EngineApi* engine = loaded_engine();
  base::StoodFor before;
  if (engine != nullptr) before = engine->stood_for(number);
  auto tell = [&](sighandler_t& handler, int& flags) {
    if (engine != nullptr) engine->tell_handler(&before, &handler, &flags);
  };
  if (!changes || engine == nullptr || !own_process()) return install(nullptr, tell);
  // The new handler may not come back, and we are not done before we are.
  const std::uint64_t mask = whose == Mask::kOurs ? base::hold_signals() : 0;
  engine->handler_changing();
  const auto result = install(engine, tell);
  engine->handler_changed(number);
  if (whose == Mask::kOurs) base::set_signal_mask(mask);
  return result;
}

sighandler_t change_simply(int number, sighandler_t handler, Mask whose,
                           sighandler_t (*install)(int, sighandler_t)) {
  return change(number, true, whose, [&](const EngineApi*, auto tell) {
    int flags = 0;
    sighandler_t before = install(number, handler);
    tell(before, flags);
    return before;
  });
}

// Not by the exported name: a library before us that has it, too, was already asked.
int install_action(int number, const struct sigaction* action, struct sigaction* before) {
  return change(number, action != nullptr, Mask::kOurs, [&](const EngineApi* engine, auto tell) {
    struct sigaction ours;
    if (engine != nullptr) {
      ours = *action;
      engine->stand_in(number, &ours);
    }
    const int result = real_sigaction(number, engine != nullptr ? &ours : action, before);
    if (result == 0 && before != nullptr) tell(before->sa_handler, before->sa_flags);
    return result;
  });
}

// Signals for which siginterrupt() was asked.
std::atomic<std::uint64_t> interrupting{0};

sighandler_t install_handler(int number, sighandler_t handler) {
  if (handlers_wrapped() || loaded_engine() == nullptr || handler == SIG_ERR || number < 1 ||
      number > base::kSignals) {
    return change_simply(number, handler, Mask::kOurs, real_signal.find());
  }
  // It may have to wait: as libc does it.
  struct sigaction action {};
  struct sigaction before;
  action.sa_handler = handler;
  sigaddset(&action.sa_mask, number);
  const bool interrupts = (interrupting.load() & base::signal_bit(number)) != 0;
  action.sa_flags = interrupts ? 0 : SA_RESTART;
  return install_action(number, &action, &before) == 0 ? before.sa_handler : SIG_ERR;
}

sighandler_t install_once(int number, sighandler_t handler) {
  return change_simply(number, handler, Mask::kOurs, real___sysv_signal.find());
}

}  // namespace

OSSLOOP_EXPORT int sigaction(int number, const struct sigaction* action,
                             struct sigaction* before) noexcept {
  return install_action(number, action, before);
}
OSSLOOP_EXPORT int __sigaction(int number, const struct sigaction* action,
                               struct sigaction* before) noexcept {
  return install_action(number, action, before);
}
OSSLOOP_EXPORT sighandler_t signal(int number, sighandler_t handler) noexcept {
  return install_handler(number, handler);
}
OSSLOOP_EXPORT sighandler_t bsd_signal(int number, sighandler_t handler) noexcept {
  return install_handler(number, handler);
}
OSSLOOP_EXPORT sighandler_t ssignal(int number, sighandler_t handler) noexcept {
  return install_handler(number, handler);
}
OSSLOOP_EXPORT sighandler_t __sysv_signal(int number, sighandler_t handler) noexcept {
  return install_once(number, handler);
}
OSSLOOP_EXPORT sighandler_t sysv_signal(int number, sighandler_t handler) noexcept {
  return install_once(number, handler);
}
OSSLOOP_EXPORT sighandler_t sigset(int number, sighandler_t handler) noexcept {
  return change_simply(number, handler, Mask::kTheirs, real_sigset.find());
}
OSSLOOP_EXPORT int siginterrupt(int number, int interrupt) noexcept {
  return change(number, true, Mask::kOurs, [&](const EngineApi*, auto) {
    const int result = real_siginterrupt(number, interrupt);
    if (result != 0) return result;
    const std::uint64_t bit = base::signal_bit(number);
    if (interrupt != 0) {
      interrupting.fetch_or(bit);
    } else {
      interrupting.fetch_and(~bit);
    }
    return result;
  });
}
