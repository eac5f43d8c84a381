#include "base/deferral.h"

#include <sys/ucontext.h>
#ifdef __x86_64__
#include <asm/prctl.h>
#endif

#include <cstring>

#include "base/signals.h"

namespace ossloop::base {
namespace {

using Handler = void (*)(int, siginfo_t*, void*);
using PlainHandler = void (*)(int);

// Which of the two a function is only its installer knows.
template <typename To, typename From>
To handler_cast(From* handler) {
  return reinterpret_cast<To>(reinterpret_cast<void*>(handler));
}

struct Deferred {
  std::atomic<Handler> handler{nullptr};
  std::atomic<bool> plain{false};  // installed without SA_SIGINFO
  std::atomic<bool> restarts{false};
};
constexpr int kRealTime = 32;  // the first one
constinit Deferred deferred[kRealTime];
std::atomic<bool> may_defer{true};

SignalGate& own_gate() {
  thread_local constinit SignalGate gate;
  return gate;
}
constinit std::atomic<SignalGateOf> gate_of{own_gate};

// With the signal itself masked it is delivered when `context` is left and
// the mask in there is taken back.
void put_off(SignalGate& gate, int number, siginfo_t* info, void* context) {
  hold_signals();  // SA_NODEFER
  const auto process = static_cast<int>(::syscall(SYS_getpid));
  const auto thread = static_cast<int>(::syscall(SYS_gettid));
  if (!signal_call(SYS_rt_tgsigqueueinfo, process, thread, number, info)) {
    signal_call(SYS_tgkill, process, thread, number);  // a sandbox's rules
  }
  // libc's type is longer than what the kernel keeps there.
  auto* const mask = &static_cast<ucontext_t*>(context)->uc_sigmask;
  std::uint64_t before;
  std::memcpy(&before, mask, sizeof before);
  // Of handlers that came upon one another the first comes here last.
  gate.mask = before;
  gate.arrived.store(true, std::memory_order_relaxed);
  before |= kHeldSignals;
  std::memcpy(mask, &before, sizeof before);
}

// Does the thread's pointer lead to what libc made for it? A thread that has another,
// as Wine gives to those that run 32-bit code, is not in a call of ours; its handlers
// know.
bool has_thread_memory() {
#ifdef __x86_64__
  std::uintptr_t pointer = 0;
  long result = SYS_arch_prctl;
  asm volatile("syscall" : "+a"(result) : "D"(ARCH_GET_FS), "S"(&pointer) : "rcx", "r11", "memory");
  if (result != 0) return true;
  // Where the psABI's thread control block points to itself.
  return pointer != 0 && *reinterpret_cast<const std::uintptr_t*>(pointer) == pointer;
#else
  return true;
#endif
}

// A call of this thread that is on its way to sleep does not. Before the handler, which
// may leave by a jump.
void tell_sleep(SignalGate& gate, int number) {
  gate.handled.fetch_add(1);
  if (!deferred[number].restarts.load(std::memory_order_relaxed)) {
    gate.interrupts.fetch_add(1);
  } else if (number == SIGINT || number == SIGTERM || number == SIGHUP) {
    gate.ends.fetch_add(1);
  }
  if (auto* const counter = gate.sleeps_on.exchange(nullptr); counter != nullptr) ++*counter;
}

void arrive(int number, siginfo_t* info, void* context) {
  if (has_thread_memory()) {
    SignalGate& gate = signal_gate();
    if (gate.depth.load(std::memory_order_relaxed) > 0) {
      return put_off(gate, number, info, context);
    }
    tell_sleep(gate, number);
  }
  return deferred[number].handler.load(std::memory_order_acquire)(number, info, context);
}

bool can_wait(int number, unsigned long flags) {
  return may_defer.load(std::memory_order_relaxed) && number >= 1 && number < kRealTime &&
         is_held(number) && (flags & SA_RESETHAND) == 0;
}

bool is_arrive(PlainHandler handler) { return handler == handler_cast<PlainHandler>(arrive); }

void remember(int number, PlainHandler handler, unsigned long flags) {
  deferred[number].plain.store((flags & SA_SIGINFO) == 0);
  deferred[number].restarts.store((flags & SA_RESTART) != 0);
  deferred[number].handler.store(handler_cast<Handler>(handler));
}

}  // namespace

void never_defer() { may_defer.store(false, std::memory_order_relaxed); }
void set_signal_gate(SignalGateOf gate) { gate_of.store(gate, std::memory_order_relaxed); }
SignalGate& signal_gate() { return gate_of.load(std::memory_order_relaxed)(); }

SignalsDeferred::SignalsDeferred() : gate_(signal_gate()) {
  gate_.depth.store(gate_.depth.load(kRelaxed) + 1, kRelaxed);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  // Only now: until here a handler may have installed another that does not wait.
  held_ = !handlers_wait();
  if (held_) before_ = hold_signals();
}

void SignalsDeferred::let_in(bool arrived) {
  // What arrived did so before the signals were held.
  const std::uint64_t mask = arrived ? gate_.mask : before_;
  if (arrived) gate_.arrived.store(false, kRelaxed);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  set_signal_mask(mask);
}

void stand_in(int number, struct sigaction& action) {
  if (!can_wait(number, static_cast<unsigned long>(action.sa_flags))) return;
  if (action.sa_handler == SIG_DFL || action.sa_handler == SIG_IGN) return;
  if (is_arrive(action.sa_handler)) return;  // found by ways that we do not see
  remember(number, action.sa_handler, static_cast<unsigned long>(action.sa_flags));
  action.sa_sigaction = arrive;
  action.sa_flags |= SA_SIGINFO;
}

bool defer_handler(int number, const KernelAction& action, bool seen) {
  if (is_arrive(action.handler)) {
    deferred[number].restarts.store((action.flags & SA_RESTART) != 0);
    return true;
  }
  if (!can_wait(number, action.flags)) return false;
  if (!seen && deferred[number].handler.load() != nullptr) return false;
  remember(number, action.handler, action.flags);
  KernelAction ours = action;
  ours.handler = handler_cast<PlainHandler>(arrive);
  ours.flags |= SA_SIGINFO;
  KernelAction before{};
  if (!kernel_action(number, &ours, &before)) return false;
  if (before.handler == action.handler || is_arrive(before.handler)) return true;
  // Another thread has just installed it.
  kernel_action(number, &before, nullptr);
  return false;
}

StoodFor stood_for(int number) {
  if (number < 1 || number >= kRealTime) return {};
  return {handler_cast<PlainHandler>(deferred[number].handler.load()),
          deferred[number].plain.load()};
}

void tell_handler(const StoodFor& program, void (*&handler)(int), int& flags) {
  if (!is_arrive(handler)) return;
  handler = program.handler;
  if (program.plain) flags &= ~SA_SIGINFO;
}

}  // namespace ossloop::base
