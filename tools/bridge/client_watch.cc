#include "bridge/client_watch.h"

#include <signal.h>

namespace ossloop::bridge {

// Signals are for the thread that plays.
ClientWatch::ClientWatch(const control::ServerStream& stream, const WakeEvent& event)
    : stream_(stream), event_(event) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    thread_ = std::thread([this] { watch(); });
  } catch (...) {
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    throw;
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

ClientWatch::~ClientWatch() {
  stopping_.store(true);
  arm();
  stream_.end_wait();
  thread_.join();
}

void ClientWatch::arm() {
  if (armed_.exchange(true)) return;
  armed_.notify_one();
}

void ClientWatch::watch() {
  // Disarmed first, then looked: it is stopped first, then armed.
  while (!stopping_.load()) {
    armed_.wait(false);
    stream_.wait_for_client(stopping_);
    armed_.store(false);
    event_.raise();
  }
}

}  // namespace ossloop::bridge
