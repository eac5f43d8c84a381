#include "shm/wakeup.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>

#include <catch2/catch.hpp>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "base/sys.h"

using namespace ossloop;
using shm::Sleeper;

namespace {

constexpr std::int64_t kMs = 1'000'000;
constexpr std::int64_t kLong = 20'000 * kMs;  // nobody waits that long but in error

std::int64_t in(std::int64_t ns) { return base::sys().now_ns() + ns; }

std::unique_ptr<abi::Half> new_half() {
  auto half = std::make_unique<abi::Half>();
  shm::make_wakeup(*half);
  half->wake.value.store(0);
  return half;
}

// How often those of a new side were woken.
int wakes(const abi::Half& half) { return static_cast<int>(half.wake.value.load()); }

// Calls that sleep and are not yet woken.
std::uint64_t sleepers(const abi::Half& half) { return half.waiting.load() & 0xffffffff; }

void on_signal(int) {}

// A handler for SIGUSR1, gone at the end of the test.
class Handler {
 public:
  explicit Handler(int flags) {
    struct sigaction action {};
    action.sa_handler = on_signal;
    action.sa_flags = flags;
    ::sigaction(SIGUSR1, &action, &before_);
  }
  ~Handler() { ::sigaction(SIGUSR1, &before_, nullptr); }

 private:
  struct sigaction before_ {};
};

}  // namespace

TEST_CASE("a sleeper that nobody wakes sleeps until its deadline") {
  auto half = new_half();
  const std::int64_t start = base::sys().now_ns();
  errno = 77;
  Sleeper sleeper(*half, 0);
  CHECK(sleeper.sleep_until(start + 20 * kMs) == -ETIMEDOUT);
  CHECK(base::sys().now_ns() >= start + 20 * kMs);
  CHECK(errno == 77);
}

TEST_CASE("a wake between announcement and sleep is not lost") {
  auto half = new_half();
  Sleeper sleeper(*half, 0);
  shm::wake(*half);
  CHECK(sleeper.sleep_until(in(kLong)) == 0);
}

TEST_CASE("nobody is woken when nobody sleeps") {
  auto half = new_half();
  shm::wake(*half);
  shm::wake_at(*half, 1000);
  { Sleeper came_and_went(*half, 0); }
  shm::wake(*half);
  CHECK(wakes(*half) == 0);
  CHECK(sleepers(*half) == 0);
}

TEST_CASE("wake_at wakes from the position that the sleeper named") {
  auto half = new_half();
  Sleeper sleeper(*half, 100);
  shm::wake_at(*half, 99);
  CHECK(wakes(*half) == 0);
  CHECK(sleeper.sleep_until(0) == -ETIMEDOUT);
  shm::wake_at(*half, 100);
  CHECK(wakes(*half) == 1);
  CHECK(sleeper.sleep_until(in(kLong)) == 0);
}

TEST_CASE("a sleeper for its deadline only hears of states, not of positions") {
  auto half = new_half();
  Sleeper sleeper(*half, Sleeper::kNever);
  shm::wake_at(*half, ~std::uint64_t{0} - 1);
  CHECK(wakes(*half) == 0);
  shm::wake(*half);
  CHECK(wakes(*half) == 1);
}

TEST_CASE("of several sleepers the most eager one's position stands") {
  auto half = new_half();
  Sleeper patient(*half, 1000);
  Sleeper eager(*half, 10);
  Sleeper late(*half, 500);
  shm::wake_at(*half, 9);
  CHECK(wakes(*half) == 0);
  shm::wake_at(*half, 10);
  CHECK(wakes(*half) == 1);
  CHECK(sleepers(*half) == 0);
  for (Sleeper* sleeper : {&patient, &eager, &late}) CHECK(sleeper->sleep_until(in(kLong)) == 0);
}

TEST_CASE("one that sleeps alone again is asked anew") {
  auto half = new_half();
  { Sleeper eager(*half, 10); }
  Sleeper patient(*half, 1000);
  shm::wake_at(*half, 10);
  CHECK(wakes(*half) == 0);
}

TEST_CASE("one sleeper that goes away does not take another's wake with it") {
  auto half = new_half();
  auto first = std::make_unique<Sleeper>(*half, 0);
  shm::wake(*half);
  REQUIRE(first->sleep_until(in(kLong)) == 0);
  Sleeper second(*half, 0);
  first.reset();
  shm::wake(*half);
  CHECK(second.sleep_until(in(200 * kMs)) == 0);
}

TEST_CASE("a wake for one that no longer waits does not wake the next one") {
  auto half = new_half();
  {
    Sleeper awake(*half, 0);
    shm::wake(*half);
  }
  Sleeper next(*half, 0);
  CHECK(next.sleep_until(in(5 * kMs)) == -ETIMEDOUT);
}

TEST_CASE("one that was woken before it slept does not take another's place with it") {
  auto half = new_half();
  auto first = std::make_unique<Sleeper>(*half, 0);
  shm::wake(*half);
  Sleeper second(*half, 0);
  first.reset();
  CHECK(sleepers(*half) == 1);
  shm::wake(*half);
  CHECK(second.sleep_until(in(kLong)) == 0);
}

TEST_CASE("a wake reaches every sleeper of a side") {
  auto half = new_half();
  constexpr int kSleepers = 12;
  std::vector<std::thread> threads;
  std::atomic<int> woken{0};
  for (int i = 0; i < kSleepers; ++i) {
    threads.emplace_back([&] {
      Sleeper sleeper(*half, 0);
      if (sleeper.sleep_until(in(kLong)) == 0) ++woken;
    });
  }
  while (sleepers(*half) != kSleepers) std::this_thread::yield();
  shm::wake(*half);
  for (std::thread& thread : threads) thread.join();
  CHECK(woken.load() == kSleepers);
  CHECK(sleepers(*half) == 0);
}

