// uring DEVICE: records in a loop of polls through io_uring.
#include "sound.h"

#include <liburing.h>
#include <poll.h>

// By each of the calls that hand entries to the kernel in turn.
static void submit(struct io_uring *ring, unsigned round) {
  struct io_uring_cqe *done;
  struct __kernel_timespec second = {1, 0};
  switch (round % 4) {
    case 0: io_uring_submit(ring); break;
    case 1: io_uring_submit_and_wait(ring, 1); break;
    case 2: io_uring_submit_and_get_events(ring); break;
    default: io_uring_submit_and_wait_timeout(ring, &done, 1, &second, NULL);
  }
}

int main(int count, char **words) {
  if (count < 2) return 2;
  struct io_uring ring;
  const int error = io_uring_queue_init(8, &ring, 0);
  if (error != 0) {
    fprintf(stderr, "no io_uring here: %s\n", strerror(-error));
    return 77;
  }
  record_from(words[1]);
  unsigned round = 0;
  while (!recording.ended) {
    struct io_uring_sqe *entry = io_uring_get_sqe(&ring);
    io_uring_prep_poll_add(entry, recording.fd, POLLIN);
    submit(&ring, round++);
    struct io_uring_cqe *done;
    int waited;
    do {
      waited = io_uring_wait_cqe(&ring, &done);
    } while (waited == -EINTR);
    if (waited != 0 || done->res < 0 || (done->res & POLLIN) == 0) {
      fprintf(stderr, "wait %d, result %d\n", waited, waited == 0 ? done->res : 0);
      return 1;
    }
    io_uring_cqe_seen(&ring, done);
    record_some();
  }
  io_uring_queue_exit(&ring);
  return report();
}
