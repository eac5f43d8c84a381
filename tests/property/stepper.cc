#include "stepper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include <cstddef>

#include "abi/layout.h"

namespace ossloop::property {
namespace {

constexpr std::size_t kSegmentBytes = abi::kRingOffset;
constexpr int kStore = SIGSEGV, kStepped = SIGTRAP;

Stepper* current = nullptr;
struct sigaction before_store, before_stepped;

#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__)
constexpr bool kAvailable = true;
void stop_after_instruction(void* context, bool on) {
  constexpr greg_t kTrap = 0x100;
  greg_t& flags = static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_EFL];
  flags = on ? flags | kTrap : flags & ~kTrap;
}
#else
constexpr bool kAvailable = false;
void stop_after_instruction(void*, bool) {}
#endif

bool within(const void* address, const void* begin, std::size_t bytes) {
  return address >= begin && address < static_cast<const std::byte*>(begin) + bytes;
}

}  // namespace

struct Stepper::Handlers {
  static void store(int number, siginfo_t* info, void* context) {
    const int saved = errno;
    if (current == nullptr || !current->armed_ || !current->covers(info->si_addr)) {
      ::sigaction(number, &before_store, nullptr);  // a fault of its own: once more
    } else if (current->may_store()) {
      stop_after_instruction(context, true);
    }
    errno = saved;
  }
  static void stepped(int, siginfo_t*, void* context) {
    const int saved = errno;
    stop_after_instruction(context, false);
    if (!current->dead_) current->protect(PROT_READ);
    errno = saved;
  }
};

Stepper::Stepper(KeptMemory& memory, const std::string& file, void* segment)
    : memory_(memory), fd_(::open(file.c_str(), O_RDWR | O_CLOEXEC)), segment_(segment) {
  struct sigaction action {};
  action.sa_flags = SA_SIGINFO;
  action.sa_sigaction = Handlers::store;
  ::sigaction(kStore, &action, &before_store);
  action.sa_sigaction = Handlers::stepped;
  ::sigaction(kStepped, &action, &before_stepped);
  current = this;
}

Stepper::~Stepper() {
  current = nullptr;
  ::sigaction(kStore, &before_store, nullptr);
  ::sigaction(kStepped, &before_stepped, nullptr);
  ::close(fd_);
}

void Stepper::arm(std::uint64_t stores, bool rings_count) {
  stores_left_ = stores;
  rings_count_ = rings_count;
  dead_ = false;
  armed_ = kAvailable;
  if (armed_) protect(PROT_READ);
}

bool Stepper::disarm() {
  if (armed_ && !dead_) protect(PROT_READ | PROT_WRITE);
  armed_ = false;
  // What everybody else sees.
  if (dead_) {
    ::mmap(segment_, kSegmentBytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd_, 0);
  }
  return !dead_;
}

void Stepper::protect(int protection) const {
  ::mprotect(segment_, kSegmentBytes, protection);
  if (!rings_count_) return;
  memory_.each_of_player(
      [&](void* address, std::size_t bytes) { ::mprotect(address, 2 * bytes, protection); });
}

bool Stepper::covers(const void* address) const {
  bool found = within(address, segment_, kSegmentBytes);
  memory_.each_of_player(
      [&](void* ring, std::size_t bytes) { found = found || within(address, ring, 2 * bytes); });
  return found;
}

// The store that was about to be made goes to the dead, too.
void Stepper::die() {
  dead_ = true;
  constexpr int kOwn = MAP_PRIVATE | MAP_FIXED;
  ::mmap(segment_, kSegmentBytes, PROT_READ | PROT_WRITE, kOwn, fd_, 0);
  memory_.bury_player(fd_);
}

bool Stepper::may_store() {
  if (stores_left_ == 0) {
    die();
    return false;
  }
  --stores_left_;
  protect(PROT_READ | PROT_WRITE);
  return true;
}

}  // namespace ossloop::property
