#include "device/allowance.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/time.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstring>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/fd.h"
#include "base/restartable.h"
#include "base/sys.h"
#include "handlers.h"

using namespace ossloop;
using device::Allowance;

namespace {

// A ring of numbers, its position, and what is lent of it.
class Lent {
 public:
  static constexpr std::size_t kFrames = 1 << 14;
  Lent() {
    base::prepare_restartable();
    REQUIRE(base::has_restartable());
    const base::Fd file(base::sys().memory_file("ring", true));
    REQUIRE(base::sys().ftruncate(file.get(), kBytes) == 0);
    int error = 0;
    memory_ = static_cast<std::byte*>(base::sys().map_ring(file.get(), 0, kBytes, error));
    REQUIRE(error == 0);
    ring_ = shm::Ring(memory_, kBytes, sizeof(int));
  }
  ~Lent() { base::sys().unmap(memory_, 2 * kBytes); }
  Lent(const Lent&) = delete;
  Lent& operator=(const Lent&) = delete;
  // As a call does that has the lock.
  bool lend(std::uint64_t frames) {
    Allowance::Terms terms(position, *peer);
    terms.keeps(watched);
    return allowance.lend(terms, ring_, terms.begin() + frames);
  }
  bool put(const std::vector<int>& frames) {
    return allowance.put(reinterpret_cast<const std::byte*>(frames.data()),
                         frames.size() * sizeof(int));
  }
  bool put_and_told(const std::vector<int>& frames) {
    const bool all = put(frames);
    if (all) allowance.told();
    return all;
  }
  // The same, and what else there is, also on a processor that others want.
  bool puts(const std::vector<int>& frames) {
    return sooner_or_later([&] { return put_and_told(frames); });
  }
  bool gets(std::vector<int>& frames) {
    auto* const data = reinterpret_cast<std::byte*>(frames.data());
    const auto get = [&] { return allowance.get(data, frames.size() * sizeof(int)); };
    const bool all = sooner_or_later(get);
    allowance.told();
    return all;
  }
  bool owes_wake() {
    return !sooner_or_later([&] { return !allowance.owes_wake(); });
  }
  int& at(std::uint64_t frame) { return reinterpret_cast<int*>(memory_)[frame % kFrames]; }

  std::atomic<std::uint64_t> position{kFrames - 100};
  std::atomic<std::uint32_t> watched{7};
  std::unique_ptr<abi::Half> peer = std::make_unique<abi::Half>();
  Allowance allowance;

 private:
  template <typename Call>
  static bool sooner_or_later(Call call) {
    for (int attempt = 0; attempt < 1000; ++attempt) {
      if (call()) return true;
    }
    return false;
  }
  static constexpr std::size_t kBytes = kFrames * sizeof(int);
  std::byte* memory_ = nullptr;
  shm::Ring ring_;
};

std::vector<int> some(std::size_t count, int value) { return std::vector<int>(count, value); }

}  // namespace

TEST_CASE("what is lent is moved by whole frames, up to its end") {
  Lent lent;
  REQUIRE(lent.lend(300));
  CHECK_FALSE(lent.puts(some(301, 1)));
  CHECK_FALSE(lent.puts({}));
  CHECK_FALSE(lent.allowance.put(reinterpret_cast<const std::byte*>("abc"), 3));
  for (const int value : {1, 2, 3}) REQUIRE(lent.puts(some(99, value)));
  CHECK(lent.position == Lent::kFrames - 100 + 297);
  CHECK_FALSE(lent.puts(some(4, 4)));
  CHECK(lent.at(Lent::kFrames - 100) == 1);
  CHECK(lent.at(Lent::kFrames - 2) == 1);
  CHECK(lent.at(Lent::kFrames - 1) == 2);
  CHECK(lent.at(Lent::kFrames + 98) == 3);
}

