// ossloopctl play: a sound file into a loop.
#include <algorithm>
#include <iostream>
#include <memory>
#include <vector>

#include "ossloopctl/command.h"
#include "ossloopctl/device.h"
#include "ossloopctl/offers.h"
#include "ossloopctl/progress.h"
#include "ossloopctl/side.h"
#include "ossloopctl/sound_file.h"
#include "ossloopctl/sound_words.h"

namespace ossloop::ctl {
namespace {

struct Options {
  std::string path;
  SoundWords words;
  SoundSpec spec;
  bool quiet = false;
};

class Player {
 public:
  Player(SoundFile& file, Device& device, bool quiet)
      : file_(file),
        device_(device),
        frame_bytes_(static_cast<std::size_t>(file.format().frame_bytes())),
        progress_(!quiet) {}

  // To the end of the file. False with one line in `why`.
  bool run(std::string& why) {
    progress_.end_with_signals();
    const std::size_t block_frames = device_.block_frames(file_.format());
    std::vector<std::byte> block(block_frames * frame_bytes_);
    for (;;) {
      progress_.show([this] { return state(); });
      std::size_t frames = 0, taken = 0;
      if (!file_.read(block.data(), block_frames, frames, why)) break;
      if (frames == 0) return drain(why);
      const bool whole = device_.write(block.data(), frames * frame_bytes_, taken, why);
      frames_ += taken / frame_bytes_;
      progress_.hear(block.data(), taken / frame_bytes_, file_.format());
      if (!whole) break;
    }
    why += ", after " + std::to_string(frames_) + " frames";
    return false;
  }

  std::size_t frames() const { return frames_; }

 private:
  Progress::State state() {
    const double rate_hz = file_.format().rate_hz;
    const std::size_t delay_frames = std::min(device_.delay_bytes() / frame_bytes_, frames_);
    return {static_cast<double>(frames_ - delay_frames) / rate_hz,
            static_cast<double>(file_.total_frames()) / rate_hz, device_.faults()};
  }

  // What is still on its way is told as well, as long as it moves.
  bool drain(std::string& why) {
    if (progress_.shows()) {
      std::size_t before = 0;
      for (std::size_t delay; (delay = device_.delay_bytes()) > 0 && delay != before;) {
        before = delay;
        progress_.show([this] { return state(); });
        device_.pause();
      }
    }
    return device_.drain(why);
  }

  SoundFile& file_;
  Device& device_;
  const std::size_t frame_bytes_;
  std::size_t frames_ = 0;
  Progress progress_;
};

bool play_all(const Options& options, SoundFile& file, Device& device, std::size_t& frames,
              std::string& why) {
  Player player(file, device, options.quiet);
  const bool whole = player.run(why);
  frames = player.frames();
  return whole;
}

int play(const Options& options, double wait_seconds) {
  std::string why;
  SoundFile file;
  if (!file.open(options.path, options.spec, why)) return failed(why);
  Device device;
  std::size_t frames = 0;
  if (!device.open(Device::Direction::kPlay, wait_seconds, why) ||
      !device.set_format(file.format(), why) || !play_all(options, file, device, frames, why)) {
    return failed(why);
  }
  if (!options.quiet) {
    std::cout << describe_sound(frames, file.format()) << " played from " << options.path << "\n";
  }
  return kDone;
}

}  // namespace

void add_play(CLI::App& app, int& status) {
  CLI::App* command = app.add_subcommand("play", "Plays a sound file into an instance");
  const auto options = std::make_shared<Options>();
  const auto side = add_side_options(*command, false);
  add_sound_options(*command, options->words, "What it is, whatever its name");
  command->footer("-e, -c and -r tell what raw samples are.");
  command->add_flag("-q,--quiet", options->quiet, "Tell only what fails")->option_text(" ");
  offer(command->add_option("FILE", options->path,
                            "Of any kind that libsndfile reads; - is standard input"),
        offer_files)
      ->required()
      ->option_text(" ");
  command->callback([options, side, &status] {
    std::string why;
    const std::string device = side->device(false, why);
    const bool right =
        !device.empty() && options->words.spec_to_play(options->path, options->spec, why);
    status = right ? on_device(device, [&] { return play(*options, side->wait_seconds); })
                   : wrong_usage(why);
  });
}

}  // namespace ossloop::ctl
