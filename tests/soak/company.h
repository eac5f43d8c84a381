// What players and recorders do besides: threads that open the busy device, processes
// that share the open, and a look at what is left behind.
#pragma once

#include <dirent.h>
#include <pthread.h>
#include <sys/wait.h>

#include <atomic>
#include <string>
#include <vector>

#include "signals.h"

namespace soak {

// --busy N: so many threads try all the time to open a device that is open.
class BusyOpens {
 public:
  BusyOpens(const bench::Arguments& arguments, int flags)
      : count_(arguments.number("--busy", 0)), path_(arguments.text("--path", "-")), flags_(flags) {
    start();
  }

  // The threads of the parent are not the forked child's.
  void start() {
    quit_ = false;
    threads_.clear();
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (std::int64_t i = 0; i < count_; ++i) {
      pthread_t thread;
      if ((errno = pthread_create(&thread, nullptr, work, this)) != 0)
        bench::fail("pthread_create");
      threads_.push_back(thread);
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }

  void stop() {
    quit_ = true;
    for (const pthread_t thread : threads_) pthread_join(thread, nullptr);
    threads_.clear();
  }

 private:
  static void* work(void* self) {
    const auto& busy = *static_cast<BusyOpens*>(self);
    while (!busy.quit_) {
      const int fd = ::open(busy.path_, busy.flags_);
      if (fd >= 0) std::fprintf(stderr, "broken open: the busy device was given as %d\n", fd);
      if (fd < 0 && errno != EBUSY) bench::fail("broken open: of a busy device");
      if (fd >= 0) ::_exit(1);
      ::usleep(200);
    }
    return nullptr;
  }

  std::int64_t count_;
  const char* path_;
  int flags_;
  std::atomic<bool> quit_{false};
  std::vector<pthread_t> threads_;
};

// --fork stay | leave, --at FRAMES, --leave-by exit | _exit | close | kill.
class Forking {
 public:
  explicit Forking(const bench::Arguments& arguments)
      : stays_(std::strcmp(arguments.text("--fork", "none"), "stay") == 0),
        due_(stays_ || std::strcmp(arguments.text("--fork", "none"), "leave") == 0),
        at_(arguments.number("--at", 0)),
        leave_by_(arguments.text("--leave-by", "exit")) {}

  bool stays() const { return stays_; }
  bool due(std::int64_t frame) const { return due_ && frame > at_; }

  // In mid-stream. True in the child; a parent that does not stay does not come back.
  bool fork_now(int fd) {
    due_ = false;
    std::fflush(nullptr);
    child_ = ::fork();
    if (child_ < 0) bench::fail("fork");
    if (child_ == 0) return true;
    if (stays_) return false;
    if (leave_by_ == "kill") ::kill(::getpid(), SIGKILL);
    if (leave_by_ == "_exit") ::_exit(0);
    if (leave_by_ == "close") ::close(fd);
    std::exit(0);
  }
  pid_t child() const { return child_; }

  // The exit status of a child, 0 where there is none.
  int join() const {
    if (child_ <= 0) return 0;
    int status = 0;
    while (::waitpid(child_, &status, 0) < 0) {
      if (errno != EINTR) bench::fail("waitpid");
    }
    if (WIFEXITED(status)) return WEXITSTATUS(status);
    std::fprintf(stderr, "broken child: ended by signal %d\n", WTERMSIG(status));
    return 1;
  }

 private:
  bool stays_;
  bool due_;
  std::int64_t at_;
  const std::string leave_by_;
  pid_t child_ = 0;
};

// Descriptors and threads: as many after the close as before the open. A standard number
// that a shell has made the device is closed for good.
class Belongings {
 public:
  explicit Belongings(const bench::Arguments& arguments)
      : applies_(std::strcmp(arguments.text("--path", "-"), "-") != 0),
        descriptors_(count("/proc/self/fd")),
        threads_(count("/proc/self/task")) {}

  void must_be_as_before() const {
    if (!applies_) return;
    // A thread that was joined may still be on its way out of the kernel.
    for (int moment = 0; moment < 1000; ++moment) {
      if (count("/proc/self/fd") == descriptors_ && count("/proc/self/task") == threads_) return;
      ::usleep(10'000);
    }
    std::fprintf(stderr, "broken close: %d descriptors became %d, %d threads %d\n", descriptors_,
                 count("/proc/self/fd"), threads_, count("/proc/self/task"));
    std::exit(1);
  }

 private:
  static int count(const char* path) {
    DIR* const folder = ::opendir(path);
    if (folder == nullptr) bench::fail(path);
    int entries = 0;
    while (::readdir(folder) != nullptr) ++entries;
    ::closedir(folder);
    return entries;
  }

  bool applies_;
  int descriptors_;
  int threads_;
};

}  // namespace soak
