// Which place an open gets: a half for each way that it is open for, as the policies `duplex`
// and `clients` allow.
#pragma once

#include <cstdint>

#include "config/policy.h"
#include "device/endpoint.h"
#include "shm/names.h"
#include "shm/segment.h"
#include "stream/halves.h"

namespace ossloop::device {

// With the door of the side held, in the device thread.
class Admission {
 public:
  Admission(const OpenRequest& request, shm::Segment& segment)
      : request_(request), segment_(segment), place_(request.side) {}

  // 0; -EACCES: a server for both directions; -EBUSY; or why its node cannot be made.
  int find_place();
  const shm::Place& place() const { return place_; }
  // It plays and records at once.
  bool both_ways() const;

 private:
  bool duplex() const;
  std::uint32_t clients() const;
  bool is_free(std::uint32_t slot) const;
  bool has_room() const;

  const OpenRequest& request_;
  shm::Segment& segment_;
  shm::Place place_;
};

}  // namespace ossloop::device
