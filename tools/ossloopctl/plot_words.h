// What the words of `plot` say.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <limits>
#include <optional>
#include <string>

#include "ossloopctl/sound_words.h"

namespace ossloop::ctl {

struct PlotWords {
  std::string input;               // a sound file; "-" is standard input
  std::optional<std::string> tap;  // or what is heard of this instance; empty: 0
  std::string output;              // where no other is said, beside the file
  SoundWords sound;                // raw samples
  double seconds = std::numeric_limits<double>::infinity();
  double wait_seconds = 0;
  bool waveform = false;
  bool spectrogram = false;
  std::string window = "blackman";
  int width_pixels = 1200;
};

inline constexpr double kUsualTapSeconds = 10;

// Adds the subcommand; `run` is called when the words name it.
void add_plot_words(CLI::App& app, const std::function<void(const PlotWords&)>& run);

// False with one line in `why`: the words do not go together.
bool check(const PlotWords& words, std::string& why);

// "song.png" of "song.wav".
std::string picture_beside(const std::string& path);

}  // namespace ossloop::ctl
