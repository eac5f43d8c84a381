// A bridge at work: the passages, and the sound server that comes and goes.
#pragma once

#include <csignal>
#include <memory>
#include <string>
#include <vector>

#include "bridge/options.h"
#include "bridge/passage.h"
#include "config/runtime.h"

namespace ossloop::bridge {

class Bridge {
 public:
  Bridge(const Options& options, int number);

  // Takes the instance and finds a sound server. False with one line in `why`.
  bool begin(const config::Runtime& runtime, std::string& why);
  // Until `asked_to_stop` is not 0.
  void run(const volatile std::sig_atomic_t& asked_to_stop);

 private:
  bool find_server(std::string& why);
  bool connect(const std::string& kind, std::string& why);
  bool is_feedback() const;
  void start_connecting();
  void mind_server(std::int64_t now_ns);
  void wait(std::int64_t deadline_ns) const;
  void tell(const std::string& line, bool detail) const;

  const Options options_;
  const int number_;
  const WakeEvent event_;
  std::vector<std::unique_ptr<Passage>> passages_;
  std::string kind_;  // of the server: pulse or alsa
  std::unique_ptr<SoundServer> server_;
  bool away_ = false;
  std::int64_t retry_ns_ = 0;
  std::int64_t pause_ns_ = 0;
};

}  // namespace ossloop::bridge
