// One direction of an instance, as it shows itself to the program that has its server side open
// and joins it to a sound card: who waits, in what format, and where the clock is.
//
// Looks at the segment, and changes words of it that are the server's: how its clock runs, where
// it stops, and that a call waits. Any thread, one at a time; another may wait_for_client().
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "audio/pcm_format.h"
#include "config/runtime.h"
#include "shm/segment.h"
#include "stream/halves.h"

namespace ossloop::control {

class ServerStream {
 public:
  // `way`: what the server does. The side must be open. nullptr with one line in `why`.
  static std::unique_ptr<ServerStream> open(const config::Runtime& runtime, int number,
                                            device::Access way, std::string& why);

  // Has a client begun, and waits for the server? It has written what nobody took, or wants to
  // record.
  bool client_waits() const;
  // Sleeps until that is true, or `over` and somebody has called end_wait().
  void wait_for_client(const std::atomic<bool>& over) const;
  void end_wait() const;
  // The format of what comes next of the first client that waits, or that in which it records.
  // Nothing where none waits.
  std::optional<audio::PcmFormat> client_format() const;
  // The same of one that is heard alone.
  std::optional<audio::PcmFormat> lone_client_format() const;
  // Has this process a client side open, too?
  bool is_own_client(pid_t pid) const;

  // How many of the server's frames, and parts of one, the clock is ahead at `at_ns`
  // (CLOCK_MONOTONIC) of what the server has moved: what is due and not yet read; below 0:
  // what is written and not yet due. Nothing while no clock runs.
  struct Ahead {
    double frames = 0;
    // Of which stream: what is told of different ones does not belong together.
    std::uint64_t stream = 0;
  };
  std::optional<Ahead> ahead(std::int64_t at_ns, int server_rate_hz) const;

  // Whether the server's recording stops where a client that it hears alone goes on in another
  // format, until it has taken that (abi::Half::stops_at_marks).
  void stop_at_marks(bool stops);

  // Runs the clock of the direction so much faster than the policies say, until the server
  // closes; not more than device::kMostTrimPpm. It is heard at the next read, with no jump.
  void trim(int ppm);

 private:
  ServerStream(std::shared_ptr<shm::Segment> segment, device::Access way)
      : segment_(std::move(segment)), way_(way) {}
  abi::Direction& direction() const;
  bool plays(std::uint32_t slot) const;
  bool waits(std::uint32_t slot) const;
  std::uint64_t first_frame() const;

  std::shared_ptr<shm::Segment> segment_;
  const device::Access way_;
};

}  // namespace ossloop::control
