#include "base/deferral.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>

#ifdef __x86_64__
#include <asm/prctl.h>
#endif

#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

#include "base/scoped_block.h"
#include "base/signals.h"
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

struct sigaction kernel_holds(int number) {
  struct sigaction action {};
  ::sigaction(number, nullptr, &action);
  return action;
}

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

TEST_CASE("a handler waits until its thread has left the last lock") {
  Counted handlers;
  for (const int flags : {0, SA_RESTART, SA_NODEFER, SA_SIGINFO | SA_NODEFER}) {
    CAPTURE(flags);
    arrived = 0;
    handlers.count_by(SIGUSR1, flags);
    const std::uint64_t mask = mask_now();
    {
      const SignalsDeferred outer;
      {
        const SignalsDeferred inner;
        ::raise(SIGUSR1);
      }
      CHECK(arrived == 0);
    }
    CHECK(arrived == 1);
    CHECK(arrivals[0].number == SIGUSR1);
    CHECK(mask_now() == mask);
  }
}

TEST_CASE("a handler runs at once outside the locks, and in a thread that holds none") {
  Counted handlers;
  handlers.count_by(SIGUSR1, 0);
  ::raise(SIGUSR1);
  CHECK(arrived == 1);
  const SignalsDeferred deferred;
  std::thread([] { ::raise(SIGUSR1); }).join();
  CHECK(arrived == 2);
}

TEST_CASE("all signals that came wait, each once, and bring what they came with") {
  Counted handlers;
  handlers.count_by(SIGUSR1, SA_SIGINFO);
  handlers.count_by(SIGUSR2, SA_SIGINFO);
  handlers.count_by(SIGALRM, SA_SIGINFO);
  {
    const SignalsDeferred deferred;
    ::sigqueue(::getpid(), SIGUSR2, sigval{.sival_int = 77});
    ::raise(SIGALRM);
    ::raise(SIGALRM);
    ::sigqueue(::getpid(), SIGUSR1, sigval{.sival_int = 88});
    CHECK(arrived == 0);
  }
  REQUIRE(arrived == 3);
  int values = 0;
  for (int i = 0; i < 3; ++i) {
    if (arrivals[i].number == SIGALRM) {
      CHECK(arrivals[i].code == SI_TKILL);
    } else {
      CHECK(arrivals[i].code == SI_QUEUE);
      CHECK(arrivals[i].value == (arrivals[i].number == SIGUSR2 ? 77 : 88));
      values += arrivals[i].value;
    }
  }
  CHECK(values == 77 + 88);
}

TEST_CASE("signals that the program has blocked stay so") {
  Counted handlers;
  handlers.count_by(SIGUSR1, 0);
  handlers.count_by(SIGUSR2, 0);
  const std::uint64_t before = mask_now();
  set_signal_mask(before | signal_bit(SIGUSR2));
  {
    const SignalsDeferred deferred;
    ::raise(SIGUSR1);
    ::raise(SIGUSR2);
  }
  CHECK(arrived == 1);
  CHECK(mask_now() == (before | signal_bit(SIGUSR2)));
  set_signal_mask(before);
  CHECK(arrived == 2);
}

TEST_CASE("a fault that the program has blocked stays so, too") {
  Counted handlers;
  handlers.count_by(SIGTRAP, 0);
  handlers.count_by(SIGUSR1, 0);
  handlers.count_by(SIGRTMIN, 0);
  const std::uint64_t before = mask_now();
  set_signal_mask(before | signal_bit(SIGTRAP));
  ::raise(SIGTRAP);
  { const ScopedSignalBlock held; }
  {
    const SignalsDeferred deferred;
    ::raise(SIGUSR1);
  }
  CHECK(arrived == 1);
  CHECK(mask_now() == (before | signal_bit(SIGTRAP)));
  set_signal_mask(before);
  CHECK(arrived == 2);
}

TEST_CASE("a real-time handler does not come between the locks, and leaves the mask right") {
  Counted handlers;
  handlers.count_by(SIGUSR1, 0);
  handlers.count_by(SIGRTMIN, 0);
  const std::uint64_t before = mask_now();
  {
    const SignalsDeferred deferred;
    ::raise(SIGRTMIN);
    ::raise(SIGUSR1);
    CHECK(arrived == 0);
  }
  CHECK(arrived == 2);
  CHECK(mask_now() == before);
}

