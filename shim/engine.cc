// The engine: everything behind the preloaded file, as one shared object that is
// loaded when a device is first opened.
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <mutex>
#include <new>
#include <utility>

#include "base/log.h"
#include "base/shelter.h"
#include "base/signals.h"
#include "config/runtime.h"
#include "device/endpoint.h"
#include "device/loop_format.h"
#include "device/ring_size.h"
#include "oss/machine.h"
#include "oss/request_table.h"
#include "oss/sndstat.h"
#include "shim/engine_api.h"
#include "shm/folder.h"

namespace ossloop::shim {

// One open in this process. A handle's memory is never given back, so that a
// thread that read its address from the table may always count itself in.
struct Handle {
  std::atomic<std::uint32_t> calls{0};        // in progress
  std::atomic<std::uint32_t> descriptors{0};  // in the table
  bool locked_for_fork = false;
  std::unique_ptr<device::Endpoint> endpoint;
};

namespace {

using base::log;
using base::LogLevel;
using base::sys;
using device::Endpoint;

// OSS's own major number.
constexpr unsigned kMajor = 14;

class Engine {
 public:
  explicit Engine(DescriptorTable& table);

  int open(const config::DeviceName& name, int flags);
  int stat(const config::DeviceName& name, struct stat& status);
  bool adopt(int fd);
  int close(int fd);
  int replace(int source, int fd, int flags);
  void duplicated(int source, int fd);

  DescriptorTable& table() { return table_; }
  const oss::Machine& machine() const { return machine_; }
  bool own_process() const { return process_.load() == ::getpid(); }
  bool holds(int fd, const Endpoint* endpoint) const;

  void before_fork();
  void after_fork(bool child);
  void close_all();

 private:
  int open_sndstat(int flags);
  bool resolve(const config::DeviceName& name, abi::SideIndex& side, int& instance) const;
  Handle* take_handle(std::unique_ptr<Endpoint> endpoint);
  void drop_handle(Handle* handle);
  int leave(int fd, const std::function<int()>& close_descriptor);

  DescriptorTable& table_;
  config::Runtime runtime_;
  oss::Machine machine_;
  std::atomic<pid_t> process_;
  std::mutex handles_mutex_;
  std::deque<Handle> handles_;
};

Engine* engine = nullptr;

// A call in progress on an open: keeps it alive.
class Call {
 public:
  explicit Call(int fd) {
    for (;;) {
      handle_ = engine->table().handle(fd);
      if (handle_ == nullptr) return;
      handle_->calls.fetch_add(1);
      const bool still = engine->table().handle(fd) == handle_;
      if (still && handle_->endpoint != nullptr) return;
      handle_->calls.fetch_sub(1);
      handle_ = nullptr;
      if (still) return;
    }
  }
  ~Call() {
    if (handle_ != nullptr) handle_->calls.fetch_sub(1);
  }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  explicit operator bool() const { return handle_ != nullptr; }
  Endpoint& endpoint() const { return *handle_->endpoint; }
  Handle* handle() const { return handle_; }

