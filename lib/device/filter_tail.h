// What a rate converter has taken in and not yet given out, kept where the peer
// finds it: the last frames of a player that is killed lie in its filter.
//
// The client converts, so the client keeps and the server rescues. The frames as
// the program wrote them lie in a file beside the segment, one for each of two
// streams (abi::Tail tells of them), so that the next player can begin while
// the server has not yet read to the end of the last.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "audio/pcm_format.h"
#include "device/port.h"

namespace ossloop::device {

// How many frames of the program are kept: the longest filter's content and as
// much before it, which the last outputs are computed from too.
std::uint64_t tail_frames(int rate_hz);

// The producer's half. Keeps nothing, and says so in the log, when there is no
// memory for it: sound is not refused for that.
class FilterTail {
 public:
  explicit FilterTail(Port& port) : port_(port) {}

  // False while the server has not heard of the end of the stream before last.
  bool may_begin(std::uint64_t stream) const;
  // The converter begins anew at `written`, a position in the ring.
  void begin(std::uint64_t stream, std::uint64_t written);
  // Frames that may be converted and published before keep() is called for them.
  std::size_t piece_frames() const;
  // These went into the converter, and what came out is published.
  void keep(const std::byte* frames, std::size_t count);
  // The levels have changed.
  void set_levels(std::uint64_t levels);
  // Another process of this open has gone on without our converter: what is kept
  // is its business now.
  void forget() { stream_ = 0; }
  // The converter is empty, or what it holds is not wanted any more.
  void settle();

 private:
  abi::Tail& slot(std::uint64_t stream) const;

  Port& port_;
  std::uint64_t stream_ = 0;  // 0: nothing is kept
  audio::PcmFormat format_{};
  shm::Mapping mapping_;
  std::size_t mapped_slot_ = 0;
};

// The consumer's half: is there something to rescue of `stream`, whose producer is
// gone? `end` is where its frames in the ring end.
bool tail_owed(const Port& port, std::uint64_t stream, std::uint64_t end);

// The missing frames in the loop's format; empty when they cannot be had.
std::vector<std::byte> rescue_tail(Port& port, std::uint64_t stream, std::uint64_t end);

}  // namespace ossloop::device
