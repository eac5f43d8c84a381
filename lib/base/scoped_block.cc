#include "base/scoped_block.h"

#include "base/kernel_signals.h"
#include "base/signals.h"

namespace ossloop::base {

ScopedSignalBlock::ScopedSignalBlock() : held_(signal_handlers() != Handlers::kNone) {
  if (held_) before_ = hold_signals();
}

ScopedSignalBlock::~ScopedSignalBlock() noexcept(false) {
  if (held_) set_signal_mask(before_);
}

namespace {

constexpr std::uint64_t kOfWrites = signal_bit(SIGPIPE) | signal_bit(SIGXFSZ);

}  // namespace

ScopedWriteSignalBlock::ScopedWriteSignalBlock()
    : before_(change_signal_mask(SIG_BLOCK, kOfWrites)), pending_(pending_signals()) {}

// The kernel sends them to the thread that writes, so they are ours to take.
ScopedWriteSignalBlock::~ScopedWriteSignalBlock() {
  const std::uint64_t ours = pending_signals() & kOfWrites & ~pending_;
  if (ours != 0) take_signals(ours);
  set_signal_mask(before_);
}

}  // namespace ossloop::base
