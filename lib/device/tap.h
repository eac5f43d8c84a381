// A recorder that claims nothing and delays nobody: it hears what another hears, in a format
// of its own, and what it does not fetch in time it loses.
//
// It is a reader like any other (device/capture.h), whose words lie in its own memory
// (stream/halves.h: Listener) and which wakes nobody; so it polls.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "device/capture.h"
#include "device/open_half.h"
#include "shm/runtime_directory.h"
#include "shm/segment.h"

namespace ossloop::device {

class Tap {
 public:
  // In the place of the server it hears its clients, in that of a client the server. From the
  // frame on that is heard now.
  Tap(std::shared_ptr<shm::Segment> segment, const shm::RuntimeDirectory& folder, int instance,
      abi::SideIndex side, const audio::PcmFormat& format);
  ~Tap();

  // As Capture::read(): 0 bytes moved is not yet the end.
  TransferResult read(std::byte* data, std::size_t bytes, std::int64_t now_ns);
  // Is there a frame to read, or an end to be told?
  bool ready(std::int64_t now_ns);

  // Has anybody a side open, or is what was played still to be heard? Looks who was killed.
  bool in_use();
  // Frames that came and were not fetched in time, in the players' own rates.
  std::uint64_t lost_frames() const;

 private:
  const shm::RuntimeDirectory folder_;
  const int instance_;
  base::Fd rings_;
  const std::unique_ptr<Listener> listener_ = std::make_unique<Listener>();
  OpenHalf half_;
  Capture capture_;
};

}  // namespace ossloop::device
