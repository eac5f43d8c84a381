// Calls that make descriptors of other things. Were one of our numbers closed out
// of our sight (by a system call without libc), the table would not know that it
// now stands for something else.
#include <fcntl.h>
#include <mqueue.h>
#include <pty.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "shim/engine_loader.h"
#include "shim/real.h"

namespace {

using namespace ossloop::shim;

int both_foreign(int result, const int* one, const int* other) {
  if (result == 0) {
    register_foreign(*one);
    register_foreign(*other);
  }
  return result;
}

}  // namespace

OSSLOOP_EXPORT int socket(int domain, int type, int protocol) noexcept {
  return register_foreign(OSSLOOP_REAL(socket)(domain, type, protocol));
}
OSSLOOP_EXPORT int socketpair(int domain, int type, int protocol, int pair[2]) noexcept {
  return both_foreign(OSSLOOP_REAL(socketpair)(domain, type, protocol, pair), pair, pair + 1);
}
OSSLOOP_EXPORT int accept(int fd, sockaddr* address, socklen_t* length) {
  return register_foreign(OSSLOOP_REAL(accept)(fd, address, length));
}
OSSLOOP_EXPORT int accept4(int fd, sockaddr* address, socklen_t* length, int flags) {
  return register_foreign(OSSLOOP_REAL(accept4)(fd, address, length, flags));
}
OSSLOOP_EXPORT int pipe(int pair[2]) noexcept {
  return both_foreign(OSSLOOP_REAL(pipe)(pair), pair, pair + 1);
}
OSSLOOP_EXPORT int pipe2(int pair[2], int flags) noexcept {
  return both_foreign(OSSLOOP_REAL(pipe2)(pair, flags), pair, pair + 1);
}
OSSLOOP_EXPORT int eventfd(unsigned value, int flags) noexcept {
  return register_foreign(OSSLOOP_REAL(eventfd)(value, flags));
}
OSSLOOP_EXPORT int epoll_create(int size) noexcept {
  return register_foreign(OSSLOOP_REAL(epoll_create)(size));
}
OSSLOOP_EXPORT int epoll_create1(int flags) noexcept {
  return register_foreign(OSSLOOP_REAL(epoll_create1)(flags));
}
OSSLOOP_EXPORT int timerfd_create(int clock, int flags) noexcept {
  return register_foreign(OSSLOOP_REAL(timerfd_create)(clock, flags));
}
OSSLOOP_EXPORT int signalfd(int fd, const sigset_t* signals, int flags) noexcept {
  return register_foreign(OSSLOOP_REAL(signalfd)(fd, signals, flags));
}
OSSLOOP_EXPORT int inotify_init() noexcept {
  return register_foreign(OSSLOOP_REAL(inotify_init)());
}
OSSLOOP_EXPORT int inotify_init1(int flags) noexcept {
  return register_foreign(OSSLOOP_REAL(inotify_init1)(flags));
}
OSSLOOP_EXPORT int fanotify_init(unsigned flags, unsigned event_flags) noexcept {
  return register_foreign(OSSLOOP_REAL(fanotify_init)(flags, event_flags));
}
OSSLOOP_EXPORT int memfd_create(const char* name, unsigned flags) noexcept {
  return register_foreign(OSSLOOP_REAL(memfd_create)(name, flags));
}
OSSLOOP_EXPORT int shm_open(const char* name, int flags, mode_t mode) {
  return register_foreign(OSSLOOP_REAL(shm_open)(name, flags, mode));
}
OSSLOOP_EXPORT mqd_t mq_open(const char* name, int flags, ...) noexcept {
  if ((flags & O_CREAT) == 0) return register_foreign(OSSLOOP_REAL(mq_open)(name, flags));
  va_list arguments;
  va_start(arguments, flags);
  const auto mode = va_arg(arguments, mode_t);
  auto* attributes = va_arg(arguments, mq_attr*);
  va_end(arguments);
  return register_foreign(OSSLOOP_REAL(mq_open)(name, flags, mode, attributes));
}

OSSLOOP_EXPORT int mkstemp(char* path) { return register_foreign(OSSLOOP_REAL(mkstemp)(path)); }
OSSLOOP_EXPORT int mkstemp64(char* path) { return register_foreign(OSSLOOP_REAL(mkstemp64)(path)); }
OSSLOOP_EXPORT int mkostemp(char* path, int flags) {
  return register_foreign(OSSLOOP_REAL(mkostemp)(path, flags));
}
OSSLOOP_EXPORT int mkostemp64(char* path, int flags) {
  return register_foreign(OSSLOOP_REAL(mkostemp64)(path, flags));
}
OSSLOOP_EXPORT int mkstemps(char* path, int suffix) {
  return register_foreign(OSSLOOP_REAL(mkstemps)(path, suffix));
}
OSSLOOP_EXPORT int mkstemps64(char* path, int suffix) {
  return register_foreign(OSSLOOP_REAL(mkstemps64)(path, suffix));
}
OSSLOOP_EXPORT int mkostemps(char* path, int suffix, int flags) {
  return register_foreign(OSSLOOP_REAL(mkostemps)(path, suffix, flags));
}
OSSLOOP_EXPORT int mkostemps64(char* path, int suffix, int flags) {
  return register_foreign(OSSLOOP_REAL(mkostemps64)(path, suffix, flags));
}

OSSLOOP_EXPORT int posix_openpt(int flags) {
  return register_foreign(OSSLOOP_REAL(posix_openpt)(flags));
}
OSSLOOP_EXPORT int getpt() { return register_foreign(OSSLOOP_REAL(getpt)()); }
OSSLOOP_EXPORT int openpty(int* master, int* slave, char* name, const termios* settings,
                           const winsize* size) noexcept {
  return both_foreign(OSSLOOP_REAL(openpty)(master, slave, name, settings, size), master, slave);
}
OSSLOOP_EXPORT int open_by_handle_at(int mount, file_handle* handle, int flags) {
  return register_foreign(OSSLOOP_REAL(open_by_handle_at)(mount, handle, flags));
}
OSSLOOP_EXPORT int pidfd_open(pid_t process, unsigned flags) noexcept {
  return register_foreign(OSSLOOP_REAL(pidfd_open)(process, flags));
}

// Another process's descriptor, which may be a device.
OSSLOOP_EXPORT int pidfd_getfd(int process, int fd, unsigned flags) noexcept {
  return reclassify(OSSLOOP_REAL(pidfd_getfd)(process, fd, flags));
}
