#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <new>
#include <utility>

#include "base/error_text.h"
#include "base/fd.h"
#include "base/scoped_block.h"

namespace ossloop::base {
namespace {

constexpr const char* kLevelNames[] = {"off", "error", "warning", "info", "trace"};
std::atomic<int> level_in_force{static_cast<int>(LogLevel::kError)};
char log_file[4096];
std::atomic<bool (*)(int)> guard{nullptr};
thread_local std::string* kept = nullptr;

Fd open_file(const char* path) {
  return Fd(sys().open(
      path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW, 0600));
}

// Where the lines go from now on. False, told where they went before, if that cannot
// be written.
bool choose_file(const char* setting, const char* path) {
  int error = std::strlen(path) < sizeof log_file ? 0 : -ENAMETOOLONG;
  if (error == 0 && *path != '\0') error = std::min(open_file(path).get(), 0);
  if (error == 0) {
    std::memcpy(log_file, path, std::strlen(path) + 1);
    return true;
  }
  log(LogLevel::kError, "OSSLOOP_LOG=%.200s: %s; expected level:file with a file to write to",
      setting, error_text(-error));
  return false;
}

// Not into a pipe that nobody reads: a SIGPIPE of the program's own that is pending could
// not be told from ours.
bool is_read(int fd) {
  const int saved = errno;
  pollfd entry{fd, POLLOUT, 0};
  const timespec now{0, 0};
  ::syscall(SYS_ppoll, &entry, 1, &now, nullptr, 0);
  errno = saved;
  return (entry.revents & (POLLERR | POLLHUP | POLLNVAL)) == 0;
}

void write_out(const char* text, std::size_t bytes) {
  const ScopedWriteSignalBlock signals;
  // The file is opened for each line: a descriptor kept here could be closed,
  // and its number reused, by the program we live in.
  if (log_file[0] != '\0') {
    const Fd file = open_file(log_file);
    if (file) sys().write(file.get(), text, bytes);
    return;
  }
  bool (*const may_write)(int) = guard.load();
  if (may_write != nullptr && !may_write(STDERR_FILENO)) return;
  if (is_read(STDERR_FILENO)) sys().write(STDERR_FILENO, text, bytes);
}

void put(const char* text, std::size_t bytes) {
  if (kept == nullptr) return write_out(text, bytes);
  try {
    kept->append(text, bytes);
  } catch (const std::bad_alloc&) {
    // The line is lost, nothing else.
  }
}

}  // namespace

bool start_log(const char* setting) {
  if (setting == nullptr || *setting == '\0') return false;
  const char* colon = std::strchr(setting, ':');
  const std::size_t length =
      colon != nullptr ? static_cast<std::size_t>(colon - setting) : std::strlen(setting);
  for (int level = 0; level <= static_cast<int>(LogLevel::kTrace); ++level) {
    if (std::strlen(kLevelNames[level]) != length ||
        std::strncmp(kLevelNames[level], setting, length) != 0) {
      continue;
    }
    if (colon != nullptr && !choose_file(setting, colon + 1)) return false;
    level_in_force.store(level);
    return true;
  }
  log(LogLevel::kError,
      "bad value '%.40s' for OSSLOOP_LOG; expected off, error, warning, info or trace, and :file",
      setting);
  return false;
}

void make_one_line(char* text, std::size_t bytes) {
  std::replace_if(
      text, text + bytes, [](char c) { return (c >= 0 && c < ' ') || c == '\x7f'; }, '?');
}

void set_log_guard(bool (*may_write)(int fd)) { guard.store(may_write); }

bool log_enabled(LogLevel level) {
  return static_cast<int>(level) <= level_in_force.load(std::memory_order_relaxed);
}

void log(LogLevel level, const char* format, ...) {
  if (!log_enabled(level)) return;
  const int saved = errno;
  char line[1024];
  int used = level == LogLevel::kTrace ? std::snprintf(line, sizeof line, "ossloop[%d]: ", getpid())
                                       : std::snprintf(line, sizeof line, "ossloop: ");
  std::va_list arguments;
  va_start(arguments, format);
  const int more = std::vsnprintf(line + used, sizeof line - 1 - static_cast<std::size_t>(used),
                                  format, arguments);
  va_end(arguments);
  if (more > 0) used += more;
  if (used > static_cast<int>(sizeof line) - 2) used = static_cast<int>(sizeof line) - 2;
  make_one_line(line, static_cast<std::size_t>(used));
  line[used++] = '\n';
  put(line, static_cast<std::size_t>(used));
  errno = saved;
}

LogKept::LogKept(std::string& lines) : before_(std::exchange(kept, &lines)) {}
LogKept::~LogKept() { kept = before_; }

void log_kept(const std::string& lines) {
  if (lines.empty()) return;
  const int saved = errno;
  put(lines.data(), lines.size());
  errno = saved;
}

}  // namespace ossloop::base
