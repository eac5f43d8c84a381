#include "base/scoped_block.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

#include "base/host.h"
#include "base/signal_mask.h"
#include "handlers.h"

using namespace ossloop::base;

namespace {

struct Arrival {
  int number;
  int code;
  int value;
};
Arrival arrivals[64];
std::atomic<int> arrived{0};

void note(int number, siginfo_t* info, void*) {
  arrivals[arrived++ % 64] = {number, info->si_code, info->si_value.sival_int};
}
void count(int number) { arrivals[arrived++ % 64] = {number, 0, 0}; }

class Counted : public Quiet {
 public:
  Counted() { arrived = 0; }
  void count_by(int number, int flags) {
    struct sigaction action {};
    action.sa_flags = flags;
    if ((flags & SA_SIGINFO) != 0) {
      action.sa_sigaction = note;
    } else {
      action.sa_handler = count;
    }
    install(number, action);
  }
};

std::uint64_t mask_now() {
  std::uint64_t mask = 0;
  signal_call(SYS_rt_sigprocmask, SIG_SETMASK, nullptr, &mask, sizeof mask);
  return mask;
}

}  // namespace

TEST_CASE("a handler waits until its thread has left our work") {
  Counted handlers;
  const int once = static_cast<int>(SA_RESETHAND);
  for (const int number : {SIGUSR1, SIGRTMIN}) {
    for (const int flags : {0, SA_RESTART, SA_NODEFER, SA_SIGINFO | SA_NODEFER, once}) {
      CAPTURE(number, flags);
      arrived = 0;
      handlers.count_by(number, flags);
      const std::uint64_t mask = mask_now();
      {
        const ScopedSignalBlock outer;
        {
          const ScopedSignalBlock inner;
          ::raise(number);
        }
        CHECK(arrived == 0);
      }
      CHECK(arrived == 1);
      CHECK(arrivals[0].number == number);
      CHECK(mask_now() == mask);
    }
  }
}

TEST_CASE("a thread holds no signals but its own") {
  Counted handlers;
  handlers.count_by(SIGUSR1, 0);
  const ScopedSignalBlock held;
  std::thread([] {
    set_signal_mask(0);
    ::raise(SIGUSR1);
  }).join();
  CHECK(arrived == 1);
}

TEST_CASE("a sleep within our work lets the program's signals in, and no others") {
  Counted handlers;
  handlers.count_by(SIGUSR1, 0);
  handlers.count_by(SIGUSR2, 0);
  const std::uint64_t before = mask_now();
  set_signal_mask(before | signal_bit(SIGUSR2));
  {
    const ScopedSignalBlock held;
    ::raise(SIGUSR1);
    ::raise(SIGUSR2);
    const SleepingSignals sleeping = let_signals_in_to_sleep();
    CHECK(arrived == 1);
    CHECK(mask_now() == (before | signal_bit(SIGUSR2)));
    {
      const ScopedSignalBlock of_a_handler;
      CHECK((mask_now() & signal_bit(SIGUSR1)) != 0);
    }
    CHECK(mask_now() == (before | signal_bit(SIGUSR2)));
    hold_signals_after_sleep(sleeping);
    ::raise(SIGUSR1);
    CHECK(arrived == 1);
  }
  CHECK(arrived == 2);
  set_signal_mask(before);
  CHECK(arrived == 3);
}

TEST_CASE("a handler that runs between our work and a sleep is told of") {
  Counted handlers;
  handlers.count_by(SIGUSR1, 0);
  int told = 0, untold = 0;
  for (int i = 0; i < 200; ++i) {
    const ScopedSignalBlock held;
    if (i % 2 == 0) ::raise(SIGUSR1);
    const SleepingSignals sleeping = let_signals_in_to_sleep();
    const bool handled = handled_before_sleep(sleeping);
    hold_signals_after_sleep(sleeping);
    if (i % 2 != 0) CHECK_FALSE(handled);
    ++(handled ? told : untold);
  }
  CHECK(arrived == 100);
  // A thread that lost its processor just then cannot tell.
  CHECK(told > 80);
}

TEST_CASE("signals bring what they came with") {
  Counted handlers;
  handlers.count_by(SIGUSR2, SA_SIGINFO);
  {
    const ScopedSignalBlock held;
    ::sigqueue(::getpid(), SIGUSR2, sigval{.sival_int = 77});
    CHECK(arrived == 0);
  }
  REQUIRE(arrived == 1);
  CHECK(arrivals[0].code == SI_QUEUE);
  CHECK(arrivals[0].value == 77);
}

TEST_CASE("a fault that the program has blocked stays so, too") {
  Counted handlers;
  handlers.count_by(SIGTRAP, 0);
  const std::uint64_t before = mask_now();
  set_signal_mask(before | signal_bit(SIGTRAP));
  ::raise(SIGTRAP);
  { const ScopedSignalBlock held; }
  CHECK(arrived == 0);
  CHECK(mask_now() == (before | signal_bit(SIGTRAP)));
  set_signal_mask(before);
  CHECK(arrived == 1);
}

