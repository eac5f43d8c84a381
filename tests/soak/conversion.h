// Sound that is converted on its way, and what must come out of it: bit for bit, since
// without a clock that depends on what went in and on nothing else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "audio/converter.h"

namespace soak {

using ossloop::audio::PcmFormat;
using Sound = std::vector<std::byte>;

// Frames of a stream, counted from 0 on: noise that is the same each time.
void put_noise(std::byte* at, const PcmFormat& format, std::uint64_t stream, std::int64_t first,
               std::int64_t frames);

// What was written of a stream, and how it was heard.
struct Conversion {
  PcmFormat from;
  PcmFormat to;
  ossloop::audio::Quality quality;
  std::uint64_t stream;

  // Is `heard` all that comes of so many frames at least, and so many at most?
  bool is_whole(const Sound& heard, std::int64_t least, std::int64_t most) const;
  // Is it how the sound of the stream begins?
  bool is_beginning(const Sound& heard) const;

 private:
  // Of so many frames, with the tail or without it; no more than so many bytes are wanted.
  Sound convert(std::int64_t frames, bool tail, std::size_t bytes) const;
};

}  // namespace soak
