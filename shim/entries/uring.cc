// Polls that go through io_uring. The kernel carries them out on the nodes; when
// liburing hands them over we prepare the nodes, as for poll(). (What a program
// submits without liburing we do not see.)
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <time.h>

#include "shim/engine_loader.h"
#include "shim/real.h"

extern "C" {
struct io_uring;
struct io_uring_cqe;
}

namespace {

using namespace ossloop::shim;

// The kernel's struct io_uring_sqe, as far as a poll needs it.
struct Entry {
  uint8_t opcode;
  uint8_t flags;
  uint16_t priority;
  int32_t fd;
  uint64_t unused_a[2];
  uint32_t length;
  uint32_t events;
  uint64_t unused_b[4];
};
static_assert(sizeof(Entry) == 64 && __builtin_offsetof(Entry, events) == 28);

// The beginning of liburing's struct io_uring, the same in all of liburing.so.2.
struct Submissions {
  unsigned* kernel_head;
  unsigned* kernel_tail;
  const unsigned* mask;
  unsigned* unused[4];
  Entry* entries;
  unsigned head, tail;  // of what is about to be submitted
};
static_assert(__builtin_offsetof(Submissions, head) == 64 || sizeof(void*) == 4);

constexpr uint8_t kPollAdd = 6;    // IORING_OP_POLL_ADD
constexpr uint8_t kFixedFile = 1;  // the number is one of registered files
constexpr uint32_t kDirections = POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM | POLLPRI;

io_uring* prepared(io_uring* ring) {
  if (loaded_engine() == nullptr) return ring;
  const auto& submissions = *reinterpret_cast<Submissions*>(ring);
  const unsigned mask = *submissions.mask;
  for (unsigned at = submissions.head; at != submissions.tail; ++at) {
    Entry& entry = submissions.entries[at & mask];
    if (entry.opcode != kPollAdd || (entry.flags & kFixedFile) != 0 || !is_ours(entry.fd)) continue;
    const auto asked = static_cast<short>(entry.events & kDirections);
    const short waited = loaded_engine()->prepare_poll(entry.fd, asked);
    // Where a byte stands for room nobody could tell it from input afterwards.
    if ((waited & ~asked) != 0) continue;
    entry.events &= ~kDirections | static_cast<uint32_t>(static_cast<unsigned short>(waited));
  }
  return ring;
}

}  // namespace

OSSLOOP_EXPORT int io_uring_submit(io_uring* ring) {
  return OSSLOOP_REAL(io_uring_submit)(prepared(ring));
}
OSSLOOP_EXPORT int io_uring_submit_and_wait(io_uring* ring, unsigned count) {
  return OSSLOOP_REAL(io_uring_submit_and_wait)(prepared(ring), count);
}
OSSLOOP_EXPORT int io_uring_submit_and_get_events(io_uring* ring) {
  return OSSLOOP_REAL(io_uring_submit_and_get_events)(prepared(ring));
}
OSSLOOP_EXPORT int io_uring_submit_and_wait_timeout(io_uring* ring, io_uring_cqe** done,
                                                    unsigned count, void* time, sigset_t* signals) {
  return OSSLOOP_REAL(io_uring_submit_and_wait_timeout)(prepared(ring), done, count, time, signals);
}
