#include "device/unsettled_fd.h"

#include <fcntl.h>

#include <utility>

#include "base/mutex.h"
#include "base/sys.h"

namespace ossloop::device {
namespace {

base::Mutex mutex;
UnsettledFd* first = nullptr;

}  // namespace

UnsettledFd::UnsettledFd(const shm::Node& node, bool close_on_exec, int lowest) {
  mutex.lock();
  fd_ = node.open(close_on_exec);
  if (fd_ >= 0 && fd_ < lowest) {
    const int moved = base::sys().fcntl(fd_, close_on_exec ? F_DUPFD_CLOEXEC : F_DUPFD, lowest);
    if (moved >= 0) base::sys().close(std::exchange(fd_, moved));
  }
  if (fd_ >= 0) next_ = std::exchange(first, this);
  mutex.unlock();
}

int UnsettledFd::release() {
  const int fd = fd_;
  settle(false);
  return fd;
}

void UnsettledFd::settle(bool closes) {
  if (fd_ < 0) return;
  mutex.lock();
  UnsettledFd** link = &first;
  while (*link != this) link = &(*link)->next_;
  *link = next_;
  if (closes) base::sys().close(fd_);
  fd_ = -1;
  mutex.unlock();
}

void UnsettledFd::before_fork() { mutex.lock(); }

void UnsettledFd::after_fork(bool child) {
  if (!child) return mutex.unlock();
  for (UnsettledFd* fd = std::exchange(first, nullptr); fd != nullptr; fd = fd->next_)
    base::sys().close(fd->fd_);
  mutex.unlock_in_child();
}

}  // namespace ossloop::device