 private:
  Handle* handle_ = nullptr;
};

config::Runtime start_runtime() {
  base::start_log(::getenv("OSSLOOP_LOG"));
  std::vector<config::Diagnostic> diagnostics;
  config::Runtime runtime;
  device::Timer::instance().run([&] { runtime = config::load_runtime(diagnostics); });
  for (const auto& diagnostic : diagnostics) log(LogLevel::kError, "%s", diagnostic.text.c_str());
  return runtime;
}

Engine::Engine(DescriptorTable& table)
    : table_(table),
      runtime_(start_runtime()),
      machine_(runtime_.folder, runtime_.config.instances),
      process_(::getpid()) {
  device::Timer::instance().rest();
}

bool Engine::holds(int fd, const Endpoint* endpoint) const {
  const Handle* handle = table_.handle(fd);
  return handle != nullptr && handle->endpoint.get() == endpoint;
}

bool Engine::resolve(const config::DeviceName& name, abi::SideIndex& side, int& instance) const {
  side = name.kind == config::DeviceKind::kServer ? abi::kServer : abi::kClient;
  instance = name.instance;
  if (instance >= 0) return true;
  std::string why;
  const config::DefaultDevice device = config::default_device(runtime_.config, why);
  if (!why.empty()) log(LogLevel::kError, "%s", why.c_str());
  if (device.off) return false;
  side = device.kind == config::DeviceKind::kServer ? abi::kServer : abi::kClient;
  instance = device.instance;
  return true;
}

Handle* Engine::take_handle(std::unique_ptr<Endpoint> endpoint) {
  const base::SignalsHeld signals;
  std::lock_guard lock(handles_mutex_);
  Handle* free = nullptr;
  for (Handle& handle : handles_) {
    if (handle.descriptors.load() != 0 || handle.calls.load() != 0) continue;
    handle.endpoint.reset();
    if (free == nullptr) free = &handle;
  }
  if (free == nullptr) free = &handles_.emplace_back();
  free->endpoint = std::move(endpoint);
  free->descriptors.store(1);  // taken, before anybody else looks for a free one
  return free;
}

void Engine::drop_handle(Handle* handle) {
  const base::SignalsHeld signals;
  std::lock_guard lock(handles_mutex_);
  // Somebody still inside (a blocked call that is on its way out) leaves it to
  // the next open.
  if (handle->calls.load() == 1 && handle->descriptors.load() == 0) handle->endpoint.reset();
}

// The text as it is now, as a file: every way of reading works on it.
int Engine::open_sndstat(int flags) {
  if ((flags & O_ACCMODE) != O_RDONLY) return -EACCES;
  const std::string text = oss::sndstat(machine_);
  device::Timer::instance().rest();
  const int fd = sys().memory_file("sndstat", (flags & O_CLOEXEC) != 0);
  if (fd < 0) return fd;
  sys().write(fd, text.data(), text.size());
  sys().fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
  ::lseek(fd, 0, SEEK_SET);
  return fd;
}

int Engine::open(const config::DeviceName& name, int flags) {
  if (name.kind == config::DeviceKind::kSndstat) return open_sndstat(flags);
  if (name.kind == config::DeviceKind::kMixer) return -ENOENT;
  device::OpenRequest request;
  if (!resolve(name, request.side, request.instance)) return -ENOENT;
  if (!machine_.exists(request.instance)) return name.instance >= 0 ? -ENOENT : -ENXIO;
  const config::InstancePolicy policy = runtime_.config.policy[request.instance];
  request.folder = runtime_.folder;
  request.mode = runtime_.config.mode;
  request.access = (flags & O_ACCMODE) == O_RDONLY   ? device::kRead
                   : (flags & O_ACCMODE) == O_WRONLY ? device::kWrite
                                                     : device::kReadWrite;
  request.nonblock = (flags & O_NONBLOCK) != 0;
  request.exclusive = (flags & O_EXCL) != 0;
  request.close_on_exec = (flags & O_CLOEXEC) != 0;
  request.mu_law = name.mu_law;
  request.birth.mode = runtime_.config.mode;
  request.birth.ring_bytes = device::ring_bytes(device::kServerDefault, policy.buffer_ms);
  request.birth.fill = [&](abi::Segment& segment) {
    config::store_policy(policy, segment.policy);
    segment.loop.word.store(device::pack(device::kServerDefault, 0, 0));
  };

  std::string why;
  const std::int64_t deadline_ns = sys().now_ns() + config::open_wait_ns(why);
  if (!why.empty()) log(LogLevel::kError, "%s", why.c_str());
  for (;;) {
    int fd = -1;
    int error = 0;
    auto endpoint = Endpoint::open(request, fd, error);
    if (endpoint != nullptr) {
      table_.set(fd, take_handle(std::move(endpoint)));
      log(LogLevel::kTrace, "open %s%d -> %d", request.side == abi::kServer ? "server" : "pcm",
          request.instance, fd);
      return fd;
    }
    device::Timer::instance().rest();
    const bool no_server = request.side == abi::kClient && (error == -EAGAIN || error == -ENXIO);
    if (!no_server || sys().now_ns() >= deadline_ns) return error;
    // A server announces itself by its open; looking for it costs little.
    timespec pause{0, 20'000'000};
    if (::nanosleep(&pause, nullptr) != 0) return -EINTR;
  }
}

int Engine::stat(const config::DeviceName& name, struct stat& status) {
  abi::SideIndex side = abi::kClient;
  int instance = 0;
  if (name.kind == config::DeviceKind::kMixer) return -ENOENT;
  const bool sndstat = name.kind == config::DeviceKind::kSndstat;
  if (!sndstat && (!resolve(name, side, instance) || !machine_.exists(instance))) return -ENOENT;
  status = {};
  status.st_mode = S_IFCHR | 0666;
  status.st_nlink = 1;
  status.st_uid = ::geteuid();
  status.st_gid = ::getegid();
  status.st_blksize = 4096;
  // Minor numbers as OSS 3 had them: 16 per card, dsp is 3.
  const unsigned kind = sndstat ? 6 : side == abi::kServer ? 9 : 3;
  if (sndstat) status.st_mode = S_IFCHR | 0444;
  status.st_rdev = makedev(kMajor, static_cast<unsigned>(instance) * 16 + kind);
  status.st_ino = 0x0551000 + static_cast<ino_t>(instance) * 16 + kind;
  status.st_dev = makedev(0, 6);
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  status.st_atim = status.st_mtim = status.st_ctim = now;
  return 0;
}

bool Engine::adopt(int fd) {
  struct stat status {};
  if (sys().fstat(fd, &status) < 0) return false;
  for (int instance = 0; instance < abi::kMaxInstances; ++instance) {
    for (const abi::SideIndex side : {abi::kServer, abi::kClient}) {
      struct stat node {};
      const shm::Node place(runtime_.folder, instance, side);
      if (sys().fstatat(AT_FDCWD, place.path().c_str(), &node, AT_SYMLINK_NOFOLLOW) < 0) continue;
      if (node.st_dev != status.st_dev || node.st_ino != status.st_ino) continue;
      const base::SignalsHeld signals;
      std::unique_lock lock(handles_mutex_);
      for (Handle& handle : handles_) {
        Endpoint* known = handle.endpoint.get();
        if (handle.descriptors.load() == 0 || known == nullptr || known->instance() != instance ||
            known->side_index() != side || shm::Node::claim(fd) != 0) {
          continue;
        }
        handle.descriptors.fetch_add(1);
        table_.set(fd, &handle);
        return true;
      }
      lock.unlock();
      auto endpoint = Endpoint::adopt(runtime_.folder, instance, side, fd);
      if (endpoint == nullptr) return false;
      table_.set(fd, take_handle(std::move(endpoint)));
      return true;
    }
  }
  return false;
}

// Takes `fd` out of the table and closes it in the way given; with the last
// descriptor the open is left.
int Engine::leave(int fd, const std::function<int()>& close_descriptor) {
  const base::NotCancelled whole;
  // In a child of vfork() the table is the parent's: only the kernel's changes.
  if (!own_process()) return close_descriptor();
  int result = 0;
  Handle* handle = nullptr;
  {
    Call call(fd);
    if (!call) return close_descriptor();
    handle = call.handle();
    table_.forget(fd);
    if (handle->descriptors.fetch_sub(1) > 1) {
      call.endpoint().close_one([&] { result = close_descriptor(); });
      return result;
    }
    call.endpoint().leave(fd, [&] { result = close_descriptor(); });
    drop_handle(handle);
  }
  return result;
}

int Engine::close(int fd) {
  return leave(fd, [fd] { return sys().close(fd); });
}

int Engine::replace(int source, int fd, int flags) {
  auto duplicate = [&] { return sys().dup3(source, fd, flags); };
  if (source == fd) return duplicate();
  Handle* wanted = table_.handle(source);
  Handle* present = table_.handle(fd);
  if (!own_process() || (present != nullptr && present == wanted)) return duplicate();
  const int result = present != nullptr ? leave(fd, duplicate) : duplicate();
  if (result < 0) return result;
  if (wanted != nullptr) {
    duplicated(source, fd);
  } else {
    table_.forget(fd);
  }
  return result;
}

void Engine::duplicated(int source, int fd) {
  if (!own_process()) return;
  Call call(source);
  if (!call) return;
  call.handle()->descriptors.fetch_add(1);
  table_.set(fd, call.handle());
}

void Engine::before_fork() {
  handles_mutex_.lock();
  for (Handle& handle : handles_) {
    if (handle.endpoint == nullptr || handle.descriptors.load() == 0) continue;
    handle.endpoint->before_fork();
    handle.locked_for_fork = true;
  }
  device::Timer::instance().before_fork();
}

void Engine::after_fork(bool child) {
  if (child) {
    process_.store(::getpid());
    device::Timer::instance().after_fork_in_child();
  } else {
    device::Timer::instance().after_fork_in_parent();
  }
  for (Handle& handle : handles_) {
    if (std::exchange(handle.locked_for_fork, false)) handle.endpoint->after_fork(child);
    if (child) handle.calls.store(0);
  }
  handles_mutex_.unlock();
}

// At exit: what the program left open is closed as it would have been.
void Engine::close_all() {
  if (!own_process()) return;
  bool any = false;
  {
    const base::SignalsHeld signals;
    std::lock_guard lock(handles_mutex_);
    for (Handle& handle : handles_) any = any || handle.descriptors.load() != 0;
  }
  for (int fd = 0; any && fd < DescriptorTable::kSize; ++fd) {
    if (table_.ours(fd)) close(fd);
  }
}

// --- the border: exceptions stop here ----------------------------------------

template <typename Function>
auto guarded(Function function) -> decltype(function()) {
  try {
    return function();
  } catch (const std::bad_alloc&) {
    return static_cast<decltype(function())>(-ENOMEM);
  }
}

// The kernel would answer EFAULT to a wild buffer; we would die of it. So each
// buffer is tried out when a thread first comes with it, a byte a page. Programs
// come with the same few again and again.
bool usable(const void* data, std::size_t bytes, bool writing_to_it) {
  struct Range {
    std::uintptr_t begin = 0, end = 0;
    bool writable = false;
  };
  thread_local Range known[4];
  thread_local unsigned oldest = 0;
  constexpr std::uintptr_t kPage = 4096;
  const auto begin = reinterpret_cast<std::uintptr_t>(data);
  const std::uintptr_t end = begin + bytes;
  if (bytes == 0) return true;
  if (end < begin) return false;
  for (const Range& range : known) {
    if (begin >= range.begin && end <= range.end && (range.writable || !writing_to_it)) return true;
  }
  for (std::uintptr_t at = begin; at < end; at = (at / kPage + 1) * kPage) {
    char byte;
    auto* place = reinterpret_cast<char*>(at);
    if (sys().copy_from_user(&byte, place, 1) < 0) return false;
    if (writing_to_it && sys().copy_to_user(place, &byte, 1) < 0) return false;
  }
  known[oldest++ % 4] = {begin / kPage * kPage, (end + kPage - 1) / kPage * kPage, writing_to_it};
  return true;
}

ssize_t engine_read(int fd, void* data, std::size_t bytes, bool progressed) {
  Call call(fd);
  if (!call) return -EBADF;
  if (!usable(data, bytes, true)) return -EFAULT;
  const ssize_t result = guarded([&] {
    return call.endpoint().read(fd, static_cast<std::byte*>(data), bytes, progressed);
  });
  log(LogLevel::kTrace, "read %d, %zu bytes -> %zd", fd, bytes, result);
  return result;
}

ssize_t engine_write(int fd, const void* data, std::size_t bytes, bool progressed) {
  Call call(fd);
  if (!call) return -EBADF;
  if (!usable(data, bytes, false)) return -EFAULT;
  const ssize_t result = guarded([&] {
    return call.endpoint().write(fd, static_cast<const std::byte*>(data), bytes, progressed);
  });
  log(LogLevel::kTrace, "write %d, %zu bytes -> %zd", fd, bytes, result);
  return result;
}

int set_nonblock(Endpoint& endpoint, const void* argument) {
  int on = 0;
  if (argument == nullptr || sys().copy_from_user(&on, argument, sizeof on) < 0) return -EFAULT;
  endpoint.set_nonblock(on != 0);
  return 0;
}

int engine_ioctl(int fd, unsigned request, void* argument) {
  const base::NotCancelled whole;
  Call call(fd);
  if (!call) return -EBADF;
  switch (request) {
    case FIONBIO: return set_nonblock(call.endpoint(), argument);
    case FIOCLEX: return sys().fcntl(fd, F_SETFD, FD_CLOEXEC);
    case FIONCLEX: return sys().fcntl(fd, F_SETFD, 0);
    case TCGETS: return -ENOTTY;  // "is it a terminal?"
    default: break;
  }
  return guarded([&] {
    oss::Dsp dsp(call.endpoint(), fd, engine->machine());
    return oss::serve(dsp, request, argument);
  });
}

short engine_prepare_poll(int fd, short events) {
  Call call(fd);
  if (!call) return events;
  return guarded([&] { return call.endpoint().prepare_poll(fd, events); });
}

int engine_get_flags(int fd) {
  Call call(fd);
  if (!call) return -EBADF;
  const std::uint32_t access = call.endpoint().access();
  return (access == device::kReadWrite ? O_RDWR : access == device::kWrite ? O_WRONLY : O_RDONLY) |
         (call.endpoint().nonblock() ? O_NONBLOCK : 0);
}

int engine_set_flags(int fd, int flags) {
  Call call(fd);
  if (!call) return -EBADF;
  call.endpoint().set_nonblock((flags & O_NONBLOCK) != 0);
  return 0;
}

int engine_fstat(int fd, struct stat* status) {
  Call call(fd);
  if (!call) return -EBADF;
  config::DeviceName name;
  name.kind = call.endpoint().side_index() == abi::kServer ? config::DeviceKind::kServer
                                                           : config::DeviceKind::kClient;
  name.instance = call.endpoint().instance();
  return engine->stat(name, *status);
}

constexpr EngineApi kApi{
    kEngineVersion,
    [](const config::DeviceName* name, int flags) {
      return guarded([&] { return engine->open(*name, flags); });
    },
    [](const config::DeviceName* name, struct stat* status) {
      return guarded([&] { return engine->stat(*name, *status); });
    },
    engine_fstat,
    [](int fd) { return guarded([&] { return engine->adopt(fd); }); },
    engine_read,
    engine_write,
    engine_ioctl,
    engine_prepare_poll,
    engine_get_flags,
    engine_set_flags,
    [](int source, int fd) { engine->duplicated(source, fd); },
    [](int fd) { return engine->close(fd); },
    [](int source, int fd, int flags) { return engine->replace(source, fd, flags); },
    [] { return engine->own_process(); },
    base::signal_handlers_changed,
};

}  // namespace
}  // namespace ossloop::shim

extern "C" __attribute__((visibility("default"))) const ossloop::shim::EngineApi* ossloop_engine(
    ossloop::shim::DescriptorTable* table) {
  using namespace ossloop::shim;
  try {
    // Never destroyed: the program's other threads run until the very end.
    engine = new Engine(*table);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
  ossloop::device::Endpoint::set_holder(
      [](int fd, const ossloop::device::Endpoint* endpoint) { return engine->holds(fd, endpoint); });
  ::pthread_atfork([] { engine->before_fork(); }, [] { engine->after_fork(false); },
                   [] { engine->after_fork(true); });
  return &kApi;
}

__attribute__((destructor)) static void ossloop_engine_exit() {
  if (ossloop::shim::engine != nullptr) ossloop::shim::engine->close_all();
}
