// Handlers are the program's, and installed as ever. While a device is in use we want to
// know of them: with the first one, calls on a device begin to hold the thread's signals,
// and what an interrupted call does depends on the handlers' SA_RESTART.
#include <signal.h>

#include <cstdint>

#include "base/signal_mask.h"
#include "shim/engine_loader.h"
#include "shim/real.h"

namespace {

using namespace ossloop::shim;
namespace base = ossloop::base;

// sigset() changes the thread's mask, too.
enum class Mask { kOurs, kTheirs };

template <typename Install>
auto change(bool installs, Mask whose, Install install) {
  const EngineApi* engine = loaded_engine();
  if (engine == nullptr || !own_process()) return install();
  // The new handler may not come back, and we are not done before we are.
  const std::uint64_t mask = whose == Mask::kOurs ? base::hold_signals() : 0;
  if (installs) engine->handler_coming();
  const auto result = install();
  engine->handlers_changed();
  if (whose == Mask::kOurs) base::set_signal_mask(mask);
  return result;
}

bool is_handler(sighandler_t handler) {
  return handler != SIG_DFL && handler != SIG_IGN && handler != SIG_HOLD && handler != SIG_ERR;
}

// Not by the exported names: a library before us that has them, too, was already asked.
int install_action(int number, const struct sigaction* action, struct sigaction* before) {
  if (action == nullptr) return OSSLOOP_REAL(sigaction)(number, action, before);
  return change(is_handler(action->sa_handler), Mask::kOurs,
                [&] { return OSSLOOP_REAL(sigaction)(number, action, before); });
}

sighandler_t install_by(sighandler_t (*install)(int, sighandler_t), int number,
                        sighandler_t handler, Mask whose = Mask::kOurs) {
  return change(is_handler(handler), whose, [&] { return install(number, handler); });
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
  return install_by(OSSLOOP_REAL(signal).find(), number, handler);
}
OSSLOOP_EXPORT sighandler_t bsd_signal(int number, sighandler_t handler) noexcept {
  return install_by(OSSLOOP_REAL(signal).find(), number, handler);
}
OSSLOOP_EXPORT sighandler_t ssignal(int number, sighandler_t handler) noexcept {
  return install_by(OSSLOOP_REAL(signal).find(), number, handler);
}
OSSLOOP_EXPORT sighandler_t __sysv_signal(int number, sighandler_t handler) noexcept {
  return install_by(OSSLOOP_REAL(__sysv_signal).find(), number, handler);
}
OSSLOOP_EXPORT sighandler_t sysv_signal(int number, sighandler_t handler) noexcept {
  return install_by(OSSLOOP_REAL(__sysv_signal).find(), number, handler);
}
OSSLOOP_EXPORT sighandler_t sigset(int number, sighandler_t handler) noexcept {
  return install_by(OSSLOOP_REAL(sigset).find(), number, handler, Mask::kTheirs);
}
OSSLOOP_EXPORT int siginterrupt(int number, int interrupt) noexcept {
  return change(false, Mask::kOurs, [&] { return OSSLOOP_REAL(siginterrupt)(number, interrupt); });
}