TEST_CASE("what is about to be installed can stand in from the start") {
  struct sigaction action {};
  action.sa_handler = count;
  for (const int number : {SIGRTMIN, SIGSEGV, 0, -1, 65}) {
    stand_in(number, action);
    CHECK(action.sa_handler == count);
  }
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  stand_in(SIGUSR1, action);
  CHECK(action.sa_handler == count);
  action.sa_flags = SA_RESTART;
  stand_in(SIGUSR1, action);
  CHECK(action.sa_handler != count);
  CHECK(action.sa_flags == (SA_RESTART | SA_SIGINFO));
  tell_handler(stood_for(SIGUSR1), action.sa_handler, action.sa_flags);
  CHECK(action.sa_handler == count);
  CHECK(action.sa_flags == SA_RESTART);
}

TEST_CASE("what stands in is not taken for a handler of the program's") {
  Counted handlers;
  handlers.count_by(SIGUSR1, 0);
  struct sigaction action = kernel_holds(SIGUSR1);
  stand_in(SIGUSR1, action);
  ::raise(SIGUSR1);
  CHECK(arrived == 1);
  tell_handler(stood_for(SIGUSR1), action.sa_handler, action.sa_flags);
  CHECK(action.sa_handler == count);
}

TEST_CASE("a handler that waited may jump away, and the next one waits again") {
  static sigjmp_buf place;
  Counted handlers;
  struct sigaction action {};
  action.sa_handler = [](int) { ::siglongjmp(place, 1); };
  handlers.install(SIGUSR1, action);
  std::atomic<int> jumps{0};
  std::atomic<int> too_early{0};
  for (std::atomic<int> i{0}; i < 3; ++i) {
    if (::sigsetjmp(place, 1) == 0) {
      {
        const SignalsDeferred deferred;
        too_early = 1;
        ::raise(SIGUSR1);
        too_early = 0;
      }
    } else {
      ++jumps;
    }
    CHECK(too_early == 0);
  }
  CHECK(jumps == 3);
  CHECK(signal_gate().depth == 0);
}

TEST_CASE("a handler that waited may end its thread") {
  Counted handlers;
  struct sigaction action {};
  action.sa_handler = [](int) { ::pthread_exit(&arrived); };
  handlers.install(SIGUSR1, action);
  pthread_t thread;
  const auto run = [](void*) -> void* {
    const SignalsDeferred deferred;
    ::raise(SIGUSR1);
    return nullptr;
  };
  REQUIRE(::pthread_create(&thread, nullptr, run, nullptr) == 0);
  void* how = nullptr;
  REQUIRE(::pthread_join(thread, &how) == 0);
  CHECK(how == &arrived);
}

TEST_CASE("the program sees the handlers that it installed") {
  Counted handlers;
  for (const int flags : {0, SA_RESTART | SA_ONSTACK, SA_SIGINFO, SA_NODEFER | SA_SIGINFO}) {
    CAPTURE(flags);
    handlers.count_by(SIGUSR1, flags);
    const struct sigaction kernels = kernel_holds(SIGUSR1);
    struct sigaction told = kernels;
    tell_handler(stood_for(SIGUSR1), told.sa_handler, told.sa_flags);
    CHECK(kernels.sa_sigaction != note);
    CHECK(kernels.sa_handler != count);
    CHECK(told.sa_flags == (kernels.sa_flags & ~SA_SIGINFO) + (flags & SA_SIGINFO));
    CHECK((told.sa_flags & flags) == flags);
    if ((flags & SA_SIGINFO) != 0) {
      CHECK(told.sa_sigaction == note);
    } else {
      CHECK(told.sa_handler == count);
    }
  }
  for (void (*const other)(int) : {SIG_DFL, SIG_IGN, count}) {
    void (*handler)(int) = other;
    int flags = SA_SIGINFO;
    tell_handler(stood_for(SIGUSR1), handler, flags);
    CHECK(handler == other);
    CHECK(flags == SA_SIGINFO);
  }
}

