#include "device/admission.h"

#include <errno.h>

#include "device/dead_opens.h"

namespace ossloop::device {

bool Admission::duplex() const {
  return config::get<"duplex", abi::Duplex>(segment_.contract().policy) == abi::Duplex::kOn;
}

std::uint32_t Admission::clients() const {
  return request_.side == abi::kServer
             ? 1
             : config::get<"clients", std::uint32_t>(segment_.contract().policy);
}

bool Admission::both_ways() const { return duplex() && request_.access == kReadWrite; }

// Without duplex a side's places are taken whole, whichever way they are open.
bool Admission::is_free(std::uint32_t slot) const {
  const std::uint32_t ways = open_ways(segment_.contract(), request_.side, slot);
  return duplex() ? (ways & request_.access) == 0 : ways == 0;
}

bool Admission::has_room() const {
  std::uint32_t opens = 0, playing = 0, recording = 0;
  for (std::uint32_t slot = 0; slot < shm::slots_of(request_.side); ++slot) {
    each_open(segment_.contract(), request_.side, slot, [&](const abi::Half&, std::uint32_t ways) {
      ++opens;
      if ((ways & kWrite) != 0) ++playing;
      if ((ways & kRead) != 0) ++recording;
    });
  }
  if (!duplex()) return opens < clients();
  return ((request_.access & kWrite) == 0 || playing < clients()) &&
         ((request_.access & kRead) == 0 || recording < clients());
}

int Admission::find_place() {
  forget_dead(request_.folder, request_.instance, segment_.contract(), request_.side);
  if (request_.side == abi::kServer) {
    const bool unused = open_ways(segment_.contract(), abi::kServer) == 0;
    if (unused && request_.configured)
      config::refresh_policy(*request_.configured, segment_.contract().policy);
    if (request_.access == kReadWrite && !duplex()) return -EACCES;
  }
  if (!has_room()) return -EBUSY;
  std::uint32_t slot = 0;
  while (!is_free(slot)) {
    if (++slot == shm::slots_of(request_.side)) return -EBUSY;
  }
  shm::NodeKind kind = shm::NodeKind::kWhole;
  if (duplex() && request_.access == kWrite) kind = shm::NodeKind::kPlaying;
  if (duplex() && request_.access == kRead) kind = shm::NodeKind::kRecording;
  place_ = {request_.side, slot, kind};
  return shm::Node(request_.folder, request_.instance, place_).make();
}

}  // namespace ossloop::device
