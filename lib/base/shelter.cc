#include "base/shelter.h"

#include "base/kernel_signals.h"
#include "base/signals.h"

namespace ossloop::base {

SignalsHeld::SignalsHeld(bool needed) : held_(needed) {
  if (held_) before_ = set_signal_mask(kHeldSignals);
}

SignalsHeld::SignalsHeld() : SignalsHeld(signal_handlers() != Handlers::kNone) {}

SignalsHeld::~SignalsHeld() {
  if (held_) set_signal_mask(before_);
}

}  // namespace ossloop::base
