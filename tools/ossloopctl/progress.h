// A line on the terminal that tells how far a recording or a player is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "audio/pcm_format.h"

namespace ossloop::ctl {

// Draws on standard error if that is a terminal, at most ten times a second, and never waits
// for it: what the terminal does not take at once is left out.
class Progress {
 public:
  // `wanted` false: draws nothing.
  explicit Progress(bool wanted);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  bool shows() const { return fd_ >= 0; }
  // A signal that ends the program takes the line away first.
  void end_with_signals() const;

  // Hears how loud these samples are.
  void hear(const void* data, std::size_t frames, const audio::PcmFormat& format);
  struct State {
    double seconds = 0;
    double total_seconds = 0;  // 0: unknown
    std::string faults;
  };
  // Draws, if it is time, what `state` tells then.
  void show(const std::function<State()>& state);
  // Takes the line away, for others to write.
  void erase();

 private:
  int fd_ = -1;
  std::int64_t drawn_ns_;
  double peak_ = 0;
};

// As much of it as fits in a line of `columns`: the time first, then the level, what went wrong,
// and the whole length.
std::string progress_line(const Progress::State& state, double peak, std::size_t columns);

}  // namespace ossloop::ctl