TEST_CASE("what is lent to read is copied out") {
  Lent lent;
  lent.position = 10;
  for (int frame = 0; frame < 50; ++frame) lent.at(static_cast<std::uint64_t>(frame)) = frame;
  REQUIRE(lent.lend(40));
  for (const std::size_t count : {1, 2, 7, 13, 16}) {
    std::vector<int> frames(count);
    const auto first = static_cast<int>(lent.position);
    REQUIRE(lent.gets(frames));
    for (std::size_t i = 0; i < count; ++i) CHECK(frames[i] == first + static_cast<int>(i));
  }
  CHECK(lent.position == 49);
}

TEST_CASE("nothing is moved by another thread, or against what the loan says") {
  Lent lent;
  REQUIRE(lent.lend(300));
  SECTION("by another thread") {
    bool moved = true;
    std::thread([&] { moved = lent.allowance.is_own() || lent.puts(some(1, 1)); }).join();
    CHECK_FALSE(moved);
    CHECK(lent.puts(some(1, 1)));
    return;
  }
  SECTION("when it was taken back") { lent.allowance.take_back(); }
  SECTION("when another thread has taken it back") {
    std::thread([&] { lent.allowance.take_back(); }).join();
  }
  SECTION("when a word that was to stay has changed") { lent.watched = 8; }
  SECTION("when the position was moved otherwise") { ++lent.position; }
  const std::uint64_t before = lent.position;
  CHECK_FALSE(lent.puts(some(1, 1)));
  CHECK(lent.position == before);
  CHECK(lent.lend(5));
  CHECK(lent.puts(some(5, 1)));
}

TEST_CASE("whoever waits for the position is seen") {
  Lent lent;
  REQUIRE(lent.lend(300));
  REQUIRE(lent.puts(some(1, 1)));
  CHECK_FALSE(lent.owes_wake());
  lent.peer->waiting = std::uint64_t{5} << 32 | 1;
  lent.peer->wake_frame = lent.position + 1;
  CHECK_FALSE(lent.owes_wake());
  REQUIRE(lent.puts(some(1, 1)));
  CHECK(lent.owes_wake());
  lent.peer->waiting = std::uint64_t{6} << 32;
  CHECK_FALSE(lent.owes_wake());
  lent.allowance.take_back();
  CHECK(lent.owes_wake());  // in doubt
}

TEST_CASE("who has moved something moves no more until it was asked who waits") {
  Lent lent;
  REQUIRE(lent.lend(300));
  REQUIRE(lent.puts(some(1, 1)));
  bool moved = false;
  for (int attempt = 0; attempt < 1000 && !moved; ++attempt) moved = lent.put(some(1, 2));
  REQUIRE(moved);
  CHECK(lent.allowance.is_untold());
  CHECK_FALSE(lent.puts(some(1, 3)));
  CHECK_FALSE(lent.owes_wake());
  CHECK_FALSE(lent.allowance.is_untold());
  CHECK(lent.puts(some(1, 3)));
}

TEST_CASE("the child of a vfork() moves nothing of what its parent was lent") {
  Lent lent;
  REQUIRE(lent.lend(300));
  base::thread_note().borrowed = 1;
  CHECK_FALSE(lent.puts(some(1, 1)));
  CHECK_FALSE(lent.lend(300));
  base::thread_note().borrowed = 0;
  CHECK(lent.puts(some(1, 1)));
}

namespace {

// What the handler shares with the test.
Lent* stormed = nullptr;
int next_value = 0;
sigjmp_buf place;
volatile sig_atomic_t calls = 0;
constexpr std::size_t kBlock = 500;
constexpr int kCalls = 2000;
// What it plays: a handler allocates nothing.
std::vector<int> handlers_block(kBlock);

void mask_alarm(int how, sigset_t* before = nullptr) {
  sigset_t alarm;
  sigemptyset(&alarm);
  sigaddset(&alarm, SIGALRM);
  ::pthread_sigmask(how, &alarm, before);
}

// A call with a lock holds the signals.
class Held {
 public:
  Held() { mask_alarm(SIG_BLOCK, &before_); }
  ~Held() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;

