// One line per event for people: OSSLOOP_LOG=level[:file].
#pragma once

namespace ossloop::base {

enum class LogLevel : int { kOff, kError, kWarning, kInfo, kTrace };

// Reads OSSLOOP_LOG. Errors go to standard error unless it says otherwise.
void start_log(const char* setting);
bool log_enabled(LogLevel level);

// Writes "ossloop: …" as one write(2), so that lines of two processes do not
// mix. Never fails, never changes errno.
[[gnu::format(printf, 2, 3)]] void log(LogLevel level, const char* format, ...);

}  // namespace ossloop::base
