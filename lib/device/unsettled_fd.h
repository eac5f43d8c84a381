// A descriptor in the program's table whose open may yet fail.
#pragma once

#include "shm/node.h"

namespace ossloop::device {

// Another thread may fork meanwhile: the child does not keep what no open() of its own
// will tell it of. It would hold a claim, or a number, for ever. With signals held:
// a handler that jumped out would leave it in the list.
class UnsettledFd {
 public:
  // The lowest free number, from `lowest` on if there is one.
  UnsettledFd(const shm::Node& node, bool close_on_exec, int lowest = 0);
  ~UnsettledFd() { settle(true); }
  UnsettledFd(const UnsettledFd&) = delete;
  UnsettledFd& operator=(const UnsettledFd&) = delete;

  // Negative: what the system said.
  int get() const { return fd_; }
  // The open has succeeded.
  int release();

  static void before_fork();
  static void after_fork(bool child);

 private:
  void settle(bool closes);

  int fd_ = -1;
  UnsettledFd* next_ = nullptr;
};

}  // namespace ossloop::device
