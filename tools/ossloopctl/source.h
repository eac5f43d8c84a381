// What a recording is made of.
#pragma once

#include <signal.h>

#include <cstddef>
#include <string>

#include "audio/pcm_format.h"

namespace ossloop::ctl {

class Source {
 public:
  virtual ~Source() = default;

  // From here on it hears. This and all below: false with one line in `why`.
  virtual bool set_format(const audio::PcmFormat& format, std::string& why) = 0;

  // What is fetched at once.
  virtual std::size_t block_frames(const audio::PcmFormat& format) = 0;
  // Sleeps until there is something to read, a signal comes that `blocked` lets through, or the
  // reader of `pipe` is gone; false with nothing in `why` in the last two cases.
  virtual bool wait(const sigset_t& blocked, int pipe, std::string& why) = 0;
  // Whole frames that are there, at most `bytes`. The stream has `ended`, or `got` is 0: nothing
  // is there yet.
  virtual bool read(void* data, std::size_t bytes, std::size_t& got, bool& ended,
                    std::string& why) = 0;
  // read() would give sound or an end without a wait before it.
  virtual bool has_more() = 0;
  // Goes on after the end, whoever is gone.
  virtual void follow() {}

  // "3 xruns": what has gone wrong so far.
  virtual std::string faults() = 0;
  // What there is to say in the end, if anything.
  virtual std::string losses() { return {}; }
};

// Has whoever read this pipe ended? -1: no pipe.
bool reader_is_gone(int pipe);

}  // namespace ossloop::ctl
