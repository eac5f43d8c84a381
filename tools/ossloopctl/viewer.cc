#include "ossloopctl/viewer.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

#include "base/error_text.h"
#include "ossloopctl/command.h"
#include "ossloopctl/device.h"
#include "ossloopctl/library.h"

extern char** environ;

namespace ossloop::ctl {

int become_viewer() {
  std::string why;
  const std::string path = find_viewer(why);
  if (path.empty()) return failed(why);
  ::execv(path.c_str(), given_words());
  return failed(path + ": " + base::error_text(errno));
}

pid_t start_plot(const std::vector<std::string>& words, std::string& why) {
  const std::string path = find_viewer(why);
  if (path.empty()) return -1;
  std::vector<char*> arguments{const_cast<char*>("ossloopctl"), const_cast<char*>("plot")};
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  // It opens no device: nothing need be preloaded.
  std::vector<char*> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    if (std::strncmp(*entry, "LD_PRELOAD=", 11) != 0) environment.push_back(*entry);
  }
  environment.push_back(nullptr);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  // The Ctrl-C that ends a recording is not for its picture: it has a group of its own, and holds
  // back what comes before it has. What else this program holds back is not its affair.
  sigset_t held;
  sigemptyset(&held);
  sigaddset(&held, SIGINT);
  ::posix_spawnattr_setsigmask(&attributes, &held);
  sigset_t ignored;
  sigemptyset(&ignored);
  for (const int number : {SIGPIPE, SIGXFSZ}) sigaddset(&ignored, number);
  ::posix_spawnattr_setsigdefault(&attributes, &ignored);
  ::posix_spawnattr_setpgroup(&attributes, 0);
  // The recording goes first.
  ::posix_spawnattr_setschedpolicy(&attributes, SCHED_BATCH);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                              POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSCHEDULER);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t process = -1;
  const int error = ::posix_spawn(&process, path.c_str(), &actions, &attributes, arguments.data(),
                                  environment.data());
  ::posix_spawn_file_actions_destroy(&actions);
  ::posix_spawnattr_destroy(&attributes);
  if (error == 0) return process;
  why = path + ": " + base::error_text(error);
  return -1;
}

bool finish_plot(pid_t process, const std::string& picture) {
  int status = 0;
  while (::waitpid(process, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFSIGNALED(status)) {
    failed(picture + ": not drawn, for signal " + std::to_string(WTERMSIG(status)));
  }
  return WIFEXITED(status) && WEXITSTATUS(status) == kDone;
}

}  // namespace ossloop::ctl
