#include "shm/shared_lock.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <functional>
#include <new>

#include "base/host.h"
#include "base/sys.h"

using namespace ossloop;
using shm::SharedLock;

namespace {

// A half that processes share, and a word for the tests.
struct Shared {
  abi::Half half;
  std::atomic<int> count;
};

class Memory {
 public:
  Memory() {
    void* const place =
        ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    REQUIRE(place != MAP_FAILED);
    shared_ = new (place) Shared{};
  }
  ~Memory() { ::munmap(shared_, sizeof(Shared)); }
  Shared* operator->() const { return shared_; }
  Shared& operator*() const { return *shared_; }

 private:
  Shared* shared_;
};

pid_t child(const std::function<void()>& work) {
  const pid_t process = ::fork();
  if (process != 0) return process;
  base::forget_thread();
  work();
  ::_exit(0);
}

void end(pid_t process, int signal = 0) {
  if (signal != 0) ::kill(process, signal);
  int status = 0;
  REQUIRE(::waitpid(process, &status, 0) == process);
  if (signal == 0) CHECK(status == 0);
}

void wait_for(const std::atomic<int>& count, int value) {
  while (count.load() < value) ::usleep(1000);
}

// A process that has taken the lock and keeps it.
pid_t holder(Memory& shared) {
  const pid_t owner = child([&] {
    SharedLock lock(shared->half);
    lock.lock();
    shared->count.store(1);
    ::pause();
  });
  wait_for(shared->count, 1);
  return owner;
}

}  // namespace

TEST_CASE("one process at a time has the lock of a half") {
  Memory shared;
  const pid_t other = child([&] {
    for (int i = 0; i < 20000; ++i) {
      SharedLock lock(shared->half);
      lock.lock();
      shared->count.store(shared->count.load(std::memory_order_relaxed) + 1,
                          std::memory_order_relaxed);
    }
  });
  for (int i = 0; i < 20000; ++i) {
    SharedLock lock(shared->half);
    lock.lock();
    shared->count.store(shared->count.load(std::memory_order_relaxed) + 1,
                        std::memory_order_relaxed);
  }
  end(other);
  CHECK(shared->count.load() == 40000);
  CHECK((shared->half.lock.load() & 0x3fffffff) == 0);
}

TEST_CASE("a lock that another process has is not there to be tried") {
  Memory shared;
  const pid_t owner = holder(shared);
  CHECK_FALSE(SharedLock(shared->half).try_lock());
  end(owner, SIGKILL);
  CHECK(SharedLock(shared->half).try_lock());
}

TEST_CASE("the lock of a killed process wakes who waits for it") {
  Memory shared;
  const pid_t owner = holder(shared);
  const pid_t killer = child([&] {
    ::usleep(50'000);
    ::kill(owner, SIGKILL);
  });
  SharedLock lock(shared->half);
  lock.lock();
  // Not taken over from a living one: it was there to be taken.
  CHECK((shared->half.lock.load() & 0x3fffffff) == static_cast<std::uint32_t>(::gettid()));
  lock.unlock();
  CHECK((shared->half.lock.load() & 0x3fffffff) == 0);
  end(killer);
  end(owner, SIGKILL);
}

TEST_CASE("a lock is given back whatever descriptors are closed meanwhile") {
  Memory shared;
  SharedLock lock(shared->half);
  lock.lock();
  int pair[2];
  REQUIRE(::pipe(pair) == 0);
  ::close(pair[0]);
  ::close(pair[1]);
  const pid_t other = child([&] { ::_exit(SharedLock(shared->half).try_lock() ? 1 : 0); });
  end(other);
}

TEST_CASE("a stranger's word in the lock holds nobody up for long") {
  Memory shared;
  for (const std::uint32_t word : {1U, 0x3fffffffU, 0xffffffffU, 0x80000001U}) {
    shared->half.lock.store(word);
    SharedLock lock(shared->half);
    lock.lock();
    CHECK((shared->half.lock.load() & 0x3fffffff) == static_cast<std::uint32_t>(::gettid()));
  }
}

TEST_CASE("who was taken over from leaves the lock to its new owner") {
  Memory shared;
  SharedLock lock(shared->half);
  lock.lock();
  shared->half.lock.store(77);
  lock.unlock();
  CHECK(shared->half.lock.load() == 77);
}
