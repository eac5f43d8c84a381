// Signal handlers that wait until their thread has left our locks, without a system
// call on the way in or out.
//
// For the kernel, arrive() stands in for each handler of the program. Between locks it
// sends the signal to its thread once more, to be delivered when the last lock is
// given back; else it is the handler: same context, same stack. The program never
// learns of it: what sigaction() returns is the handler that it installed.
#pragma once

#include <signal.h>

#include <atomic>
#include <cstdint>

#include "base/kernel_signals.h"

namespace ossloop::base {

// Of one thread; its handlers look at it, too. In memory that is there before the
// thread runs: to get some within a handler might wait for malloc's lock.
struct SignalGate {
  std::atomic<int> depth{0};  // of our locks
  std::atomic<bool> arrived{false};
  std::uint64_t mask = 0;  // the program's, if a signal has arrived
  // How many handlers have run; of them, that want to end a call that waits, and how many that ask
  // the program to end and want the call to go on.
  std::atomic<std::uint32_t> handled{0};
  std::atomic<std::uint32_t> interrupts{0};
  std::atomic<std::uint32_t> ends{0};
  // The semaphore's counter that the thread is about to sleep on: a handler that runs
  // before it does so keeps it from sleeping.
  std::atomic<std::atomic<std::uint32_t>*> sleeps_on{nullptr};
};

using SignalGateOf = SignalGate& (*)();
// Where the calling thread's is. To be set before the first handler is deferred.
void set_signal_gate(SignalGateOf gate);
SignalGate& signal_gate();

// Somebody under us gives the kernel handlers of his own (a sanitizer's library): what
// is read of it is not the program's, so nothing is deferred. To be told first, too.
void never_defer();

// Makes `action`, which was read of `number`, wait for our locks. False if it cannot:
//  - real-time signals queue, and one that is sent again would come last;
//  - SA_RESETHAND: it would not find its handler again;
//  - a handler that was installed out of our sight (not `seen`) where arrive() stood
//    in: its owner may have taken that for the handler before, and call it in turn.
bool defer_handler(int number, const KernelAction& action, bool seen);

// `action` is about to be installed for `number`. If it can wait, makes it what the
// kernel is to hold: no thread between our locks ever meets the handler itself. A
// signal that is earlier still calls the new handler under the old one's flags.
void stand_in(int number, struct sigaction& action);

// For whom arrive() stands in.
struct StoodFor {
  void (*handler)(int) = nullptr;
  bool plain = false;  // installed without SA_SIGINFO
};
StoodFor stood_for(int number);
// What the kernel told of a time when arrive() stood in for `program`, as the program
// installed it.
void tell_handler(const StoodFor& program, void (*&handler)(int), int& flags);

// Whether a handler has run since the call began that ends it.
class Interrupts {
 public:
  Interrupts() : gate_(signal_gate()), interrupts_(gate_.interrupts), ends_(gate_.ends) {}

  std::uint32_t handled() const { return gate_.handled; }

  // `open_ended`: a wait that may last for ever ends by what asks the program to end, too.
  bool came(bool open_ended) const {
    return gate_.interrupts != interrupts_ || (open_ended && gate_.ends != ends_);
  }
  // Before the last look at came() and the sleep on `counter`, and after it.
  void sleep_on(std::atomic<std::uint32_t>* counter) const { gate_.sleeps_on.store(counter); }

 private:
  SignalGate& gate_;
  const std::uint32_t interrupts_;
  const std::uint32_t ends_;
};

// Handlers of the program run after it. While there are some that cannot wait, all
// signals are held.
class SignalsDeferred {
 public:
  SignalsDeferred();
  // A handler may end its thread here (pthread_exit).
  ~SignalsDeferred() noexcept(false) {
    std::atomic_signal_fence(std::memory_order_seq_cst);
    const int depth = gate_.depth.load(kRelaxed) - 1;
    gate_.depth.store(depth, kRelaxed);
    std::atomic_signal_fence(std::memory_order_seq_cst);
    const bool arrived = depth == 0 && gate_.arrived.load(kRelaxed);
    if (arrived || held_) let_in(arrived);
  }
  SignalsDeferred(const SignalsDeferred&) = delete;
  SignalsDeferred& operator=(const SignalsDeferred&) = delete;

 private:
  static constexpr auto kRelaxed = std::memory_order_relaxed;
  void let_in(bool arrived);

  SignalGate& gate_;
  bool held_;
  std::uint64_t before_ = 0;
};

}  // namespace ossloop::base
