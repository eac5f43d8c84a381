#include "base/shelter.h"

#include "base/kernel_signals.h"
#include "base/signals.h"

namespace ossloop::base {

SignalsHeld::SignalsHeld() : held_(signal_handlers() != Handlers::kNone) {
  if (held_) before_ = hold_signals();
}

SignalsHeld::~SignalsHeld() noexcept(false) {
  if (held_) set_signal_mask(before_);
}

}  // namespace ossloop::base