TEST_CASE("what came while signals were held is known by what its handler wants") {
  Counted handlers;
  handlers.count_by(SIGUSR1, 0);
  handlers.count_by(SIGUSR2, SA_RESTART);
  handlers.count_by(SIGTERM, SA_RESTART);
  handlers.install(SIGURG, 0, SIG_IGN);
  const ScopedSignalBlock held;
  CHECK(let_arrived_in(true) == Arrived::kNothing);
  ::raise(SIGURG);
  CHECK(let_arrived_in(true) == Arrived::kNothing);
  CHECK((pending_signals() & signal_bit(SIGURG)) == 0);
  ::raise(SIGUSR2);
  CHECK(let_arrived_in(true) == Arrived::kRestart);
  CHECK(arrived == 1);
  ::raise(SIGUSR1);
  ::raise(SIGUSR2);
  CHECK(let_arrived_in(false) == Arrived::kInterrupt);
  CHECK(arrived == 3);
  ::raise(SIGTERM);
  CHECK(let_arrived_in(false) == Arrived::kRestart);
  ::raise(SIGTERM);
  CHECK(let_arrived_in(true) == Arrived::kInterrupt);
  CHECK(arrived == 5);
  ::raise(SIGUSR1);
  CHECK(arrived == 5);
}

TEST_CASE("what ends the program does so before a long call is over") {
  Counted handlers;
  handlers.count_by(SIGUSR1, 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const ScopedSignalBlock held;
    ::raise(SIGTERM);
    let_arrived_in(false);
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGTERM);
}

TEST_CASE("what the program itself has blocked has not arrived") {
  Counted handlers;
  handlers.count_by(SIGUSR1, 0);
  const std::uint64_t before = mask_now();
  set_signal_mask(before | signal_bit(SIGUSR1));
  ::raise(SIGUSR1);
  {
    const ScopedSignalBlock held;
    CHECK(let_arrived_in(true) == Arrived::kNothing);
  }
  CHECK(arrived == 0);
  set_signal_mask(before);
}

TEST_CASE("a handler that waited may jump away, and the next one waits again") {
  static sigjmp_buf place;
  Counted handlers;
  struct sigaction action {};
  action.sa_handler = [](int) { ::siglongjmp(place, 1); };
  handlers.install(SIGUSR1, action);
  std::atomic<int> jumps{0};
  std::atomic<int> too_early{0};
  for (std::atomic<int> i{0}; i < 6; ++i) {
    if (::sigsetjmp(place, 1) == 0) {
      {
        const ScopedSignalBlock held;
        too_early = 1;
        ::raise(SIGUSR1);
        too_early = 0;
        if (i % 2 == 0) let_signals_in_to_sleep();
      }
    } else {
      ++jumps;
    }
    CHECK(too_early == 0);
  }
  CHECK(jumps == 6);
  CHECK_FALSE(thread_note().holds_signals);
}

#ifndef __SANITIZE_THREAD__  // which runs a handler later, where it is safe for itself
TEST_CASE("a handler that waited may end its thread") {
  Counted handlers;
  struct sigaction action {};
  action.sa_handler = [](int) { ::pthread_exit(&arrived); };
  handlers.install(SIGUSR1, action);
  void* (*const ends[])(void*) = {[](void*) -> void* {
                                    set_signal_mask(0);
                                    const ScopedSignalBlock held;
                                    ::raise(SIGUSR1);
                                    return nullptr;
                                  },
                                  [](void*) -> void* {
                                    set_signal_mask(0);
                                    const ScopedSignalBlock held;
                                    ::raise(SIGUSR1);
                                    let_signals_in_to_sleep();
                                    return nullptr;
                                  }};
  for (const auto run : ends) {
    pthread_t thread;
    REQUIRE(::pthread_create(&thread, nullptr, run, nullptr) == 0);
    void* how = nullptr;
    REQUIRE(::pthread_join(thread, &how) == 0);
    CHECK(how == &arrived);
  }
}
#endif

TEST_CASE("none of many signals is lost or comes upon our work") {
  static std::atomic<int> inside{0}, wrong{0};
  Counted handlers;
  struct sigaction action {};
  action.sa_handler = [](int number) {
    if (inside != 0) ++wrong;
    const ScopedSignalBlock held;  // as a handler that uses the device
    count(number);
  };
  for (const int number : {SIGUSR1, SIGRTMIN}) {
    handlers.install(number, action);
  }
  std::atomic<bool> done{false};
  const pthread_t target = ::pthread_self();
  int sent = 0;
  std::thread sender([&] {
    for (; sent < 500; ++sent) {
      const int before = arrived;
      ::pthread_kill(target, sent % 2 == 0 ? SIGUSR1 : SIGRTMIN);
      while (arrived == before) std::this_thread::yield();
    }
    done = true;
  });
  while (!done) {
    for (int i = 0; i < 100; ++i) {
      const ScopedSignalBlock held;
      ++inside;
      for (int pause = 0; pause < 20; ++pause) std::atomic_signal_fence(std::memory_order_seq_cst);
      --inside;
    }
  }
  sender.join();
  CHECK(arrived == sent);
  CHECK(wrong == 0);
}

TEST_CASE("errno is the program's while handlers wait") {
  Counted handlers;
  handlers.count_by(SIGUSR1, 0);
  errno = 77;
  {
    const ScopedSignalBlock held;
    ::raise(SIGUSR1);
    CHECK(errno == 77);
  }
  CHECK(errno == 77);
}