 private:
  sigset_t before_;
};

void lend_anew() {
  const Held held;
  stormed->allowance.take_back();
  stormed->allowance.told();
  stormed->lend(10 * kBlock);
}

void put_or_lend() {
  std::fill(handlers_block.begin(), handlers_block.end(), ++next_value);
  if (!stormed->put_and_told(handlers_block)) lend_anew();
}

void in_handler(int) {
  const int saved = errno;
  calls = calls + 1;
  if (calls % 3 != 0) put_or_lend();
  if (calls % 5 == 0) siglongjmp(place, 1);
  errno = saved;
}

}  // namespace

TEST_CASE("a handler may come at any moment, move what is lent, and not come back") {
  const Quiet quiet;
  Lent lent;
  stormed = &lent;
  lent.position = 0;
  next_value = 0;
  struct sigaction action {};
  action.sa_handler = in_handler;
  ::sigaction(SIGALRM, &action, nullptr);
  const auto mine = std::make_unique<std::vector<int>>(kBlock);
  std::atomic<std::uint64_t> checked{0};
  std::uint64_t wrong = 0;
  // Held while the place is written; a handler that jumps there holds it too.
  mask_alarm(SIG_BLOCK);
  const itimerval often{{0, 30}, {0, 30}};
  ::setitimer(ITIMER_REAL, &often, nullptr);
  while (calls < kCalls) {
    if (sigsetjmp(place, 0) == 0) {
      mask_alarm(SIG_UNBLOCK);
      for (;;) {
        std::fill(mine->begin(), mine->end(), -1);
        if (calls >= kCalls) break;
        if (!lent.put_and_told(*mine)) lend_anew();
      }
      mask_alarm(SIG_BLOCK);
    }
    // What was moved so far are whole blocks.
    const std::uint64_t end = lent.position;
    // Behind the position there may be anything.
    const std::uint64_t kept = (Lent::kFrames - kBlock) / kBlock * kBlock;
    for (std::uint64_t frame = std::max(checked.load(), end - std::min(end, kept)); frame < end;
         ++frame) {
      if (lent.at(frame) != lent.at(frame / kBlock * kBlock)) ++wrong;
    }
    checked = end;
  }
  const itimerval never{};
  ::setitimer(ITIMER_REAL, &never, nullptr);
  mask_alarm(SIG_UNBLOCK);
  CHECK(lent.position > kBlock);
  CHECK(wrong == 0);
}

TEST_CASE("whoever takes it back finds nothing moved afterwards") {
  Lent lent;
  std::mutex lock;
  std::atomic<bool> quit{false};
  std::thread player([&] {
    const std::vector<int> block = some(4000, 1);
    while (!quit) {
      if (lent.put_and_told(block)) continue;
      const std::lock_guard side(lock);
      lent.allowance.take_back();
      lent.lend(12'000);
    }
  });
  std::uint64_t moved_on = 0, overwritten = 0;
  std::uint64_t last = lent.position;
  for (int round = 0; round < 500;) {
    if (lent.position == last) {
      std::this_thread::yield();
      continue;
    }
    const std::lock_guard side(lock);
    ++round;
    lent.allowance.take_back();
    last = lent.position;
    std::uint64_t at = last;
    for (int i = 0; i < 4000; ++i)
      std::atomic_ref(lent.at(at++)).store(2, std::memory_order_relaxed);
    for (int look = 0; look < 10; ++look) {
      moved_on += lent.position != last ? 1 : 0;
      for (std::uint64_t frame = last; frame < last + 4000; frame += 100)
        overwritten += std::atomic_ref(lent.at(frame)).load(std::memory_order_relaxed) != 2 ? 1 : 0;
    }
  }
  quit = true;
  player.join();
  CHECK(moved_on == 0);
  CHECK(overwritten == 0);
}

TEST_CASE("what was lent to nobody moves nothing, and may owe a wake") {
  Allowance allowance;
  std::byte frame[8] = {};
  CHECK_FALSE(allowance.put(frame, sizeof frame));
  CHECK(allowance.owes_wake());
}
