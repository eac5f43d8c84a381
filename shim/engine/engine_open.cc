// Names and foreign descriptors become opens.
#include <errno.h>
#include <fcntl.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include <optional>
#include <string>
#include <utility>

#include "base/fd.h"
#include "base/host.h"
#include "base/log.h"
#include "base/signals.h"
#include "device/device_thread.h"
#include "oss/sndstat.h"
#include "shim/engine/dsp_file.h"
#include "shim/engine/engine.h"
#include "shim/engine/mixer_file.h"
#include "shim/engine/sndstat_file.h"
#include "shm/node.h"
#include "stream/format_word.h"
#include "stream/new_segment.h"

namespace ossloop::shim {
namespace {

using base::log;
using base::LogLevel;
using base::sys;
using config::DeviceKind;
using device::Endpoint;

// OSS's own major number, and its minors: 16 per card.
constexpr unsigned kMajor = 14;
constexpr unsigned kMinors = 16;
// An open that waits for its server looks again after so long.
constexpr std::int64_t kServerPauseNs = 20'000'000;

unsigned minor_of(DeviceKind kind, abi::SideIndex side) {
  switch (kind) {
    case DeviceKind::kMixer:
      return 0;
    case DeviceKind::kSndstat:
      return 6;
    default:
      return side == abi::kServer ? 9 : 3;
  }
}

// Is `fd`, opened by a path or come from elsewhere, the node that the folder has?
bool is_node(const shm::Node& node, int fd) {
  struct stat status {};
  if (sys().fstat(fd, &status) != 0) return false;
  bool is = false;
  device::DeviceThread::instance().run([&] { is = node.is(status); });
  return is;
}

}  // namespace

void Engine::WarnOnce::tell(const std::string& why) {
  if (why.empty()) return;
  const std::size_t text = std::hash<std::string>{}(why);
  if (told_.exchange(text) != text) log(LogLevel::kError, "%s", why.c_str());
}

bool Engine::resolve(const config::DeviceName& name, abi::SideIndex& side, int& instance) const {
  side = name.kind == DeviceKind::kServer ? abi::kServer : abi::kClient;
  instance = name.instance;
  if (instance >= 0) return true;
  std::string why;
  const config::DefaultDevice device = config::default_device(runtime_.config, why);
  bad_dsp_.tell(why);
  if (device.off) return false;
  side = device.kind == DeviceKind::kServer ? abi::kServer : abi::kClient;
  instance = device.instance;
  return true;
}

int Engine::open(const config::DeviceName& name, int flags) {
  switch (name.kind) {
    case DeviceKind::kSndstat:
      return open_sndstat(flags);
    case DeviceKind::kMixer:
      return open_mixer(name, flags);
    case DeviceKind::kDirectory:
      return -ENOENT;
    default:
      return open_dsp(name, flags);
  }
}

// How the segment of an instance is made when somebody first needs it.
shm::SegmentInit Engine::init(int instance) const {
  const config::InstancePolicy& policy = runtime_.config.policy[instance];
  return [&policy](abi::Segment& segment) { device::fill_segment(segment, policy); };
}

int Engine::open_mixer(const config::DeviceName& name, int flags) {
  abi::SideIndex side = abi::kClient;
  int instance = 0;
  if (!resolve(name, side, instance)) return -ENOENT;
  if (!instances_.exists(instance)) return name.instance >= 0 ? -ENOENT : -ENXIO;
  int error = 0;
  auto segment = instances_.make_segment(instance, error);
  const auto node = shm::Node::of_mixer(instances_.directory(), instance);
  if (segment != nullptr) device::DeviceThread::instance().run([&] { error = node.make(); });
  device::DeviceThread::instance().stop_if_idle();
  if (segment == nullptr || error != 0) return error;
  base::Fd fd(node.open_as(flags));
  if (!fd) return fd.get();
  if (!is_node(node, fd.get())) return -ENOENT;
  open_files_.add(fd.get(), std::make_unique<MixerFile>(instance, std::move(segment), instances_));
  log(LogLevel::kTrace, "open mix%d -> %d", instance, fd.get());
  return fd.release();
}

int Engine::open_sndstat(int flags) {
  if ((flags & O_ACCMODE) != O_RDONLY) return -EACCES;
  std::string why;
  const config::DefaultDevice device = config::default_device(runtime_.config, why);
  bad_dsp_.tell(why);
  const std::string text =
      oss::sndstat(instances_, device.off ? "" : config::format_default_device(device));
  device::DeviceThread::instance().stop_if_idle();
  base::Fd fd(SndstatFile::make(text, (flags & O_CLOEXEC) != 0));
  if (fd) open_files_.add(fd.get(), std::make_unique<SndstatFile>());
  log(LogLevel::kTrace, "open sndstat -> %d", fd.get());
  return fd ? fd.release() : fd.get();
}

// Once.
int Engine::try_to_open(const device::OpenRequest& request, int& error) {
  int fd = -1;
  auto endpoint = Endpoint::open(request, fd, error);
  if (endpoint == nullptr && error == -EBUSY && open_files_.settle()) {
    endpoint = Endpoint::open(request, fd, error);
  }
  if (endpoint == nullptr) {
    device::DeviceThread::instance().stop_if_idle();
    return -1;
  }
  base::Fd opened(fd);
  open_files_.add(fd, std::make_unique<DspFile>(std::move(endpoint), instances_));
  return opened.release();
}

int Engine::open_dsp(const config::DeviceName& name, int flags) {
  device::OpenRequest request;
  if (!resolve(name, request.side, request.instance)) return -ENOENT;
  if (!instances_.exists(request.instance)) return name.instance >= 0 ? -ENOENT : -ENXIO;
  request.folder = instances_.directory();
  request.access = (flags & O_ACCMODE) == O_RDONLY   ? device::kRead
                   : (flags & O_ACCMODE) == O_WRONLY ? device::kWrite
                                                     : device::kReadWrite;
  request.nonblock = (flags & O_NONBLOCK) != 0;
  request.exclusive = (flags & O_EXCL) != 0;
  request.close_on_exec = (flags & O_CLOEXEC) != 0;
  request.mu_law = name.mu_law;
  request.init = init(request.instance);
  request.configured = runtime_.config.policy[request.instance];

  std::string why;
  const std::int64_t deadline_ns = sys().now_ns() + config::open_wait_ns(why);
  bad_wait_.tell(why);
  for (;;) {
    int error = 0;
    const int fd = try_to_open(request, error);
    const bool no_server = request.side == abi::kClient && (error == -EAGAIN || error == -ENXIO);
    if (fd >= 0 || !no_server || sys().now_ns() >= deadline_ns) {
      const int result = fd >= 0 ? fd : error;
      log(LogLevel::kTrace, "open %s%d -> %d", request.side == abi::kServer ? "server" : "pcm",
          request.instance, result);
      return result;
    }
    // A server announces itself by its open; looking for it costs little.
    if (base::interrupted_in_pause(kServerPauseNs)) return -EINTR;
  }
}

int Engine::stat(const config::DeviceName& name, struct stat& status) const {
  abi::SideIndex side = abi::kClient;
  int instance = 0;
  const bool sndstat = name.kind == DeviceKind::kSndstat;
  if (!sndstat && (!resolve(name, side, instance) || !instances_.exists(instance))) return -ENOENT;
  status = {};
  status.st_mode = S_IFCHR | (sndstat ? 0444 : 0666);
  status.st_nlink = 1;
  status.st_uid = 0;
  status.st_gid = 0;
  status.st_blksize = 4096;
  const unsigned minor = static_cast<unsigned>(instance) * kMinors + minor_of(name.kind, side);
  status.st_rdev = makedev(kMajor, minor);
  status.st_ino = 0x0551000 + static_cast<ino_t>(minor);
  status.st_dev = makedev(0, 6);
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  status.st_atim = status.st_mtim = status.st_ctim = now;
  return 0;
}

bool Engine::adopt_place(int fd, int instance, const shm::Place& place) {
  const bool known = open_files_.add_to(fd, [&](OpenFile& file) {
    Endpoint* const endpoint = file.endpoint();
    return endpoint != nullptr && endpoint->instance() == instance && endpoint->place() == place &&
           Endpoint::holds_claim(fd);
  });
  if (known) return true;
  auto endpoint = Endpoint::adopt(instances_.directory(), instance, place, fd);
  if (endpoint == nullptr) return false;
  open_files_.add(fd, std::make_unique<DspFile>(std::move(endpoint), instances_));
  return true;
}

bool Engine::adopt_mixer(int fd, int instance) {
  const bool ours = is_node(shm::Node::of_mixer(instances_.directory(), instance), fd);
  auto segment = ours ? instances_.segment(instance) : nullptr;
  device::DeviceThread::instance().stop_if_idle();
  if (segment == nullptr) return false;
  open_files_.add(fd, std::make_unique<MixerFile>(instance, std::move(segment), instances_));
  return true;
}

bool Engine::adopt(int fd) {
  if (!base::own_process()) return false;
  struct stat status {};
  if (sys().fstat(fd, &status) < 0) return false;
  if (S_ISREG(status.st_mode)) {
    if (!SndstatFile::is(fd)) return false;
    open_files_.add(fd, std::make_unique<SndstatFile>());
    return true;
  }
  if (!S_ISFIFO(status.st_mode)) return false;
  for (int instance = 0; instance < abi::kMaxInstances; ++instance) {
    struct stat segment {};
    if (instances_.directory().glance(shm::segment_name(instance), segment) != 0) continue;
    // A pipe, as most that come here are.
    if (segment.st_dev != status.st_dev) continue;
    const shm::Node mixer = shm::Node::of_mixer(instances_.directory(), instance);
    if (mixer.resembles(status)) return adopt_mixer(fd, instance);
    std::optional<shm::Place> found;
    shm::each_place([&](const shm::Place& place) {
      if (found) return;
      if (shm::Node(instances_.directory(), instance, place).resembles(status)) found = place;
    });
    if (found) return adopt_place(fd, instance, *found);
  }
  return false;
}

}  // namespace ossloop::shim
