#include "shm/node.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>

#include "base/fd.h"
#include "shm/byte_lock.h"

namespace ossloop::shm {
namespace {

using base::sys;

constexpr int kPageBytes = 4096;

// Claims lie on the first byte, which the FIFO need not hold. A claim is exclusive when
// it is taken and becomes a shared lock when it is announced: a claim by another is
// refused either way.
constexpr off_t kClaimByte = 0;
constexpr off_t kDoorByte = 1;

off_t linger_byte(std::uint64_t serial) {
  constexpr off_t kFirstLingerByte = 2;
  return kFirstLingerByte + static_cast<off_t>(serial & 0xffffffff);
}

// Tries again, until it is in vain or too late.
template <typename Try, typename InVain>
int patiently(int longest_ms, Try attempt, InVain in_vain) {
  constexpr timespec kMoment{0, 1'000'000};
  const std::int64_t deadline_ns = sys().now_ns() + longest_ms * std::int64_t{1'000'000};
  int result;
  while ((result = attempt()) != 0) {
    if (in_vain() || sys().now_ns() >= deadline_ns) break;
    ::nanosleep(&kMoment, nullptr);
  }
  return result;
}

bool same_file(const struct stat& one, const struct stat& other) {
  return one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

}  // namespace

int Node::reach() const { return directory_.open(name_, O_RDWR | O_NONBLOCK); }

int Node::open(bool close_on_exec) const {
  const int flags = O_RDWR | O_NONBLOCK | O_NOFOLLOW | (close_on_exec ? O_CLOEXEC : 0);
  return sys().open(path().c_str(), flags, 0);
}

int Node::open_as(int flags) const {
  // A FIFO without a reader cannot be opened for writing alone; `both` is the
  // reader, and keeps the number until the program's own has it.
  const std::string path = this->path();
  base::Fd both(sys().open(path.c_str(), O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC, 0));
  if (!both) return both.get();
  const int wanted = (flags & (O_ACCMODE | O_CLOEXEC)) | O_NONBLOCK | O_NOFOLLOW;
  base::Fd fd(sys().open(path.c_str(), wanted, 0));
  if (!fd) return fd.get();
  sys().fcntl(fd.get(), F_SETFL, flags & O_NONBLOCK);
  const int moved = sys().dup3(fd.get(), both.get(), flags & O_CLOEXEC);
  return moved < 0 ? moved : both.release();
}

bool Node::is(const struct stat& status) const {
  struct stat named {};
  return directory_.stat(name_, named) == 0 && same_file(named, status);
}

bool Node::resembles(const struct stat& status) const {
  struct stat named {};
  return directory_.glance(name_, named) == 0 && same_file(named, status);
}

int Node::claim(int fd) { return lock_byte(fd, kClaimByte); }

int Node::take_door(int fd) { return lock_byte(fd, kDoorByte); }

bool Node::door_taken_by_other(int fd) { return is_locked(fd, kDoorByte); }

int Node::linger(int fd, std::uint64_t serial) {
  const int error = lock_byte(fd, linger_byte(serial));
  return error != 0 ? error : lock_byte(fd, kClaimByte, F_UNLCK);
}

bool Node::is_lingering(int fd, std::uint64_t serial) { return is_locked(fd, linger_byte(serial)); }

int Node::claim_patiently(int fd, int longest_ms) {
  return patiently(
      longest_ms, [fd] { return claim(fd); },
      [fd] { return claim_of_other(fd) == Claim::kAnnounced; });
}

int Node::take_door_patiently(int fd, int longest_ms) {
  return patiently(
      longest_ms, [fd] { return take_door(fd); }, [] { return false; });
}

// In one step for the kernel, so no other claim can come between.
void Node::announce(int fd) { lock_byte(fd, kClaimByte, F_RDLCK); }

// An announced claim is left as it is: claimed anew, it would for a moment be one of a
// side that opens, and stay so if this process is killed then and another has the open.
bool Node::keeps_claim(int fd) {
  const bool announced = lock_of_any(fd, kClaimByte) == F_RDLCK;
  if (claimed_by_other(fd)) return false;
  if (announced) return true;
  if (claim(fd) != 0) return false;
  announce(fd);
  return true;
}

Node::Claim Node::claim_of_other(int fd) {
  const short lock = lock_of_other(fd, kClaimByte);
  if (lock == F_UNLCK) return Claim::kNone;
  return lock == F_RDLCK ? Claim::kAnnounced : Claim::kOpening;
}

// The kernel rounds up to a page. With more, "not full" would be reported beside the
// token. Only once: setting it wakes everybody who waits on the node.
int Node::set_pages(int fd, int pages) {
  const int bytes = pages * kPageBytes;
  if (sys().fcntl(fd, F_GETPIPE_SZ, 0) == bytes) return 0;
  return std::min(sys().fcntl(fd, F_SETPIPE_SZ, bytes), 0);
}

void Node::set_token(int fd, bool ready, int pages) {
  if (ready) {
    add_byte(fd);
    return;
  }
  // There may be more than one: two setters at once, or add_byte(). A stranger may have
  // made the pipe larger and go on filling it: that much is for the next call. Two pages
  // are our own, and all of them are read before a read finds nothing.
  constexpr int kMostReads = 64, kOwnReads = 2 * kPageBytes / 1024 + 1;
  char bytes[1024];
  int reads = 1;
  while (sys().read(fd, bytes, sizeof bytes) == sizeof bytes && reads < kMostReads) ++reads;
  if (reads > kOwnReads) set_pages(fd, pages);
}

bool Node::shows_both(int fd) {
  constexpr short kBoth = POLLIN | POLLOUT;
  pollfd entry{fd, kBoth, 0};
  constexpr timespec kNow{};
  return ::syscall(SYS_ppoll, &entry, 1, &kNow, nullptr, 0) == 1 && entry.revents == kBoth;
}

// A page that has room takes more bytes: two need all of the first.
void Node::fill(int fd) {
  constexpr char kBytes[kPageBytes] = {};
  while (sys().write(fd, kBytes, sizeof kBytes) > 0) {
  }
}

bool Node::add_byte(int fd) {
  const char byte = 0;
  return sys().write(fd, &byte, 1) == 1;
}

}  // namespace ossloop::shm
