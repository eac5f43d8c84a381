// ossloopctl play: a sound file into a loop.
#include <cstdio>
#include <iostream>
#include <memory>
#include <vector>

#include "ossloopctl/command.h"
#include "ossloopctl/device.h"
#include "ossloopctl/side.h"
#include "ossloopctl/sound_file.h"

namespace ossloop::ctl {
namespace {

constexpr std::size_t kBlockFrames = 4096;

struct Options {
  std::string path;
  double wait_seconds = 0;  // for a server
};

int play(const Options& options) {
  std::string why;
  SoundFile file;
  if (!file.open(options.path, why)) return failed(why);
  Device device;
  if (!device.open(Device::Direction::kPlay, options.wait_seconds, why) ||
      !device.set_format(file.format(), why)) {
    return failed(why);
  }
  const auto frame_bytes = static_cast<std::size_t>(file.format().frame_bytes());
  std::vector<std::byte> block(kBlockFrames * frame_bytes);
  std::size_t played_frames = 0;
  for (;;) {
    std::size_t frames = 0, taken = 0;
    if (!file.read(block.data(), kBlockFrames, frames, why)) return failed(why);
    if (frames == 0) break;
    const bool whole = device.write(block.data(), frames * frame_bytes, taken, why);
    played_frames += taken / frame_bytes;
    if (!whole) return failed(why + ", after " + std::to_string(played_frames) + " frames");
  }
  if (!device.drain(why)) return failed(why);
  std::cout << describe_sound(played_frames, file.format()) << " played from " << options.path
            << "\n";
  return kDone;
}

}  // namespace

void add_play(CLI::App& app, int& status) {
  CLI::App* command = app.add_subcommand("play", "Plays a sound file into an instance");
  const auto options = std::make_shared<Options>();
  const auto side = add_side_options(*command, false);
  command
      ->add_option("FILE", options->path, "Of any kind that libsndfile reads; - is standard input")
      ->required()
      ->option_text(" ");
  command->callback([options, side, &status] {
    std::string why;
    options->wait_seconds = side->wait_seconds;
    const std::string device = side->device(false, why);
    status = device.empty() ? wrong_usage(why) : on_device(device, [&] { return play(*options); });
  });
}

}  // namespace ossloop::ctl
