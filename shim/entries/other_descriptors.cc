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

OSSLOOP_REAL(socket);
OSSLOOP_REAL(socketpair);
OSSLOOP_REAL(accept);
OSSLOOP_REAL(accept4);
OSSLOOP_REAL(pipe);
OSSLOOP_REAL(pipe2);
OSSLOOP_REAL(eventfd);
OSSLOOP_REAL(epoll_create);
OSSLOOP_REAL(epoll_create1);
OSSLOOP_REAL(timerfd_create);
OSSLOOP_REAL(signalfd);
OSSLOOP_REAL(inotify_init);
OSSLOOP_REAL(inotify_init1);
OSSLOOP_REAL(fanotify_init);
OSSLOOP_REAL(memfd_create);
OSSLOOP_REAL(shm_open);
OSSLOOP_REAL(mq_open);
OSSLOOP_REAL(mkstemp);
OSSLOOP_REAL(mkstemp64);
OSSLOOP_REAL(mkostemp);
OSSLOOP_REAL(mkostemp64);
OSSLOOP_REAL(mkstemps);
OSSLOOP_REAL(mkstemps64);
OSSLOOP_REAL(mkostemps);
OSSLOOP_REAL(mkostemps64);
OSSLOOP_REAL(posix_openpt);
OSSLOOP_REAL(getpt);
OSSLOOP_REAL(openpty);
OSSLOOP_REAL(open_by_handle_at);
// <sys/pidfd.h> declares them for C alone.
OSSLOOP_REAL_AS(pidfd_open, int(pid_t, unsigned));
OSSLOOP_REAL_AS(pidfd_getfd, int(int, int, unsigned));

int both_foreign(int result, const int* pair) {
  if (result == 0) {
    register_foreign(pair[0]);
    register_foreign(pair[1]);
  }
  return result;
}

}  // namespace

OSSLOOP_EXPORT int socket(int domain, int type, int protocol) noexcept {
  return register_foreign(real_socket(domain, type, protocol));
}
OSSLOOP_EXPORT int socketpair(int domain, int type, int protocol, int pair[2]) noexcept {
  return both_foreign(real_socketpair(domain, type, protocol, pair), pair);
}
OSSLOOP_EXPORT int accept(int fd, sockaddr* address, socklen_t* length) {
  return register_foreign(real_accept(fd, address, length));
}
OSSLOOP_EXPORT int accept4(int fd, sockaddr* address, socklen_t* length, int flags) {
  return register_foreign(real_accept4(fd, address, length, flags));
}
OSSLOOP_EXPORT int pipe(int pair[2]) noexcept { return both_foreign(real_pipe(pair), pair); }
OSSLOOP_EXPORT int pipe2(int pair[2], int flags) noexcept {
  return both_foreign(real_pipe2(pair, flags), pair);
}
OSSLOOP_EXPORT int eventfd(unsigned value, int flags) noexcept {
  return register_foreign(real_eventfd(value, flags));
}
OSSLOOP_EXPORT int epoll_create(int size) noexcept {
  return register_foreign(real_epoll_create(size));
}
OSSLOOP_EXPORT int epoll_create1(int flags) noexcept {
  return register_foreign(real_epoll_create1(flags));
}
OSSLOOP_EXPORT int timerfd_create(int clock, int flags) noexcept {
  return register_foreign(real_timerfd_create(clock, flags));
}
OSSLOOP_EXPORT int signalfd(int fd, const sigset_t* signals, int flags) noexcept {
  return register_foreign(real_signalfd(fd, signals, flags));
}
OSSLOOP_EXPORT int inotify_init() noexcept { return register_foreign(real_inotify_init()); }
OSSLOOP_EXPORT int inotify_init1(int flags) noexcept {
  return register_foreign(real_inotify_init1(flags));
}
OSSLOOP_EXPORT int fanotify_init(unsigned flags, unsigned event_flags) noexcept {
  return register_foreign(real_fanotify_init(flags, event_flags));
}
OSSLOOP_EXPORT int memfd_create(const char* name, unsigned flags) noexcept {
  return register_foreign(real_memfd_create(name, flags));
}
OSSLOOP_EXPORT int shm_open(const char* name, int flags, mode_t mode) {
  return register_foreign(real_shm_open(name, flags, mode));
}
OSSLOOP_EXPORT mqd_t mq_open(const char* name, int flags, ...) noexcept {
  if ((flags & O_CREAT) == 0) return register_foreign(real_mq_open(name, flags));
  va_list arguments;
  va_start(arguments, flags);
  const auto mode = va_arg(arguments, mode_t);
  auto* attributes = va_arg(arguments, mq_attr*);
  va_end(arguments);
  return register_foreign(real_mq_open(name, flags, mode, attributes));
}

OSSLOOP_EXPORT int mkstemp(char* path) { return register_foreign(real_mkstemp(path)); }
OSSLOOP_EXPORT int mkstemp64(char* path) { return register_foreign(real_mkstemp64(path)); }
OSSLOOP_EXPORT int mkostemp(char* path, int flags) {
  return register_foreign(real_mkostemp(path, flags));
}
OSSLOOP_EXPORT int mkostemp64(char* path, int flags) {
  return register_foreign(real_mkostemp64(path, flags));
}
OSSLOOP_EXPORT int mkstemps(char* path, int suffix) {
  return register_foreign(real_mkstemps(path, suffix));
}
OSSLOOP_EXPORT int mkstemps64(char* path, int suffix) {
  return register_foreign(real_mkstemps64(path, suffix));
}
OSSLOOP_EXPORT int mkostemps(char* path, int suffix, int flags) {
  return register_foreign(real_mkostemps(path, suffix, flags));
}
OSSLOOP_EXPORT int mkostemps64(char* path, int suffix, int flags) {
  return register_foreign(real_mkostemps64(path, suffix, flags));
}

OSSLOOP_EXPORT int posix_openpt(int flags) { return register_foreign(real_posix_openpt(flags)); }
OSSLOOP_EXPORT int getpt() { return register_foreign(real_getpt()); }
OSSLOOP_EXPORT int openpty(int* master, int* slave, char* name, const termios* settings,
                           const winsize* size) noexcept {
  const int result = real_openpty(master, slave, name, settings, size);
  if (result == 0) {
    register_foreign(*master);
    register_foreign(*slave);
  }
  return result;
}
OSSLOOP_EXPORT int open_by_handle_at(int mount, file_handle* handle, int flags) {
  return register_foreign(real_open_by_handle_at(mount, handle, flags));
}
OSSLOOP_EXPORT int pidfd_open(pid_t process, unsigned flags) noexcept {
  return register_foreign(real_pidfd_open(process, flags));
}

// Another process's descriptor, which may be a device.
OSSLOOP_EXPORT int pidfd_getfd(int process, int fd, unsigned flags) noexcept {
  return reclassify(real_pidfd_getfd(process, fd, flags));
}
