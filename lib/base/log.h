// One line per event for people: OSSLOOP_LOG=level[:file].
#pragma once

#include <cstddef>
#include <string>

namespace ossloop::base {

enum class LogLevel : int { kOff, kError, kWarning, kInfo, kTrace };

// Reads OSSLOOP_LOG. Errors go to standard error unless it says otherwise. False, and
// nothing changes, if it says nothing or something wrong, which is logged.
bool start_log(const char* setting);
bool log_enabled(LogLevel level);
// Asked before a line goes to standard error: a program may have put one of our own
// devices there.
void set_log_guard(bool (*may_write)(int fd));

// While it lives, this thread's lines are kept instead of written: for a thread
// in whose descriptor table there is no standard error.
class LogKept {
 public:
  explicit LogKept(std::string& lines);
  ~LogKept();
  LogKept(const LogKept&) = delete;
  LogKept& operator=(const LogKept&) = delete;

 private:
  std::string* before_;
};
// Writes what was kept.
void log_kept(const std::string& lines);

// Puts '?' for each control character of `text`: names come from anywhere.
void make_one_line(char* text, std::size_t bytes);

// Writes "ossloop: …" as one line and one write(2), so that lines of two processes do not
// mix. Never fails, never changes errno.
[[gnu::format(printf, 2, 3)]] void log(LogLevel level, const char* format, ...);

}  // namespace ossloop::base
