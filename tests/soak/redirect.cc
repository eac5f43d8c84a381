// A program that starts others as a shell does: the child opens the device, makes it a
// standard number and becomes a player or a recorder.
#include <spawn.h>
#include <sys/mman.h>

#include <string>

#include "company.h"
#include "roles.h"

extern char** environ;

namespace soak {
namespace {

class Words {
 public:
  explicit Words(std::vector<std::string> words) : words_(std::move(words)) {
    for (std::string& word : words_) pointers_.push_back(word.data());
    pointers_.push_back(nullptr);
  }
  char** data() { return pointers_.data(); }
  int count() const { return static_cast<int>(words_.size()); }

 private:
  std::vector<std::string> words_;
  std::vector<char*> pointers_;
};

class Shell {
 public:
  explicit Shell(const bench::Arguments& arguments)
      : path_(arguments.text("--path", "-")),
        by_(arguments.text("--by", "vfork")),
        plays_(arguments.number("--plays", 1) != 0),
        acts_itself_(arguments.number("--own", 1) != 0),
        frames_(std::to_string(arguments.number("--frames", 10000))),
        report_(::dup(STDOUT_FILENO)),
        own_(::memfd_create("own", 0)) {
    // Its standard output is a file of its own, which no sound must get into.
    if (report_ < 0 || own_ < 0 || ::dup2(own_, STDOUT_FILENO) < 0) bench::fail("own file");
  }

  // One stream by a child and, but for --own 0, one by itself.
  void round(int id) {
    int status = 0;
    while ((status = status_of_child(id)) == kPeerGone && !plays_) {
    }
    if (status != 0) std::exit(1);
    write_line();
    own_must_be_whole();
    if (!acts_itself_) return;
    Words own(words_for(path_, id + 1));
    const bench::Arguments arguments(own.count(), own.data());
    ::dup2(report_, STDOUT_FILENO);
    while ((status = plays_ ? play(arguments) : record(arguments)) == kPeerGone && !plays_) {
    }
    ::dup2(own_, STDOUT_FILENO);
    if (status != 0) std::exit(status);
  }

 private:
  // A recorder that came while its server was going, or ending the stream of the recorder
  // before, has heard nothing: kPeerGone.
  int status_of_child(int id) {
    Words words(words_for("-", id));
    const pid_t child = by_ == "spawn" ? by_spawn(words) : by_fork(words, by_ == "vfork");
    int status = 0;
    while (::waitpid(child, &status, WNOHANG) == 0) {
      write_line();
      ::usleep(2000);
    }
    if (status == 0 || status == kPeerGone << 8) return status >> 8;
    std::fprintf(stderr, "broken child: status %#x\n", static_cast<unsigned>(status));
    return 1;
  }

  std::vector<std::string> words_for(const char* path, int id) const {
    if (!plays_) return {"actor", "record", "--path", path, "--streams", "1", "--needs-sound", "1"};
    return {"actor", "play", "--path", path, "--frames", frames_, "--id", std::to_string(id)};
  }
  int number() const { return plays_ ? STDOUT_FILENO : STDIN_FILENO; }
  int flags() const { return plays_ ? O_WRONLY : O_RDONLY; }

  pid_t by_fork(Words& words, bool shares_memory) {
    char** const all = words.data();
    const pid_t child = shares_memory ? ::vfork() : ::fork();
    if (child != 0) return child;
    if (!plays_) ::dup2(report_, STDOUT_FILENO);
    const int fd = ::open(path_, flags());
    if (fd < 0 || ::dup2(fd, number()) < 0) ::_exit(10);
    if (fd != number()) ::close(fd);
    ::execve("/proc/self/exe", all, environ);
    ::_exit(11);
  }

  pid_t by_spawn(Words& words) {
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    if (!plays_) ::posix_spawn_file_actions_adddup2(&actions, report_, STDOUT_FILENO);
    ::posix_spawn_file_actions_addopen(&actions, number(), path_, flags(), 0);
    pid_t child = -1;
    errno = ::posix_spawn(&child, "/proc/self/exe", &actions, nullptr, words.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    if (errno != 0) bench::fail("broken spawn");
    return child;
  }

  void write_line() {
    const std::string line = "line " + std::to_string(++lines_) + "\n";
    if (::write(STDOUT_FILENO, line.data(), line.size()) != static_cast<ssize_t>(line.size()))
      bench::fail("broken line");
    expected_ += line;
  }

  void own_must_be_whole() const {
    std::string found(expected_.size() + 1, '\0');
    const ssize_t got = ::pread(own_, found.data(), found.size(), 0);
    if (got == static_cast<ssize_t>(expected_.size()) &&
        found.compare(0, expected_.size(), expected_) == 0) {
      return;
    }
    std::fprintf(stderr, "broken file: %zd bytes stand where %zu were written\n", got,
                 expected_.size());
    std::exit(1);
  }

  const char* const path_;
  const std::string by_;
  const bool plays_;
  const bool acts_itself_;
  const std::string frames_;
  const int report_;
  const int own_;
  int lines_ = 0;
  std::string expected_;
};

}  // namespace

int redirect(const bench::Arguments& arguments) {
  if (arguments.number("--loaded", 0) != 0) {
    const int mixer = ::open("/dev/mixer", O_RDWR);
    if (mixer < 0) bench::fail("broken mixer");
    ::close(mixer);
  }
  Shell shell(arguments);
  const auto rounds = static_cast<int>(arguments.number("--times", 3));
  for (int round = 0; round < rounds; ++round) shell.round(2 * round + 1);
  return 0;
}

}  // namespace soak
