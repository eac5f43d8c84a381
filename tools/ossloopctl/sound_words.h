// What the words of a command say about a sound file or raw samples.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "ossloopctl/sound_format.h"

namespace ossloop::ctl {

struct SoundWords {
  std::string type;
  std::string encoding;
  int channels = 0;  // 0: not said
  int rate_hz = 0;

  // What is to be written to `path`. This and below: false with one line in `why`.
  bool spec_to_record(const std::string& path, SoundSpec& spec, std::string& why) const;
  // What `path` is: only of raw samples more than the kind is said, and all of it.
  bool spec_to_play(const std::string& path, SoundSpec& spec, std::string& why) const;

 private:
  bool named(SoundSpec& spec, std::string& why) const;
};

// Adds --type, --encoding, --channels and --rate.
void add_sound_options(CLI::App& command, SoundWords& words, const std::string& type_help);

}  // namespace ossloop::ctl