TEST_CASE("no wake is lost between two threads, in many rounds") {
  auto ping = new_half();
  auto pong = new_half();
  constexpr std::uint64_t kRounds = 20000;
  std::atomic<std::uint64_t> count{0};
  std::atomic<int> lost{0};
  // Waits until `count` is odd or even, as calls do: look, announce, look, sleep.
  const auto wait_for = [&](abi::Half& half, std::uint64_t parity) {
    const auto ready = [&] { return count.load(std::memory_order_relaxed) % 2 == parity; };
    while (!ready()) {
      Sleeper sleeper(half, count.load(std::memory_order_relaxed) + 1);
      if (ready()) break;
      if (sleeper.sleep_until(in(kLong)) == -ETIMEDOUT) ++lost;
    }
  };
  const auto play = [&](abi::Half& mine, abi::Half& theirs, std::uint64_t parity) {
    for (std::uint64_t round = 0; round < kRounds && lost == 0; ++round) {
      wait_for(mine, parity);
      const std::uint64_t next = count.load(std::memory_order_relaxed) + 1;
      count.store(next, std::memory_order_release);
      shm::wake_at(theirs, next);
    }
  };
  std::thread other([&] { play(*pong, *ping, 1); });
  play(*ping, *pong, 0);
  other.join();
  CHECK(lost.load() == 0);
  CHECK(count.load() == 2 * kRounds);
}

TEST_CASE("an absurd number of sleepers costs one wake") {
  auto half = new_half();
  half->waiting.store(0xffffffff);
  shm::wake(*half);
  CHECK(wakes(*half) == 1);
  CHECK(sleepers(*half) == 0);
}

TEST_CASE("sleepers that never come back cost one wake, and none of the next one's sleep") {
  auto half = new_half();
  alignas(Sleeper) std::byte place[sizeof(Sleeper)];
  for (int i = 0; i < 10000; ++i) new (place) Sleeper(*half, 10);
  shm::wake_at(*half, 10);
  CHECK(wakes(*half) == 1);
  CHECK(sleepers(*half) == 0);
  Sleeper next(*half, 1000);
  CHECK(next.sleep_until(in(5 * kMs)) == -ETIMEDOUT);
  shm::wake_at(*half, 999);
  CHECK(wakes(*half) == 1);
}

TEST_CASE("a side wakes its own whoever is counted") {
  auto half = new_half();
  Sleeper sleeper(*half, 0);
  half->waiting.store(0);
  shm::wake_uncounted(*half);
  CHECK(sleeper.sleep_until(in(kLong)) == 0);
}

TEST_CASE("a new owner finds no sleepers of the last one, and they look again") {
  auto half = new_half();
  Sleeper last(*half, 0);
  half->waiting.store(2);
  shm::make_wakeup(*half);
  CHECK(last.sleep_until(in(kLong)) == 0);
  CHECK(sleepers(*half) == 0);
  Sleeper next(*half, 0);
  CHECK(next.sleep_until(in(5 * kMs)) == -ETIMEDOUT);
}

TEST_CASE("who slept for the last owner takes nobody of the new one's out of the count") {
  auto half = new_half();
  std::optional<Sleeper> last(std::in_place, *half, 0);
  shm::make_wakeup(*half);
  Sleeper next(*half, 0);
  last.reset();
  CHECK(sleepers(*half) == 1);
  shm::wake(*half);
  CHECK(next.sleep_until(in(kLong)) == 0);
}

TEST_CASE("a signal handler ends a sleep with a deadline") {
  for (const int flags : {0, SA_RESTART}) {
    Handler handler(flags);
    auto half = new_half();
    std::atomic<bool> done{false};
    int result = 1;
    int kept = 0;
    std::thread sleeping([&] {
      Sleeper sleeper(*half, 0);
      errno = 77;
      result = sleeper.sleep_until(in(kLong));
      kept = errno;
      done.store(true);
    });
    // One that comes before the sleep interrupts nothing.
    while (!done.load()) {
      ::pthread_kill(sleeping.native_handle(), SIGUSR1);
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    sleeping.join();
    CHECK(result == -EINTR);
    CHECK(kept == 77);
    CHECK(sleepers(*half) == 0);
  }
}

TEST_CASE("a sleep without a deadline goes on as SA_RESTART asks") {
  Handler handler(SA_RESTART);
  auto half = new_half();
  std::atomic<bool> done{false};
  int result = 1;
  std::thread sleeping([&] {
    Sleeper sleeper(*half, 0);
    result = sleeper.sleep();
    done.store(true);
  });
  for (int i = 0; i < 30; ++i) {
    ::pthread_kill(sleeping.native_handle(), SIGUSR1);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  CHECK_FALSE(done.load());
  while (!done.load()) {
    shm::wake(*half);
    std::this_thread::yield();
  }
  sleeping.join();
  CHECK(result == 0);
}

TEST_CASE("a sleep without a deadline ends with EINTR where a handler asks for it") {
  Handler handler(0);
  auto half = new_half();
  std::atomic<bool> done{false};
  int result = 1;
  std::thread sleeping([&] {
    Sleeper sleeper(*half, 0);
    result = sleeper.sleep();
    done.store(true);
  });
  while (!done.load()) {
    ::pthread_kill(sleeping.native_handle(), SIGUSR1);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  sleeping.join();
  CHECK(result == -EINTR);
}
