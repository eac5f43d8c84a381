#include "viewer/plot.h"

#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <vector>

#include "audio/codec.h"
#include "control/view.h"
#include "oss/soundcard.h"
#include "ossloopctl/command.h"
#include "ossloopctl/interruption.h"
#include "ossloopctl/listener.h"
#include "ossloopctl/sound_file.h"
#include "viewer/plot_page.h"
#include "viewer/png_file.h"

namespace ossloop::view {
namespace {

constexpr std::size_t kBlockFrames = 4096;
constexpr int kInterrupted = -1;  // in place of an exit status

PlotPlan plan_for(const ctl::PlotWords& words, const audio::PcmFormat& format) {
  const bool both = words.waveform == words.spectrogram;
  return {.channels = format.channels,
          .rate_hz = format.rate_hz,
          .width = words.width_pixels,
          .waveform = both || words.waveform,
          .spectrogram = both || words.spectrogram,
          .window = words.window == "hann" ? Window::kHann : Window::kBlackman};
}

// A page that is given samples of any format.
class Heard {
 public:
  Heard(const ctl::PlotWords& words, const audio::PcmFormat& format)
      : format_(format),
        page_(plan_for(words, format)),
        left_frames_(std::round(words.seconds * format.rate_hz)) {}

  // How much of a block is wanted still.
  std::size_t wanted() const {
    return left_frames_ < static_cast<double>(kBlockFrames) ? static_cast<std::size_t>(left_frames_)
                                                            : kBlockFrames;
  }

  void add(const std::byte* data, std::size_t frames) {
    const std::size_t samples = frames * static_cast<std::size_t>(format_.channels);
    decoded_.resize(samples);
    audio::find_codec(format_.afmt)->decode(data, decoded_.data(), samples);
    samples_.assign(decoded_.begin(), decoded_.end());
    page_.add(samples_.data(), frames);
    left_frames_ -= static_cast<double>(frames);
    frames_ += frames;
  }

  Picture draw(const std::string& title) { return page_.draw(title); }
  std::size_t frames() const { return frames_; }

 private:
  const audio::PcmFormat format_;
  PlotPage page_;
  double left_frames_;
  std::size_t frames_ = 0;
  std::vector<double> decoded_;
  std::vector<float> samples_;
};

bool same_file(const std::string& one, const std::string& other) {
  struct stat first {
  }, second{};
  return ::stat(one.c_str(), &first) == 0 && ::stat(other.c_str(), &second) == 0 &&
         first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

int finish(Heard& heard, PngFile& picture, const std::string& title, const std::string& output,
           const audio::PcmFormat& format) {
  std::string why;
  if (!picture.write(heard.draw(title), why)) return ctl::failed(why);
  if (output != "-") {
    std::cout << ctl::describe_sound(heard.frames(), format) + " drawn in " + output + "\n"
              << std::flush;
  }
  return ctl::kDone;
}

int plot_file(const ctl::PlotWords& words) {
  std::string why;
  ctl::SoundSpec spec;
  if (!words.sound.spec_to_play(words.input, spec, why)) return ctl::wrong_usage(why);
  const std::string output = words.output.empty() ? ctl::picture_beside(words.input) : words.output;
  if (words.input != "-" && same_file(words.input, output)) {
    return ctl::failed(output + ": it is the sound itself; expected another name for the picture");
  }
  // A signal ends it where what was begun is taken away again.
  ctl::hold_signals();
  ctl::SoundFile file;
  PngFile picture;
  if (!file.open(words.input, spec, why) || !picture.create(output, why)) return ctl::failed(why);
  const audio::PcmFormat format = file.format();
  Heard heard(words, format);
  std::vector<std::byte> block(kBlockFrames * static_cast<std::size_t>(format.frame_bytes()));
  for (std::size_t got = 1; got > 0 && heard.wanted() > 0;) {
    if (!file.read(block.data(), heard.wanted(), got, why)) return ctl::failed(why);
    heard.add(block.data(), got);
    if (ctl::asked_to_stop()) return kInterrupted;
  }
  const std::string title =
      words.input == "-" ? "standard input" : words.input.substr(words.input.rfind('/') + 1);
  return finish(heard, picture, title, output, format);
}

// Of the one that is held back.
void die_of_signal() {
  for (const int number : {SIGINT, SIGTERM}) ::signal(number, SIG_DFL);
  ::sigprocmask(SIG_SETMASK, &ctl::while_waiting(), nullptr);
}

// As many channels as the loop has, at its rate, and no sample is rounded.
bool hear(ctl::Listener& listener, Heard& heard, const audio::PcmFormat& format, std::string& why) {
  std::vector<std::byte> block(kBlockFrames * static_cast<std::size_t>(format.frame_bytes()));
  while (heard.wanted() > 0) {
    if (!listener.wait(ctl::while_waiting(), -1, why)) return why.empty();
    if (ctl::asked_to_stop()) return true;
    std::size_t got = 0;
    bool ended = false;
    const auto frame_bytes = static_cast<std::size_t>(format.frame_bytes());
    if (!listener.read(block.data(), heard.wanted() * frame_bytes, got, ended, why)) return false;
    heard.add(block.data(), got / frame_bytes);
    if (ended) return true;
  }
  return true;
}

int plot_tap(const config::Runtime& runtime, ctl::PlotWords words) {
  std::string why;
  ctl::SideChoice side;
  side.instance = words.tap->empty() ? "0" : *words.tap;
  side.wait_seconds = words.wait_seconds;
  int number = 0;
  if (!ctl::parse_instance(side.instance, number, why)) return ctl::wrong_usage(why);
  if (control::check_folder(runtime, false, why) < 0) return ctl::failed(why);
  ctl::Listener listener;
  PngFile picture;
  if (!listener.open(runtime, side, why) || !picture.create(words.output, why)) {
    return ctl::failed(why);
  }
  const control::InstanceView view = control::look(runtime, number);
  const audio::PcmFormat format{oss::AFMT_FLOAT, view.loop.channels, view.loop.rate_hz};
  if (!listener.set_format(format, why)) return ctl::failed(why);
  words.seconds = std::isinf(words.seconds) ? ctl::kUsualTapSeconds : words.seconds;
  ctl::hold_signals();
  Heard heard(words, format);
  if (!hear(listener, heard, format, why)) return ctl::failed(why);
  return finish(heard, picture, "instance " + side.instance + listener.losses(), words.output,
                format);
}

}  // namespace

int plot(const ctl::PlotWords& words) {
  std::string why;
  if (!ctl::check(words, why)) return ctl::wrong_usage(why);
  if (!words.tap) {
    const int status = plot_file(words);
    if (status == kInterrupted) die_of_signal();
    return status;
  }
  return ctl::with_configuration(
      [&](const config::Runtime& runtime) { return plot_tap(runtime, words); });
}

}  // namespace ossloop::view
