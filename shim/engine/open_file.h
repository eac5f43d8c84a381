// What a descriptor of ours stands for: an audio device, a mixer, sndstat.
//
// Results are values or -errno. `fd` is the descriptor the call came with, one of
// perhaps many of the same open. Any call from any thread.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>

#include "config/device_path.h"

namespace ossloop::device {
class Allowance;
class Endpoint;
struct MapRequest;
}  // namespace ossloop::device

namespace ossloop::shim {

class OpenFile {
 public:
  virtual ~OpenFile() = default;

  // As the program would spell it, for fstat and for people.
  virtual config::DeviceName name() const = 0;
  // The side behind an audio device; nullptr for everything else.
  virtual device::Endpoint* endpoint() { return nullptr; }

  // `progressed`: earlier pieces of the same vector were moved.
  virtual ssize_t read(int fd, std::byte* data, std::size_t bytes, bool progressed) = 0;
  virtual ssize_t write(int fd, const std::byte* data, std::size_t bytes, bool progressed) = 0;
  virtual int ioctl(int fd, unsigned request, void* argument) = 0;
  // Before a wait for `events`: those to ask the kernel for. A byte may stand for room.
  virtual short prepare_poll(int fd, short events) = 0;
  // After it: those that are true now, as far as we know better than the kernel.
  virtual short poll_now(int /*fd*/) { return -1; }
  // Somebody will hear of changes only: EPOLLET, O_ASYNC.
  virtual void want_edges(int /*fd*/) {}

  // mmap at offset 0: the address, and which of its buffers it is, for unmap().
  virtual void* map(int fd, const device::MapRequest& request, int& which, int& error);
  // The program has no map of that buffer any more.
  virtual void unmap(int /*which*/) {}

  // What it may lend to calls that take no lock, and what such a call leaves to do.
  virtual void lend_by(device::Allowance& /*played*/, device::Allowance& /*recorded*/) {}
  virtual void wake_who_waits(bool /*played*/) {}

  // F_GETFL, F_SETFL. Those of the kernel's description, unless it needs others.
  virtual int flags(int fd);
  virtual int set_flags(int fd, int flags);

  // One descriptor of several is closed, in the way given.
  virtual void close_one(const std::function<void()>& close_descriptor) { close_descriptor(); }
  // The last one of this process.
  virtual void leave(int /*fd*/, const std::function<void()>& close_descriptor) {
    close_descriptor();
  }

  // After that: whether all of it is done, and a look whether it is.
  virtual bool settled() const { return true; }
  virtual void settle() {}
  // The process ends: nothing waits for another open of it.
  virtual void stop_lingering() {}

  // Around fork().
  virtual void before_fork() {}
  virtual void after_fork(bool /*child*/) {}
};

}  // namespace ossloop::shim
