#include "shared_fuzz_watch.h"

#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string_view>

#include "base/sys.h"

namespace ossloop::fuzz {
namespace {

constexpr std::int64_t kEndNs = 5'000'000'000;
// Where a handler only sets a flag, a signal between the program's look at it and its call
// is lost, so it is asked again.
constexpr std::int64_t kAgainNs = 1'000'000'000;
constexpr int kReported = 77;  // __asan_default_options

std::int64_t now_ns() { return base::sys().now_ns(); }

void pause() {
  const timespec moment{0, 10'000'000};
  ::nanosleep(&moment, nullptr);
}

std::string text_of(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

// A process that has ended, whether or not its parent has heard of it; how, if the
// kernel still knows: its last number is what wait() would give.
bool gone(pid_t pid, int* status = nullptr) {
  const std::string text = text_of("/proc/" + std::to_string(pid) + "/stat");
  const std::size_t at = text.rfind(')');
  if (at == std::string::npos) return true;
  if (text[at + 2] != 'Z' && text[at + 2] != 'X') return false;
  if (status != nullptr) *status = std::atoi(text.c_str() + text.rfind(' '));
  return true;
}

bool gone_within(pid_t pid, std::int64_t ns) {
  const std::int64_t end_ns = now_ns() + ns;
  while (now_ns() < end_ns) {
    if (gone(pid)) return true;
    pause();
  }
  return gone(pid);
}

// Where each thread of a process sleeps.
std::string threads_of(pid_t pid) {
  std::string text;
  std::error_code error;
  for (const auto& thread :
       std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task", error)) {
    text += "  thread " + thread.path().filename().string() + ": " +
            text_of(thread.path() / "wchan") + ", call " + text_of(thread.path() / "syscall");
  }
  return text;
}

std::string line_with(const std::string& text, std::string_view word) {
  const std::size_t at = text.find(word);
  return at == std::string::npos ? "" : text.substr(at, text.find('\n', at) - at);
}

// The line that says what it was, the sanitizer's own if there is one, and the place in
// the library.
std::string signature_of(const std::string& report) {
  std::string what;
  for (const char* begin : {"Assertion ", "SUMMARY: ", "runtime error: ", "ERROR: "}) {
    if (what.empty()) what = line_with(report, begin);
  }
  std::istringstream lines(report);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t at = line.find("/lib/", std::min(line.find(" in ossloop::"), line.size()));
    if (at != std::string::npos) return what + " at " + line.substr(at + 5);
  }
  return what;
}

}  // namespace

void Findings::add(const std::string& signature, const std::string& text) {
  if (++counts_[signature] > 1) return;
  std::printf("\n==== finding %zu ====\n%s\n", counts_.size(), text.c_str());
  std::fflush(stdout);
  if (folder_.empty()) return;
  std::ofstream(folder_ + "/shared-" + std::to_string(::getpid()) + "-" +
                std::to_string(counts_.size()))
      << text;
}

void Findings::summarize() const {
  for (const auto& [signature, count] : counts_) {
    std::printf("%5d times  %s\n", count, signature.c_str());
  }
}

Watch::Watch(const World& world, Board& board, int board_fd, Findings& findings, Counts& counts,
             std::string name)
    : world_(world),
      board_(board),
      board_fd_(board_fd),
      findings_(findings),
      counts_(counts),
      name_(std::move(name)) {
  ::memset(static_cast<void*>(&board_), 0, sizeof board_);
  std::filesystem::create_directory(world.folder);
  std::filesystem::permissions(world.folder, std::filesystem::perms::owner_all);
  scribbler_ = ::fork();
  if (scribbler_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    scribble(world_, board_, world.seed);
  }
}

Watch::~Watch() {
  ::kill(scribbler_, SIGKILL);
  ::waitpid(scribbler_, nullptr, 0);
  std::filesystem::remove_all(world_.folder);
}

void Watch::start(std::size_t number, Kind kind, std::uint64_t seed) {
  Post& post = board_.post[number];
  post.kind.store(kind);
  post.seed.store(seed);
  post.doing[0] = '\0';
  const pid_t pid = ::fork();
  if (pid < 0) return;
  if (pid == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    act({world_, board_, board_fd_, post});
  }
  post.pid.store(pid);
  ++counts_.started;
}

void Watch::end(std::size_t number, bool kill) {
  const pid_t pid = board_.post[number].pid.load();
  if (pid <= 0 || asked_[number].pid == pid) return;
  asked_[number] = {pid, now_ns(), kill, now_ns() + kAgainNs};
  ::kill(pid, kill ? SIGKILL : SIGTERM);
  ++(kill ? counts_.killed : counts_.asked);
}

void Watch::look() {
  int status = 0;
  for (pid_t pid; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
    for (std::size_t i = 0; i < kPosts; ++i) {
      if (board_.post[i].pid.load() == pid) judge(i, pid, &status);
    }
    // It died of what it did to itself.
    if (pid == scribbler_) findings_.add("the scribbler died", "the scribbler died\n");
  }
  for (std::size_t i = 0; i < kPosts; ++i) {
    Post& post = board_.post[i];
    const pid_t pid = post.pid.load();
    if (pid <= 0) continue;
    if (post.ended.load()) {
      status = post.status.load();
      judge(i, pid, &status);
    } else if (status = -1; gone(pid, &status)) {
      if (i >= kFirstForked) judge(i, pid, status == -1 ? nullptr : &status);
    } else if (asked_[i].pid == pid && now_ns() - asked_[i].at_ns > kEndNs) {
      hangs(i, pid);
    } else if (asked_[i].pid == pid && !asked_[i].killed && now_ns() > asked_[i].again_ns) {
      asked_[i].again_ns += kAgainNs;
      ::kill(pid, SIGTERM);
    }
  }
}

void Watch::end_all() {
  for (bool some = true; some;) {
    some = false;
    for (std::size_t i = 0; i < kPosts; ++i) {
      end(i, false);
      some = some || board_.post[i].pid.load() > 0;
    }
    look();
    pause();
  }
}

// `status` is nullptr where only another process was told.
void Watch::judge(std::size_t number, pid_t pid, const int* status) {
  Post& post = board_.post[number];
  const Asked asked = asked_[number].pid == pid ? asked_[number] : Asked{};
  if (asked.pid != 0) counts_.slowest_ns = std::max(counts_.slowest_ns, now_ns() - asked.at_ns);
  std::string errors;
  std::string report = take_report(pid, errors);
  const bool cut_off = board_.truncated.load();
  if (cut_off && report.find("AddressSanitizer: BUS") != std::string::npos) report.clear();
  std::string what;
  if (status == nullptr) {
    if (!report.empty()) what = "a report";
  } else if (WIFSIGNALED(*status)) {
    const int signal = WTERMSIG(*status);
    const bool ours = asked.pid != 0 && signal == (asked.killed ? SIGKILL : SIGTERM);
    if (signal == SIGBUS && cut_off)
      ++counts_.cut_off;
    else if (!ours)
      what = "killed by signal " + std::to_string(signal);
  } else if (WEXITSTATUS(*status) != 0 &&
             !(WEXITSTATUS(*status) == kReported && cut_off && report.empty())) {
    what = "exit status " + std::to_string(WEXITSTATUS(*status));
  }
  if (what.empty() && !report.empty()) what = "a report";
  if (!what.empty()) find(number, pid, what, report + errors);
  asked_[number] = {};
  post.ended.store(false);
  post.pid.store(0);
}

// Shows where, by a fault that it does not cause itself.
void Watch::hangs(std::size_t number, pid_t pid) {
  std::string what = "does not end within 5 s after SIGTERM";
  const std::string threads =
      "at \"" + std::string(board_.post[number].doing) + "\":\n" + threads_of(pid);
  ::kill(pid, SIGTERM);
  const bool second = gone_within(pid, 1'500'000'000);
  what += second ? ", but after a second one" : ", nor 1.5 s after a second one";
  if (!second) {
    ::kill(pid, SIGTRAP);
    gone_within(pid, 10'000'000'000);
    ::kill(pid, SIGKILL);
    gone_within(pid, 5'000'000'000);
  }
  std::string errors;
  const std::string report = take_report(pid, errors);
  find(number, pid, what, threads + report + errors);
  ::waitpid(pid, nullptr, WNOHANG);
  asked_[number] = {};
  board_.post[number].ended.store(false);
  board_.post[number].pid.store(0);
}

void Watch::find(std::size_t number, pid_t pid, const std::string& what,
                 const std::string& report) {
  const Post& post = board_.post[number];
  std::ostringstream text;
  text << name_ << ": " << kKindNames[static_cast<int>(post.kind.load())] << " (process " << pid
       << ", seed " << post.seed.load() << "), at \"" << post.doing << "\": " << what << "\n"
       << (board_.truncated.load() ? "A file has been cut off in this round.\n" : "")
       << "The scribbler's last:\n";
  const std::uint32_t count = board_.scribbles.load();
  constexpr std::uint32_t kLines = std::size(Board{}.scribble);
  for (std::uint32_t i = count - std::min(count, kLines); i != count; ++i) {
    text << "  " << board_.scribble[i % kLines] << "\n";
  }
  text << report;
  const std::string summary = signature_of(report);
  findings_.add(summary.empty() ? what : what + ", " + summary, text.str());
}

// What it said on its standard error tells of a fault only together with one.
std::string Watch::take_report(pid_t pid, std::string& errors) const {
  std::error_code error;
  const auto take = [&](const char* kind) {
    const std::string path = world_.folder + kind + std::to_string(pid);
    std::string text = text_of(path);
    std::filesystem::remove(path, error);
    return text;
  };
  errors = take(".errors.");
  return take(".report.");
}

}  // namespace ossloop::fuzz
