// Sleeping and waking across processes: an event count that carries no state.
//
// A sleeper announces itself, looks once more whether it has to wait, and sleeps until
// the count is another than at its announcement; a waker changes the state first, then looks
// for sleepers. A wake that is lost with a killed waker costs nothing but time: every sleep
// has a deadline. A sleeper that never comes back, since a signal handler left it, costs
// one wake in vain.
#pragma once

#include <time.h>

#include <cstdint>

#include "abi/layout.h"

namespace ossloop::shm {

// Begins anew. Only for the process that just claimed it.
void make_wakeup(abi::Half& half);

// Wakes every call that sleeps on `half`. False if there was none.
bool wake(abi::Half& half);

// The same, by the half's own process and whoever is announced: a waker that died, or was
// stopped, between counting the sleepers and waking them is made up for.
void wake_uncounted(abi::Half& half);

// The same, if a sleeper asked for `position` or less.
void wake_at(abi::Half& half, std::uint64_t position);

class Sleeper {
 public:
  // Announces a call that sleeps until the peer's position reaches `wake_frame`
  // (0: any change; kNever: only its deadline and changes of state).
  static constexpr std::uint64_t kNever = ~std::uint64_t{0};
  Sleeper(abi::Half& half, std::uint64_t wake_frame);
  ~Sleeper();
  Sleeper(const Sleeper&) = delete;
  Sleeper& operator=(const Sleeper&) = delete;

  // 0 when woken, -ETIMEDOUT, or -EINTR after a signal handler. Deadline in
  // nanoseconds of CLOCK_MONOTONIC. A cancellation point.
  int sleep_until(std::int64_t deadline_ns);
  // The same without a deadline: the kernel restarts it as SA_RESTART asks.
  int sleep();
  // After both: see base::kept_has_gone().

 private:
  int wait(const timespec* deadline);

  abi::Half& half_;
  const std::uint32_t seen_;  // the event count
  std::uint64_t generation_;
};

}  // namespace ossloop::shm
