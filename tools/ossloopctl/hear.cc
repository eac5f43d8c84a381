#include "ossloopctl/hear.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <utility>

#include "base/error_text.h"
#include "base/fd.h"
#include "ossloopctl/bridge_program.h"
#include "ossloopctl/command.h"

namespace ossloop::ctl {
namespace {

constexpr int kSignalStatus = 128;
constexpr int kDestroyTries = 20;
constexpr long kPauseNs = 50'000'000;

volatile pid_t program = 0;

int wait_for(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFSIGNALED(status) ? kSignalStatus + WTERMSIG(status) : WEXITSTATUS(status);
}

// A terminal's signals reach the program by themselves, others by us.
void leave_signals_to_program() {
  ::signal(SIGINT, SIG_IGN);
  ::signal(SIGQUIT, SIG_IGN);
  struct sigaction action {};
  action.sa_handler = [](int number) {
    if (program > 0) ::kill(program, number);
  };
  for (const int number : {SIGTERM, SIGHUP}) ::sigaction(number, &action, nullptr);
}

// In the child: it ends with us, and not by the keys of a terminal.
void be_bridge(const config::Runtime& runtime, bool speaks, int number, int ready_fd) {
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  ::setpgid(0, 0);
  bridge::Options options;
  options.out = true;
  options.in = speaks;
  std::string why;
  become_bridge(runtime, options, number, ready_fd, why);
  failed("run: " + why);
}

// -1: there is none, and it is told why.
pid_t start_bridge(const config::Runtime& runtime, bool speaks, int number) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    failed(std::string("run: ") + base::error_text(errno));
    return -1;
  }
  const base::Fd ready(ends[0]);
  base::Fd told(ends[1]);
  const pid_t child = ::fork();
  if (child == 0) {
    ::fcntl(told.get(), F_SETFD, 0);
    be_bridge(runtime, speaks, number, told.get());
    ::_exit(kFailed);
  }
  told = {};
  if (child < 0) {
    failed(std::string("run: ") + base::error_text(errno));
    return -1;
  }
  char line = 0;
  ssize_t got;
  while ((got = ::read(ready.get(), &line, 1)) < 0 && errno == EINTR) {
  }
  if (got == 1) return child;
  wait_for(child);
  return -1;
}

int run_program(const std::function<int(const std::string& device)>& start,
                const std::string& device) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(start(device));
  if (child < 0) return failed(std::string("run: ") + base::error_text(errno));
  program = child;
  leave_signals_to_program();
  const int status = wait_for(child);
  program = 0;
  return status;
}

// What the program has left running may use it still: then it stays, and that is told.
void remove_instance(const config::Runtime& runtime, int number) {
  std::string why;
  for (int n = 0; control::destroy(runtime, number, why) == -EBUSY; ++n) {
    if (n == kDestroyTries) {
      failed("run: " + why);
      return;
    }
    const timespec pause{0, kPauseNs};
    ::nanosleep(&pause, nullptr);
  }
}

}  // namespace

int run_heard(const config::Runtime& runtime, bool speaks,
              const std::function<int(const std::string& device)>& start) {
  std::string why;
  control::Changes changes;
  // What any program may want of a card: to be one of several, to record, and not to fail where
  // the bridge has.
  for (const char* word : {"duplex=on", "clients=8", "open=always", "clock=realtime"}) {
    if (!changes.add(word, why)) return failed(why);
  }
  const int number = control::create(runtime, control::kFirstFree, changes, why);
  if (number < 0) return failed(why);
  int status = kFailed;
  const pid_t bridge = start_bridge(runtime, speaks, number);
  if (bridge > 0) {
    status = run_program(start, "pcm" + std::to_string(number));
    ::kill(bridge, SIGTERM);
    wait_for(bridge);
  }
  remove_instance(runtime, number);
  return status;
}

}  // namespace ossloop::ctl
