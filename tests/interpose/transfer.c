// transfer FILE SOURCE: what moves data inside the kernel, to a device and from
// one. A character device without it refuses, and programs fall back.
#include "show.h"

#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>

int main(int count, char **words) {
  (void)count;
  const int fd = (int)SHOW(open(words[1], O_WRONLY));
  const int source = (int)SHOW(open(words[2], O_RDONLY));
  int pipes[2], more[2];
  pipe(pipes);
  pipe(more);
  write(pipes[1], "abcd", 4);
  char text[4] = "efgh";
  struct iovec piece = {text, 4};
  struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};

  SHOW(sendfile(fd, source, NULL, 4));
  SHOW(splice(pipes[0], NULL, fd, NULL, 4, 0));
  SHOW(vmsplice(fd, &piece, 1, 0));
  SHOW(tee(pipes[0], fd, 4, 0));
  SHOW(copy_file_range(source, NULL, fd, NULL, 4, 0));
#ifndef __USE_FILE_OFFSET64
  SHOW(sendfile64(fd, source, NULL, 4));
#endif
  SHOW(send(fd, text, 4, 0));
  SHOW(sendto(fd, text, 4, 0, NULL, 0));
  SHOW(sendmsg(fd, &message, 0));
  SHOW(recv(fd, text, 4, 0));
  SHOW(recvmsg(fd, &message, 0));
  SHOW(shutdown(fd, SHUT_RDWR));
  SHOW(listen(fd, 1));
  // Other descriptors do it as ever.
  pipe(pipes);
  write(pipes[1], "abcd", 4);
  lseek(source, 0, SEEK_SET);
  SHOW(tee(pipes[0], more[1], 4, 0));
  SHOW(splice(pipes[0], NULL, more[1], NULL, 4, 0));
  SHOW(sendfile(more[1], source, NULL, 4));
  SHOW(vmsplice(more[1], &piece, 1, 0));
  return 0;
}
