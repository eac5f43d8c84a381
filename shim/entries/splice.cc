// Calls that move data between descriptors inside the kernel, where our devices
// are only nodes: refused as a character device without splice refuses them, so
// that programs fall back to read and write. And descriptors that come by
// message.
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "shim/engine_loader.h"
#include "shim/real.h"

namespace {

using namespace ossloop::shim;

void look_at_descriptors(msghdr* message) {
  if (message->msg_control == nullptr || message->msg_controllen == 0) return;
  for (cmsghdr* part = CMSG_FIRSTHDR(message); part != nullptr; part = CMSG_NXTHDR(message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const auto* numbers = reinterpret_cast<const int*>(CMSG_DATA(part));
    const size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; ++i) reclassify(numbers[i]);
  }
}

}  // namespace

OSSLOOP_EXPORT ssize_t sendfile(int out, int in, off_t* offset, size_t bytes) noexcept {
  if (is_ours(out) || is_ours(in)) return to_libc<ssize_t>(-EINVAL);
  return OSSLOOP_REAL(sendfile)(out, in, offset, bytes);
}
OSSLOOP_EXPORT ssize_t sendfile64(int out, int in, off64_t* offset, size_t bytes) noexcept {
  if (is_ours(out) || is_ours(in)) return to_libc<ssize_t>(-EINVAL);
  return OSSLOOP_REAL(sendfile64)(out, in, offset, bytes);
}
OSSLOOP_EXPORT ssize_t splice(int in, off64_t* in_offset, int out, off64_t* out_offset,
                              size_t bytes, unsigned flags) {
  if (is_ours(out) || is_ours(in)) return to_libc<ssize_t>(-EINVAL);
  return OSSLOOP_REAL(splice)(in, in_offset, out, out_offset, bytes, flags);
}
OSSLOOP_EXPORT ssize_t vmsplice(int fd, const iovec* pieces, size_t count, unsigned flags) {
  if (is_ours(fd)) return to_libc<ssize_t>(-EBADF);
  return OSSLOOP_REAL(vmsplice)(fd, pieces, count, flags);
}
OSSLOOP_EXPORT ssize_t tee(int in, int out, size_t bytes, unsigned flags) {
  if (is_ours(out) || is_ours(in)) return to_libc<ssize_t>(-EINVAL);
  return OSSLOOP_REAL(tee)(in, out, bytes, flags);
}
OSSLOOP_EXPORT ssize_t copy_file_range(int in, off64_t* in_offset, int out, off64_t* out_offset,
                                       size_t bytes, unsigned flags) {
  if (is_ours(out) || is_ours(in)) return to_libc<ssize_t>(-EINVAL);
  return OSSLOOP_REAL(copy_file_range)(in, in_offset, out, out_offset, bytes, flags);
}
OSSLOOP_EXPORT ssize_t recvmsg(int fd, msghdr* message, int flags) {
  const ssize_t result = OSSLOOP_REAL(recvmsg)(fd, message, flags);
  if (result >= 0) look_at_descriptors(message);
  return result;
}
OSSLOOP_EXPORT int recvmmsg(int fd, mmsghdr* messages, unsigned count, int flags,
                            timespec* timeout) {
  const int received = OSSLOOP_REAL(recvmmsg)(fd, messages, count, flags, timeout);
  for (int i = 0; i < received; ++i) look_at_descriptors(&messages[i].msg_hdr);
  return received;
}
