// A thread that sleeps until a client begins, so that an idle bridge need not look for one.
#pragma once

#include <atomic>
#include <thread>

#include "bridge/wake_event.h"
#include "control/server_stream.h"

namespace ossloop::bridge {

class ClientWatch {
 public:
  // Both must outlive it. `event` is raised when a client waits. Throws std::system_error where
  // the system has no thread.
  ClientWatch(const control::ServerStream& stream, const WakeEvent& event);
  ~ClientWatch();
  ClientWatch(const ClientWatch&) = delete;
  ClientWatch& operator=(const ClientWatch&) = delete;

  // From now on the next client is told of, once.
  void arm();
  // Was one told of since it was armed?
  bool told() const { return !armed_.load(std::memory_order_acquire); }

 private:
  void watch();

  const control::ServerStream& stream_;
  const WakeEvent& event_;
  std::atomic<bool> armed_{false};
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace ossloop::bridge
