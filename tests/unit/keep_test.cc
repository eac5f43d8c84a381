#include "base/keep.h"

#include <pthread.h>
#include <signal.h>

#include <catch2/catch.hpp>

#include "base/scoped_block.h"
#include "handlers.h"

using namespace ossloop::base;

namespace {

int cancel_state() {
  int state = 0;
  ::pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &state);
  ::pthread_setcancelstate(state, nullptr);
  return state;
}

// A call of a program with a handler, at work on `kept`.
class AtWork {
 public:
  explicit AtWork(Kept& kept) : kept_(kept) {
    quiet_.install(SIGUSR1, 0, [](int) {});
    holds_ = hold_program_signals();
    ++kept_.calls;
    set_kept(&kept_);
  }
  ~AtWork() {
    set_kept(nullptr);
    --kept_.calls;
    if (holds_) let_program_signals_in();
  }

 private:
  Quiet quiet_;
  Kept& kept_;
  bool holds_;
};

}  // namespace

TEST_CASE("a call that sleeps is not counted, and goes on with what it worked on") {
  Kept kept;
  {
    const AtWork call(kept);
    {
      const ScopedLetGo sleeping;
      CHECK(kept.calls == 0);
    }
    CHECK(kept.calls == 1);
    CHECK_FALSE(kept_has_gone());
    CHECK_FALSE(kept.end());
  }
  CHECK(kept.calls == 0);
}

TEST_CASE("what ends while a call sleeps is gone for it") {
  Kept kept;
  {
    const AtWork call(kept);
    {
      const ScopedLetGo sleeping;
      CHECK(kept.end());
    }
    CHECK(kept_has_gone());
  }
  const AtWork next(kept);
  CHECK_FALSE(kept_has_gone());
}

TEST_CASE("a handler's own call in the sleep changes nothing for the one that sleeps") {
  Kept kept, others;
  const AtWork call(kept);
  {
    const ScopedLetGo sleeping;
    let_program_signals_in();
    {
      const AtWork nested(others);
      const ScopedLetGo sleeping_too;
      others.end();
    }
    CHECK(hold_program_signals());
  }
  CHECK(kept.calls == 1);
  CHECK_FALSE(kept_has_gone());
}

TEST_CASE("pthread_cancel() finds a call that sleeps as the program has it") {
  Kept kept;
  const AtWork call(kept);
  {
    const ScopedCancelDisable whole;
    const ScopedCancelDisable within;
    {
      const ScopedLetGo sleeping;
      CHECK(cancel_state() == PTHREAD_CANCEL_ENABLE);
    }
    CHECK(cancel_state() == PTHREAD_CANCEL_DISABLE);
  }
  CHECK(cancel_state() == PTHREAD_CANCEL_ENABLE);
}
