// pass FILE: descriptors that arrive by message, or are taken from a process.
#include "show.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

int pidfd_open(pid_t process, unsigned flags);
int pidfd_getfd(int process, int fd, unsigned flags);

union space {
  struct cmsghdr head;
  char bytes[CMSG_SPACE(2 * sizeof(int))];
};

static void prepare(struct msghdr *message, struct iovec *piece, union space *control) {
  memset(message, 0, sizeof *message);
  message->msg_iov = piece;
  message->msg_iovlen = 1;
  message->msg_control = control;
  message->msg_controllen = sizeof *control;
}

static void send_two(int socket, int first, int second) {
  union space control;
  char byte = 'x';
  struct iovec piece = {&byte, 1};
  struct msghdr message;
  memset(&control, 0, sizeof control);
  prepare(&message, &piece, &control);
  struct cmsghdr *part = CMSG_FIRSTHDR(&message);
  part->cmsg_level = SOL_SOCKET;
  part->cmsg_type = SCM_RIGHTS;
  part->cmsg_len = CMSG_LEN(2 * sizeof(int));
  const int pair[2] = {first, second};
  memcpy(CMSG_DATA(part), pair, sizeof pair);
  sendmsg(socket, &message, 0);
}

static void look(const char *what, int fd) {
  struct stat status;
  const int seen = fstat(fd, &status);
  printf("%s: %d is %s, flags %o\n", what, fd,
         seen != 0                   ? "nothing"
         : S_ISCHR(status.st_mode) ? "a device"
                                     : "something else",
         fcntl(fd, F_GETFL));
  fflush(stdout);
}

static void received(struct msghdr *message) {
  int pair[2];
  memcpy(pair, CMSG_DATA(CMSG_FIRSTHDR(message)), sizeof pair);
  look("first", pair[0]);
  look("second", pair[1]);
  close(pair[0]);
  close(pair[1]);
}

int main(int count, char **words) {
  (void)count;
  int sockets[2];
  socketpair(AF_UNIX, SOCK_STREAM, 0, sockets);
  fflush(stdout);
  const pid_t child = fork();
  if (child != 0) {
    const int fd = open(words[1], O_WRONLY | O_NONBLOCK);
    const int zero = open("/dev/zero", O_RDONLY);
    const int other = dup(zero);
    send_two(sockets[1], fd, other);
    send_two(sockets[1], zero, fd);
    close(fd);
    wait(NULL);
    return 0;
  }
  // The first number was something else here, and known to be so.
  close(sockets[1]);
  const int known = open("/dev/zero", O_RDONLY);
  char bytes[4];
  read(known, bytes, 4);
  close(known);
  union space control;
  char byte;
  struct iovec piece = {&byte, 1};
  struct mmsghdr messages[1];
  struct msghdr message;
  prepare(&message, &piece, &control);
  SHOW(recvmsg(sockets[0], &message, 0));
  received(&message);
  memset(messages, 0, sizeof messages);
  prepare(&messages[0].msg_hdr, &piece, &control);
  SHOW(recvmmsg(sockets[0], messages, 1, 0, NULL));
  received(&messages[0].msg_hdr);

  const int own = open(words[1], O_WRONLY);
  const int process = pidfd_open(getpid(), 0);
  const int taken = pidfd_getfd(process, own, 0);
  if (taken >= 0) look("taken", taken);
  printf("%s\n", taken >= 0 ? "taken" : strerrorname_np(errno));
  return 0;
}
