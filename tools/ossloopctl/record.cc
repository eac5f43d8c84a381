// ossloopctl record: a loop into a sound file.
#include <signal.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <limits>
#include <memory>
#include <vector>

#include "control/view.h"
#include "ossloopctl/command.h"
#include "ossloopctl/device.h"
#include "ossloopctl/listener.h"
#include "ossloopctl/side.h"
#include "ossloopctl/sound_file.h"

namespace ossloop::ctl {
namespace {

constexpr std::size_t kBlockFrames = 1024;

struct Options {
  std::string path;
  std::string encoding;
  int channels = 2;
  int rate_hz = 48000;
  double seconds = std::numeric_limits<double>::infinity();
  double wait_seconds = 0;  // for a server
  bool taps = false;
};

volatile sig_atomic_t asked_to_stop = 0;

// From here on SIGINT and SIGTERM end a wait instead of the program. Returns the
// signals to block while waiting.
sigset_t hold_signals() {
  struct sigaction action {};
  action.sa_handler = [](int) { asked_to_stop = 1; };
  sigset_t held, before;
  sigemptyset(&held);
  for (const int number : {SIGINT, SIGTERM}) {
    sigaddset(&held, number);
    ::sigaction(number, &action, nullptr);
  }
  ::sigprocmask(SIG_BLOCK, &held, &before);
  return before;
}

// Moves frames until the stream, `limit_frames` or the user's patience ends.
template <typename Source>
bool copy(Source& source, SoundFile& file, double limit_frames, std::size_t& frames,
          std::string& why) {
  const sigset_t blocked = hold_signals();
  const auto frame_bytes = static_cast<std::size_t>(file.format().frame_bytes());
  std::vector<std::byte> block(kBlockFrames * frame_bytes);
  while (static_cast<double>(frames) < limit_frames) {
    if (!source.wait(blocked, why)) return asked_to_stop != 0 || why.empty();
    const double left = limit_frames - static_cast<double>(frames);
    const std::size_t wanted = left < kBlockFrames ? static_cast<std::size_t>(left) : kBlockFrames;
    std::size_t got = 0;
    if (!source.read(block.data(), wanted * frame_bytes, got, why)) return false;
    if (got == 0) break;
    if (!file.write(block.data(), got / frame_bytes, why)) return false;
    frames += got / frame_bytes;
  }
  return true;
}

// `rest` tells what else there is to say.
template <typename Source, typename Rest>
int fill(Source& source, SoundFile& file, const Options& options, Rest rest) {
  std::string why;
  std::size_t frames = 0;
  const double limit_frames = std::round(options.seconds * options.rate_hz);
  const bool copied = copy(source, file, limit_frames, frames, why);
  std::string why_not_closed;
  if (!file.close(why_not_closed)) return failed(why_not_closed);
  if (!copied) return failed(why + ", after " + std::to_string(frames) + " frames");
  (options.path == "-" ? std::cerr : std::cout)
      << describe_sound(frames, file.format()) << " recorded to " << options.path << rest() << "\n";
  return kDone;
}

int record(const Options& options, const SampleEncoding* encoding) {
  std::string why;
  SoundFile file;
  Device device;
  // The device first: a file that is there already is not to be lost for nothing.
  if (!device.open(Device::Direction::kRecord, options.wait_seconds, why) ||
      !file.create(options.path, encoding, options.channels, options.rate_hz, why) ||
      !device.set_format(file.format(), why)) {
    return failed(why);
  }
  return fill(device, file, options, [] { return std::string(); });
}

// In this very process: a tap is no open of the device.
int tap(const config::Runtime& runtime, const Options& options, const SideChoice& side,
        const SampleEncoding* encoding) {
  std::string why;
  SoundFile file;
  Listener listener;
  if (control::check_folder(runtime, false, why) < 0) return failed(why);
  // First, as above.
  if (!listener.open(runtime, side, why) ||
      !file.create(options.path, encoding, options.channels, options.rate_hz, why) ||
      !listener.set_format(file.format(), why)) {
    return failed(why);
  }
  return fill(listener, file, options, [&] {
    const std::uint64_t lost = listener.lost_frames();
    return lost == 0 ? std::string() : ", " + std::to_string(lost) + " frames were lost";
  });
}

}  // namespace

void add_record(CLI::App& app, int& status) {
  CLI::App* command =
      app.add_subcommand("record", "Records one stream of an instance into a sound file");
  command->footer("It ends with the stream, after --duration, or with Ctrl-C.");
  const auto options = std::make_shared<Options>();
  const auto side = add_side_options(*command, true);
  command->add_option("-e,--encoding", options->encoding, "Of the samples: " + encoding_names())
      ->option_text("NAME");
  command->add_option("-c,--channels", options->channels, "1 to 64; default 2")
      ->check(whole_number_in(1, audio::kMaxChannels))
      ->option_text("N");
  command
      ->add_option("-r,--rate", options->rate_hz,
                   std::to_string(audio::kMinRateHz) + " to " + std::to_string(audio::kMaxRateHz) +
                       " Hz; default 48000")
      ->check(whole_number_in(audio::kMinRateHz, audio::kMaxRateHz))
      ->option_text("HZ");
  command->add_flag("--tap", options->taps, "Take no side: hear what others play, and delay nobody")
      ->option_text(" ");
  command->add_option("-d,--duration", options->seconds, "End after so much sound")
      ->check(number_in(0, 1e9))
      ->option_text("SECONDS");
  command
      ->add_option("FILE", options->path,
                   "Its ending tells the kind: " + file_endings() + "; - is standard output, as AU")
      ->required()
      ->option_text(" ");
  command->callback([options, side, &status] {
    std::string why;
    options->wait_seconds = side->wait_seconds;
    const std::string device = side->device(true, why);
    const SampleEncoding* encoding = find_encoding(options->encoding);
    if (device.empty()) {
      status = wrong_usage(why);
    } else if (!options->encoding.empty() && encoding == nullptr) {
      status = wrong_usage("no encoding " + config::quote(options->encoding) +
                           "; expected one of " + encoding_names());
    } else if (options->taps) {
      status = with_configuration(
          [&](const config::Runtime& runtime) { return tap(runtime, *options, *side, encoding); });
    } else {
      status = on_device(device, [&] { return record(*options, encoding); });
    }
  });
}

}  // namespace ossloop::ctl
