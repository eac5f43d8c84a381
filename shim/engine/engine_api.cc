// The border between the preloaded file and the engine: exceptions stop here, and
// wild pointers.
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstring>
#include <new>
#include <string>
#include <type_traits>

#include "base/log.h"
#include "base/scoped_block.h"
#include "base/signals.h"
#include "base/sys.h"
#include "device/device_thread.h"
#include "shim/engine/engine.h"
#include "shim/engine/known_buffers.h"

namespace ossloop::shim {
namespace {

using base::log;
using base::LogLevel;
using base::sys;

template <typename Function>
auto guarded(Function function) -> decltype(function()) {
  try {
    return function();
  } catch (const std::bad_alloc&) {
    return static_cast<decltype(function())>(-ENOMEM);
  }
}

// Asks the open behind a descriptor; `none` where it is none of ours.
template <typename Result, typename Ask>
Result ask_file(int fd, Result none, Ask ask) {
  Call call(engine->open_files(), fd);
  return call ? guarded([&]() -> Result { return ask(call.file()); }) : none;
}

// With no lock, and the program's signals on: as long as an earlier call has lent to this thread
// what it may move (device/allowance.h). False: by the way that always goes.
bool move_lent(device::Allowance& lent, void* data, std::size_t bytes, bool plays) {
  if (!lent.is_own() || base::log_enabled(LogLevel::kTrace)) return false;
  if (!known_usable(data, bytes, !plays)) return false;
  auto* const begin = static_cast<std::byte*>(data);
  return plays ? lent.put(begin, bytes) : lent.get(begin, bytes);
}

// By the open that was moved, whatever stands on the descriptor by now. Who closes it wakes too.
void wake_who_waits(Handle* handle, bool plays) {
  const Call call(*handle);
  if (call) call.file().wake_who_waits(plays);
  (plays ? handle->played : handle->recorded).told();
}

ssize_t read(int fd, void* data, std::size_t bytes, bool progressed) {
  Call call(engine->open_files(), fd);
  if (!call) return -kNoLongerOurs;
  if (!usable(data, bytes, true)) return -EFAULT;
  const ssize_t result = guarded(
      [&] { return call.file().read(fd, static_cast<std::byte*>(data), bytes, progressed); });
  log(LogLevel::kTrace, "read %d, %zu bytes -> %zd", fd, bytes, result);
  return result;
}

ssize_t write(int fd, const void* data, std::size_t bytes, bool progressed) {
  Call call(engine->open_files(), fd);
  if (!call) return -kNoLongerOurs;
  if (!usable(data, bytes, false)) return -EFAULT;
  const ssize_t result = guarded([&] {
    return call.file().write(fd, static_cast<const std::byte*>(data), bytes, progressed);
  });
  log(LogLevel::kTrace, "write %d, %zu bytes -> %zd", fd, bytes, result);
  return result;
}

// FIONBIO, and FIOASYNC, which the kernel's description must know of, too.
int set_flag(int fd, OpenFile& file, int flag, const void* argument) {
  int on = 0;
  if (argument == nullptr || sys().copy_from_user(&on, argument, sizeof on) < 0) return -EFAULT;
  const auto changed = [&](int flags) { return on != 0 ? flags | flag : flags & ~flag; };
  if (flag == O_ASYNC) {
    const int present = sys().fcntl(fd, F_GETFL, 0);
    if (present < 0) return present;
    const int error = sys().fcntl(fd, F_SETFL, changed(present));
    if (error < 0) return error;
  }
  return file.set_flags(fd, changed(file.flags(fd)));
}

int ioctl(int fd, unsigned request, void* argument) {
  const base::ScopedCancelDisable whole;
  Call call(engine->open_files(), fd);
  if (!call) return -kNoLongerOurs;
  switch (request) {
    case FIONBIO:
      return set_flag(fd, call.file(), O_NONBLOCK, argument);
    case FIOASYNC:
      return set_flag(fd, call.file(), O_ASYNC, argument);
    case FIOCLEX:
      return sys().fcntl(fd, F_SETFD, FD_CLOEXEC);
    case FIONCLEX:
      return sys().fcntl(fd, F_SETFD, 0);
    case TCGETS:
      return -ENOTTY;  // "is it a terminal?"
    default:
      return guarded([&] { return call.file().ioctl(fd, request, argument); });
  }
}

short prepare_poll(int fd, short events) {
  const auto possible =
      ask_file(fd, events, [&](OpenFile& file) { return file.prepare_poll(fd, events); });
  return possible < 0 ? events : possible;
}

short poll_now(int fd) {
  const base::ScopedCancelDisable whole;
  return ask_file(fd, short{-1}, [&](OpenFile& file) { return file.poll_now(fd); });
}

void want_edges(int fd) {
  const base::ScopedCancelDisable whole;
  ask_file(fd, 0, [&](OpenFile& file) { return file.want_edges(fd), 0; });
}

void* map(int fd, void* address, std::size_t bytes, int protection, int flags, int* error) {
  const base::ScopedCancelDisable whole;
  Call call(engine->open_files(), fd);
  *error = -EBADF;
  if (!call) return nullptr;
  void* result = nullptr;
  const int thrown = guarded([&] {
    result = engine->open_files().mapped_ranges().add(call.file(), fd,
                                                      {address, bytes, protection, flags}, *error);
    return 0;
  });
  if (thrown != 0) *error = thrown;
  log(LogLevel::kTrace, "mmap %d, %zu bytes, protection %d -> %d", fd, bytes, protection, *error);
  return result;
}

int get_flags(int fd) {
  return ask_file(fd, -EBADF, [&](OpenFile& file) { return file.flags(fd); });
}

int set_flags(int fd, int flags) {
  return ask_file(fd, -EBADF, [&](OpenFile& file) { return file.set_flags(fd, flags); });
}

int fstat(int fd, struct stat* status) {
  return ask_file(fd, -EBADF, [&](OpenFile& file) { return engine->stat(file.name(), *status); });
}

int name_of(int fd, config::DeviceName* name) {
  return ask_file(fd, -EBADF, [&](OpenFile& file) { return *name = file.name(), 0; });
}

template <typename Find>
int path_of(char* path, std::size_t size, Find find) {
  return guarded([&] {
    std::string found;
    const int error = find(found);
    if (error != 0) return error;
    if (found.size() >= size) return -ENAMETOOLONG;
    std::memcpy(path, found.c_str(), found.size() + 1);
    return 0;
  });
}

// As the border has it: the program's signals are held, in a frame that has nothing to
// clean up (base/scoped_block.h).
template <auto function>
struct Held;
template <typename Result, typename... Arguments, Result (*function)(Arguments...)>
struct Held<function> {
  [[gnu::noinline]] static Result within(Arguments... arguments) { return function(arguments...); }
  static Result call(Arguments... arguments) {
    const bool holds = base::hold_program_signals();
    if constexpr (std::is_void_v<Result>) {
      within(arguments...);
      if (holds) base::let_program_signals_in();
    } else {
      const Result result = within(arguments...);
      if (holds) base::let_program_signals_in();
      return result;
    }
  }
};
template <auto function>
constexpr auto kHeld = &Held<+function>::call;

// As kHeld, unless it goes without.
template <bool plays, auto function, typename Data>
ssize_t move(int fd, Data* data, std::size_t bytes, bool progressed) {
  // A handler, or another thread, may put something else on the descriptor meanwhile. A handle's
  // memory stays.
  Handle* const handle = engine->open_files().find(fd);
  device::Allowance* const lent = handle == nullptr ? nullptr
                                  : plays           ? &handle->played
                                                    : &handle->recorded;
  void* const place = const_cast<void*>(static_cast<const void*>(data));
  if (lent == nullptr || !move_lent(*lent, place, bytes, plays))
    return kHeld<function>(fd, data, bytes, progressed);
  if (lent->owes_wake()) kHeld<wake_who_waits>(handle, plays);
  return static_cast<ssize_t>(bytes);
}

}  // namespace

const EngineApi kEngineCalls{
    .version = kEngineVersion,
    .open = kHeld<[](const config::DeviceName* name, int flags) {
      return guarded([&] { return engine->open(*name, flags); });
    }>,
    .stat = kHeld<[](const config::DeviceName* name, struct stat* status) {
      return guarded([&] { return engine->stat(*name, *status); });
    }>,
    .fstat = kHeld<fstat>,
    .name = kHeld<name_of>,
    .folder = kHeld<[](const config::DeviceName* name, char* path, std::size_t size) {
      return path_of(path, size, [&](std::string& found) { return engine->folder(*name, found); });
    }>,
    .node = kHeld<[](const config::DeviceName* name, char* path, std::size_t size) {
      return path_of(path, size, [&](std::string& found) { return engine->node(*name, found); });
    }>,
    .adopt = kHeld<[](int fd) { return 0 < guarded([&] { return engine->adopt(fd) ? 1 : 0; }); }>,
    .read = move<false, read, void>,
    .write = move<true, write, const void>,
    .ioctl = kHeld<ioctl>,
    .prepare_poll = kHeld<prepare_poll>,
    .poll_now = kHeld<poll_now>,
    .want_edges = kHeld<want_edges>,
    .map = kHeld<map>,
    .maps_overlap =
        [](std::uintptr_t begin, std::uintptr_t end) {
          return engine->open_files().mapped_ranges().overlaps(begin, end);
        },
    .unmapped = kHeld<[](std::uintptr_t begin, std::uintptr_t end) {
      guarded([&] { return engine->open_files().mapped_ranges().remove(begin, end), 0; });
    }>,
    .map_moved =
        kHeld<[](std::uintptr_t begin, std::uintptr_t end, std::uintptr_t to, std::size_t bytes) {
          engine->open_files().mapped_ranges().move(begin, end, to, bytes);
        }>,
    .get_flags = kHeld<get_flags>,
    .set_flags = kHeld<set_flags>,
    .duplicated = kHeld<[](int source, int fd) {
      guarded([&] { return engine->open_files().duplicated(source, fd), 0; });
    }>,
    .close = kHeld<[](int fd) { return guarded([&] { return engine->open_files().close(fd); }); }>,
    .replace = kHeld<[](int source, int fd, int flags) {
      return guarded([&] { return engine->open_files().replace(source, fd, flags); });
    }>,
    .lost = kHeld<[](int fd) { guarded([&] { return engine->open_files().lost(fd), 0; }); }>,
    .close_all = kHeld<[] { guarded([] { return engine->open_files().close_all(), 0; }); }>,
    .before_fork = [] { engine->open_files().before_fork(); },
    .after_fork = [](bool child) { engine->open_files().after_fork(child); },
    .has_thread = [] { return device::DeviceThread::instance().has_thread(); },
    .handler_coming = [] { base::has_had_handlers.store(true); },
    .handlers_changed = base::signal_handlers_changed,
    .inspect_handlers =
        [] {
          base::signal_handlers_changed();
          base::signal_handlers();
        },
};

}  // namespace ossloop::shim
