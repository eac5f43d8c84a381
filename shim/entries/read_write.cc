// Bytes through a descriptor, and ioctl.
#include <limits.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "shim/engine_loader.h"
#include "shim/real.h"

namespace {

using namespace ossloop::shim;

// By the engine where the descriptor is ours, also when that is known only there.
template <auto& kReal, typename Ours, typename... Arguments>
[[gnu::noinline]] auto dispatch_carefully(Ours ours, int fd, Arguments... arguments)
    -> decltype(kReal(fd, arguments...)) {
  constexpr int kMostAttempts = 1000;
  for (int attempt = 0; attempt < kMostAttempts; ++attempt) {
    if (!is_ours(fd)) {
      // A node says so where one of ours came between the look and the call.
      const auto result = kReal(fd, arguments...);
      if (result >= 0 || errno != EAGAIN || descriptors.foreign(fd) || !is_ours(fd)) return result;
    }
    const auto result = ours(*loaded_engine(), fd, arguments...);
    if (result != -kNoLongerOurs)
      return static_cast<decltype(kReal(fd, arguments...))>(to_libc(result));
  }
  return kReal(fd, arguments...);
}

// Nearly every call of a program is none of ours. `ours` holds nothing, so that on its way no
// argument has to lie in memory.
template <auto& kReal, typename Ours, typename... Arguments>
auto dispatch(Ours ours, int fd, Arguments... arguments) -> decltype(kReal(fd, arguments...)) {
  auto* const real = kReal.found();
  if (real != nullptr && descriptors.foreign(fd)) {
    const auto result = real(fd, arguments...);
    if (result >= 0 || errno != EAGAIN || descriptors.foreign(fd)) return result;
  }
  return dispatch_carefully<kReal>(ours, fd, arguments...);
}

// Piece by piece, as long as each is moved whole.
template <typename Move>
ssize_t move_vector(const iovec* pieces, int count, Move move) {
  if (count < 0 || count > IOV_MAX) return -EINVAL;
  if (count > 0 && !readable(pieces, static_cast<size_t>(count) * sizeof *pieces)) return -EFAULT;
  ssize_t total = 0;
  for (int i = 0; i < count; ++i) {
    if (pieces[i].iov_len == 0) continue;
    const ssize_t moved = move(pieces[i], total > 0);
    if (moved < 0) return total > 0 ? total : moved;
    total += moved;
    if (static_cast<size_t>(moved) < pieces[i].iov_len) break;
  }
  return total;
}

}  // namespace

OSSLOOP_EXPORT ssize_t read(int fd, void* data, size_t bytes) {
  const auto ours = [](const EngineApi& engine, auto... asked) {
    return engine.read(asked..., false);
  };
  return dispatch<OSSLOOP_REAL(read)>(ours, fd, data, bytes);
}

OSSLOOP_EXPORT ssize_t __read_chk(int fd, void* data, size_t bytes, size_t size) {
  if (bytes > size) return OSSLOOP_REAL(__read_chk)(fd, data, bytes, size);
  return read(fd, data, bytes);
}

OSSLOOP_EXPORT ssize_t write(int fd, const void* data, size_t bytes) {
  const auto ours = [](const EngineApi& engine, auto... asked) {
    return engine.write(asked..., false);
  };
  return dispatch<OSSLOOP_REAL(write)>(ours, fd, data, bytes);
}

OSSLOOP_EXPORT ssize_t readv(int fd, const iovec* pieces, int count) {
  const auto ours = [](const EngineApi& engine, int device, const iovec* all, int number) {
    return move_vector(all, number, [&](const iovec& piece, bool progressed) {
      return engine.read(device, piece.iov_base, piece.iov_len, progressed);
    });
  };
  return dispatch<OSSLOOP_REAL(readv)>(ours, fd, pieces, count);
}

OSSLOOP_EXPORT ssize_t writev(int fd, const iovec* pieces, int count) {
  const auto ours = [](const EngineApi& engine, int device, const iovec* all, int number) {
    return move_vector(all, number, [&](const iovec& piece, bool progressed) {
      return engine.write(device, piece.iov_base, piece.iov_len, progressed);
    });
  };
  return dispatch<OSSLOOP_REAL(writev)>(ours, fd, pieces, count);
}

// glibc declares the request unsigned long, callers often pass a negative int;
// the kernel looks at the low 32 bits only, and so do we.
OSSLOOP_EXPORT int ioctl(int fd, unsigned long request, ...) noexcept {
  va_list arguments;
  va_start(arguments, request);
  void* argument = va_arg(arguments, void*);
  va_end(arguments);
  // Signals for readiness are between the kernel and the node.
  if (static_cast<unsigned>(request) == FIOASYNC) return OSSLOOP_REAL(ioctl)(fd, request, argument);
  const auto ours = [](const EngineApi& engine, int device, unsigned long asked, void* with) {
    return engine.ioctl(device, static_cast<unsigned>(asked), with);
  };
  return dispatch<OSSLOOP_REAL(ioctl)>(ours, fd, request, argument);
}
