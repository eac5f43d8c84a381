// ossloop-bridge: joins the server side of an instance to a sound server. `ossloopctl bridge`
// starts it, with the library preloaded and $OSSLOOP_DSP set.
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <exception>
#include <iostream>

#include "base/log.h"
#include "bridge/bridge.h"

namespace {

using namespace ossloop;

volatile std::sig_atomic_t asked_to_stop = 0;

int fail(std::string why) {
  base::make_one_line(why.data(), why.size());
  std::cerr << "ossloopctl: " + why + "\n";
  return 1;
}

void let_signals_stop_us() {
  struct sigaction action {};
  action.sa_handler = [](int) { asked_to_stop = 1; };
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) ::sigaction(number, &action, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
}

// Whoever started us goes on when we say so, or when we end.
void tell_ready(int fd) {
  if (fd < 0) return;
  [[maybe_unused]] const ssize_t told = ::write(fd, "\n", 1);
  ::close(fd);
}

int run(int argc, char** argv) {
  bridge::Options options;
  int ready_fd = -1;
  CLI::App app("Joins an instance to a sound server; 'ossloopctl bridge' starts it.",
               "ossloop-bridge");
  app.add_option("--instance", options.instance);
  app.add_option("--to", options.to);
  app.add_option("--device", options.device);
  app.add_option("--latency", options.latency_ms);
  app.add_flag("--in", options.in);
  app.add_flag("--out", options.out);
  app.add_flag("--verbose", options.verbose);
  app.add_option("--ready", ready_fd);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (!base::start_log(::getenv("OSSLOOP_LOG"))) base::start_log("off");
  std::vector<config::Diagnostic> diagnostics;
  const config::Runtime runtime = config::load_runtime(diagnostics);
  if (!diagnostics.empty()) return fail(diagnostics.front().text);
  let_signals_stop_us();
  bridge::Bridge bridge(options, std::atoi(options.instance.c_str()));
  std::string why;
  if (!bridge.begin(runtime, why)) return fail("bridge: " + why);
  tell_ready(ready_fd);
  bridge.run(asked_to_stop);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    return fail(error.what());
  }
}
