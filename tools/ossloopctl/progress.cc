#include "ossloopctl/progress.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>

#include "base/sys.h"
#include "oss/soundcard.h"

namespace ossloop::ctl {
namespace {

constexpr std::int64_t kBetweenNs = 100'000'000;
constexpr std::size_t kUsualColumns = 80;
constexpr std::size_t kMostColumns = 512;

// For a handler of a signal, too.
int terminal = -1;
volatile sig_atomic_t drawn_columns = 0;

// One write, of which a slow terminal may take less.
void put(const char* text, std::size_t bytes) {
  static_cast<void>(!::write(terminal, text, bytes));
}

void erase_line() {
  char blank[kMostColumns + 2];
  const auto columns = static_cast<std::size_t>(drawn_columns);
  if (columns == 0) return;
  std::memset(blank, ' ', sizeof blank);
  blank[0] = blank[columns + 1] = '\r';
  put(blank, columns + 2);
  drawn_columns = 0;
}

void erase_and_die(int number) {
  erase_line();
  ::raise(number);
}

std::size_t columns_of(int fd) {
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kUsualColumns;
  return std::min<std::size_t>(size.ws_col, kMostColumns);
}

// A program behind the shell's back does not write to the terminal of another.
bool in_foreground(int fd) {
  const pid_t group = ::tcgetpgrp(fd);
  return group < 0 || group == ::getpgrp();
}

// "1:02:03.4" without the hours that there are none of.
std::string time_text(double seconds) {
  const auto tenths = static_cast<long long>(seconds * 10);
  const long long whole = tenths / 10;
  char text[48];
  if (whole >= 3600) {
    std::snprintf(text, sizeof text, "%lld:%02lld:%02lld.%lld", whole / 3600, whole / 60 % 60,
                  whole % 60, tenths % 10);
  } else {
    std::snprintf(text, sizeof text, "%lld:%02lld.%lld", whole / 60, whole % 60, tenths % 10);
  }
  return text;
}

std::string level_text(double peak) {
  if (peak <= 0) return " -inf dBFS";
  // The sum has no negative zero.
  const double level = std::round(200 * std::log10(peak)) / 10 + 0.0;
  char text[32];
  std::snprintf(text, sizeof text, "%5.1f dBFS", std::clamp(level, -999.9, 999.9));
  return text;
}

template <typename Sample>
double largest(const void* data, std::size_t samples) {
  const auto* first = static_cast<const Sample*>(data);
  double most = 0;
  for (std::size_t i = 0; i < samples; ++i) {
    most = std::max(most, std::abs(static_cast<double>(first[i])));
  }
  return most;
}

}  // namespace

std::string progress_line(const Progress::State& state, double peak, std::size_t columns) {
  const std::string time = time_text(state.seconds);
  const std::string told = time + "  " + level_text(peak);
  const std::string faults = "  " + state.faults;
  std::string whole = time;
  if (state.total_seconds > 0) whole.append(" of ").append(time_text(state.total_seconds));
  whole.append("  ").append(level_text(peak)).append(faults);
  // The last column stays free: in it some terminals begin another line.
  const std::size_t room = columns > 0 ? columns - 1 : 0;
  for (const std::string& line : {whole, told + faults, told, time}) {
    if (line.size() <= room) return line;
  }
  return time.substr(0, room);
}

Progress::Progress(bool wanted) : drawn_ns_(base::sys().now_ns() - kBetweenNs) {
  if (!wanted || !::isatty(STDERR_FILENO)) return;
  // Opened anew, so that it does not block and its other users are not told so.
  fd_ = ::open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  terminal = fd_;
}

Progress::~Progress() {
  if (fd_ < 0) return;
  erase();
  ::close(fd_);
  terminal = fd_ = -1;
}

void Progress::end_with_signals() const {
  if (!shows()) return;
  struct sigaction action {};
  action.sa_handler = erase_and_die;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  for (const int number : {SIGINT, SIGTERM}) {
    struct sigaction before {};
    ::sigaction(number, nullptr, &before);
    if (before.sa_handler == SIG_DFL) ::sigaction(number, &action, nullptr);
  }
}

void Progress::hear(const void* data, std::size_t frames, const audio::PcmFormat& format) {
  if (!shows()) return;
  const std::size_t samples = frames * static_cast<std::size_t>(format.channels);
  switch (format.afmt) {
    case oss::AFMT_S16_NE:
      peak_ = std::max(peak_, largest<std::int16_t>(data, samples) / 0x1p15);
      break;
    case oss::AFMT_S32_NE:
      peak_ = std::max(peak_, largest<std::int32_t>(data, samples) / 0x1p31);
      break;
    default:
      peak_ = std::max(peak_, largest<float>(data, samples));
  }
}

void Progress::show(const std::function<State()>& state) {
  if (!shows()) return;
  const std::int64_t now_ns = base::sys().now_ns();
  if (now_ns - drawn_ns_ < kBetweenNs || !in_foreground(fd_)) return;
  drawn_ns_ = now_ns;
  const std::size_t columns = columns_of(fd_);
  const std::string line = progress_line(state(), peak_, columns);
  peak_ = 0;
  // A terminal that has become narrower has wrapped the rest.
  const auto before = std::min(static_cast<std::size_t>(drawn_columns), columns - 1);
  const std::string rest(before > line.size() ? before - line.size() : 0, ' ');
  drawn_columns = static_cast<sig_atomic_t>(line.size());
  const std::string text = "\r" + line + rest;
  put(text.data(), text.size());
}

void Progress::erase() {
  if (shows()) erase_line();
}

}  // namespace ossloop::ctl
