#include "ossloopctl/recording.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iostream>

#include "base/error_text.h"
#include "ossloopctl/interruption.h"
#include "ossloopctl/library.h"
#include "ossloopctl/viewer.h"

namespace ossloop::ctl {
namespace {

constexpr int kMostNumber = 999'999;
// More than any buffer has, and not all that somebody sends who never ends.
constexpr int kMostRestBlocks = 256;

// "take-001.wav" of "take.wav".
std::string numbered(const std::string& path, int number) {
  const std::size_t dot = path.find_last_of("./");
  const bool ending =
      dot != std::string::npos && dot > 0 && path[dot] == '.' && path[dot - 1] != '/';
  char text[16];
  std::snprintf(text, sizeof text, "-%03d", number);
  const std::size_t end = ending ? dot : path.size();
  return path.substr(0, end) + text + path.substr(end);
}

}  // namespace

Recording::Recording(const RecordingPlan& plan, Source& source)
    : plan_(plan),
      source_(source),
      format_(plan.spec.format()),
      frame_bytes_(static_cast<std::size_t>(format_.frame_bytes())),
      limit_frames_(std::round(plan.seconds * format_.rate_hz)),
      progress_(!plan.quiet) {}

bool Recording::begin(std::string& why) {
  hold_signals();
  if (!check_picture(why)) return false;
  if (!plan_.splits && !file_.create(plan_.path, plan_.spec, why)) return false;
  if (!plan_.spectrogram.empty() && file_.pipe() >= 0) {
    why = "--spectrogram: " + plan_.path + " cannot be read again; expected a file";
    return false;
  }
  if (!source_.set_format(format_, why)) return false;
  if (plan_.follows) source_.follow();
  block_frames_ = source_.block_frames(format_);
  block_.resize(block_frames_ * frame_bytes_);
  return true;
}

// The next number of which there is no file.
bool Recording::open_next(std::string& why) {
  for (bool exists = true; exists && number_ < kMostNumber;) {
    why.clear();
    if (file_.create_new(numbered(plan_.path, ++number_), plan_.spec, exists, why)) return true;
    if (!exists) return false;
  }
  why = plan_.path + ": there is a file of every number already";
  return false;
}

// Before an hour is recorded, not after it.
bool Recording::check_picture(std::string& why) const {
  if (plan_.spectrogram.empty()) return true;
  if (find_viewer(why).empty()) return false;
  struct stat status {};
  const bool exists = ::stat(plan_.spectrogram.c_str(), &status) == 0;
  const std::size_t slash = plan_.spectrogram.rfind('/');
  const std::string folder =
      slash == std::string::npos ? "." : plan_.spectrogram.substr(0, slash + 1);
  const bool possible =
      exists ? !S_ISDIR(status.st_mode) && ::access(plan_.spectrogram.c_str(), W_OK) == 0
             : ::access(folder.c_str(), W_OK | X_OK) == 0;
  if (possible) return true;
  why = plan_.spectrogram + ": " +
        base::error_text(exists && S_ISDIR(status.st_mode) ? EISDIR : errno);
  return false;
}

bool Recording::start_picture(std::string& why) {
  if (plan_.spectrogram.empty()) return true;
  const std::string name = plan_.splits ? numbered(plan_.spectrogram, number_) : plan_.spectrogram;
  std::vector<std::string> words{"--spectrogram", "--output", name};
  if (plan_.spec.kind == find_kind("raw")) {
    words.insert(words.end(),
                 {"--type", "raw", "--encoding", plan_.spec.encoding->name, "--rate",
                  std::to_string(format_.rate_hz), "--channels", std::to_string(format_.channels)});
  }
  words.insert(words.end(), {"--", file_.path()});
  const pid_t process = start_plot(words, why);
  if (process > 0) pictures_.push_back({process, name});
  return process > 0;
}

bool Recording::finish_pictures() {
  bool good = true;
  for (const Drawing& picture : pictures_) {
    if (finish_plot(picture.process, picture.name)) {
      tell("spectrogram drawn in " + picture.name);
    } else {
      good = false;
    }
  }
  return good;
}

void Recording::tell(const std::string& text) {
  progress_.erase();
  if (plan_.quiet) return;
  (plan_.path == "-" ? std::cerr : std::cout) << text << "\n" << std::flush;
}

bool Recording::close_file(std::string& why) {
  const std::string path = file_.path();
  const bool closed = file_.close(why);
  if (closed && plan_.splits) {
    tell(describe_sound(file_.frames(), format_) + " recorded to " + path);
  }
  return closed && start_picture(why);
}

Progress::State Recording::state() {
  const double total = std::isinf(plan_.seconds) ? 0 : plan_.seconds;
  return {static_cast<double>(frames_) / format_.rate_hz, total, source_.faults()};
}

// Moves what is there.
bool Recording::take(bool& ended, std::string& why) {
  const double left = limit_frames_ - static_cast<double>(frames_);
  const std::size_t wanted =
      left < static_cast<double>(block_frames_) ? static_cast<std::size_t>(left) : block_frames_;
  std::size_t got = 0;
  if (!source_.read(block_.data(), wanted * frame_bytes_, got, ended, why)) return false;
  const std::size_t frames = got / frame_bytes_;
  if (frames > 0) {
    if (!file_.is_open() && !open_next(why)) return false;
    if (!file_.write(block_.data(), frames, why)) return file_.interrupted();
    frames_ += frames;
    progress_.hear(block_.data(), frames, format_);
  }
  return !ended || !plan_.splits || !file_.is_open() || close_file(why);
}

bool Recording::copy(std::string& why) {
  while (static_cast<double>(frames_) < limit_frames_) {
    progress_.show([this] { return state(); });
    if (!source_.wait(while_waiting(), file_.pipe(), why)) {
      if (!why.empty()) return false;
      if (!asked_to_stop() && reader_is_gone(file_.pipe())) return file_.reader_gone(why);
    }
    if (asked_to_stop()) return take_rest(why);
    bool ended = false;
    if (!take(ended, why)) return false;
    if (ended && !plan_.follows) break;
  }
  return true;
}

// What had come until the user's word, of the streams that are followed. Whoever plays has not
// waited for it: a drain ends before a reader that does not move.
bool Recording::take_rest(std::string& why) {
  bool ended = false;
  for (int n = 0; n < kMostRestBlocks && source_.has_more(); ++n) {
    if (static_cast<double>(frames_) >= limit_frames_ || file_.interrupted()) break;
    if (!take(ended, why)) return false;
    if (ended && !plan_.follows) break;
  }
  return true;
}

bool Recording::run(std::string& why) {
  const bool copied = copy(why);
  std::string why_not_closed;
  const bool closed = !file_.is_open() || close_file(why_not_closed);
  progress_.erase();
  if (copied && !closed) why = why_not_closed;
  if (!copied) {
    const std::size_t frames = file_.failed() ? file_.frames() : frames_;
    why += ", after " + std::to_string(frames) + " frames";
  }
  if (!copied || !closed) {
    finish_pictures();
    return false;
  }
  if (!plan_.splits) {
    tell(describe_sound(frames_, format_) + " recorded to " + plan_.path + source_.losses());
  } else if (!source_.losses().empty() || number_ == 0) {
    tell(describe_sound(frames_, format_) + " recorded" + source_.losses());
  }
  return finish_pictures();
}

}  // namespace ossloop::ctl