TEST_CASE("handlers that cannot wait are left as they are, and known") {
  Counted handlers;
  REQUIRE(handlers_wait());
  struct Kind {
    int number;
    int flags;
    bool waits;
  };
  for (const Kind kind :
       {Kind{SIGRTMIN, 0, false}, Kind{SIGUSR1, static_cast<int>(SA_RESETHAND), false},
        Kind{SIGSYS, 0, true}, Kind{SIGTRAP, SA_SIGINFO, true}}) {
    CAPTURE(kind.number);
    Counted own;
    own.count_by(kind.number, kind.flags);
    CHECK(handlers_wait() == kind.waits);
    const struct sigaction action = kernel_holds(kind.number);
    CHECK((action.sa_handler == count || action.sa_sigaction == note));
  }
  CHECK(handlers_wait());
}

TEST_CASE("a handler that was there before any look waits, too") {
  Counted handlers;
  struct sigaction action {};
  action.sa_handler = count;
  handlers.install_unseen(SIGVTALRM, action);
  signal_handlers_changed();
  CHECK(handlers_wait());
  CHECK(kernel_holds(SIGVTALRM).sa_handler != count);
  {
    const SignalsDeferred deferred;
    ::raise(SIGVTALRM);
    CHECK(arrived == 0);
  }
  CHECK(arrived == 1);
}

TEST_CASE("a handler installed out of sight that calls the one before does not call itself") {
  static void (*before)(int);
  Counted handlers;
  handlers.count_by(SIGUSR1, 0);
  before = kernel_holds(SIGUSR1).sa_handler;
  struct sigaction action {};
  action.sa_handler = [](int number) { before(number); };
  handlers.install_unseen(SIGUSR1, action);
  signal_handlers_changed();
  CHECK_FALSE(handlers_wait());
  ::raise(SIGUSR1);
  CHECK(arrived == 1);
}

TEST_CASE("none of many signals is lost or comes between the locks") {
  static std::atomic<int> inside{0}, wrong{0};
  Counted handlers;
  struct sigaction action {};
  action.sa_handler = [](int number) {
    if (inside != 0) ++wrong;
    const SignalsDeferred deferred;  // as a handler that uses the device
    count(number);
  };
  for (const int number : {SIGUSR1, SIGUSR2}) {
    handlers.install(number, action);
  }
  std::atomic<bool> done{false};
  const pthread_t target = ::pthread_self();
  int sent = 0;
  std::thread sender([&] {
    for (; sent < 4000; ++sent) {
      const int before = arrived;
      ::pthread_kill(target, sent % 2 == 0 ? SIGUSR1 : SIGUSR2);
      while (arrived == before) std::this_thread::yield();
    }
    done = true;
  });
  while (!done) {
    for (int i = 0; i < 100; ++i) {
      const SignalsDeferred deferred;
      ++inside;
      for (int pause = 0; pause < 20; ++pause) std::atomic_signal_fence(std::memory_order_seq_cst);
      --inside;
    }
  }
  sender.join();
  CHECK(arrived == sent);
  CHECK(wrong == 0);
}

#ifdef __x86_64__
namespace {

long raw_call(long number, long first, long second) {
  asm volatile("syscall" : "+a"(number) : "D"(first), "S"(second) : "rcx", "r11", "memory");
  return number;
}
void set_thread_pointer(void* pointer) {
  raw_call(SYS_arch_prctl, ARCH_SET_FS, reinterpret_cast<long>(pointer));
}
void* libcs_pointer;
void* foreign_pointer[64];

}  // namespace

TEST_CASE("a thread may have a pointer of its own when a signal comes") {
  Counted handlers;
  struct sigaction action {};
  action.sa_handler = [](int number) {
    set_thread_pointer(libcs_pointer);
    count(number);
    set_thread_pointer(foreign_pointer);
  };
  handlers.install(SIGUSR1, action);
  libcs_pointer = __builtin_thread_pointer();
  const auto process = ::getpid();
  // Between these nothing may look for its thread.
  set_thread_pointer(foreign_pointer);
  raw_call(SYS_kill, process, SIGUSR1);
  set_thread_pointer(libcs_pointer);
  CHECK(arrived == 1);
}
#endif

TEST_CASE("errno is the program's while handlers wait") {
  Counted handlers;
  handlers.count_by(SIGUSR1, 0);
  errno = 77;
  {
    const SignalsDeferred deferred;
    ::raise(SIGUSR1);
    CHECK(errno == 77);
  }
  CHECK(errno == 77);
}
