// What the files of an instance are called in the runtime folder.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "abi/layout.h"

namespace ossloop::shm {

inline std::string segment_name(int instance) { return "loop" + std::to_string(instance); }
// Where an open has its place: a side, of clients a slot, and which of the place's nodes is
// its own. Who plays and records by two opens has one for each.
enum class NodeKind : std::uint32_t { kWhole, kPlaying, kRecording };
inline constexpr NodeKind kNodeKinds[] = {NodeKind::kWhole, NodeKind::kPlaying,
                                          NodeKind::kRecording};
struct Place {
  constexpr Place(abi::SideIndex of, std::uint32_t number = 0, NodeKind node = NodeKind::kWhole)
      : side(of), slot(number), kind(node) {}
  bool operator==(const Place&) const = default;

  abi::SideIndex side;
  std::uint32_t slot;
  NodeKind kind;
};
inline constexpr std::uint32_t slots_of(abi::SideIndex side) {
  return side == abi::kServer ? 1 : abi::kClients;
}

// Of a side and its slot, without the kind.
inline std::string place_name(int instance, const Place& place) {
  std::string name = place.side == abi::kServer ? "server" : "pcm";
  name += std::to_string(instance);
  if (place.slot != 0) name.append(".").append(std::to_string(place.slot));
  return name;
}
inline std::string node_name(int instance, const Place& place) {
  constexpr const char* kEndings[] = {"", ".playing", ".recording"};
  return place_name(instance, place).append(kEndings[static_cast<std::size_t>(place.kind)]);
}
inline std::string mixer_name(int instance) { return "mix" + std::to_string(instance); }
inline std::string map_name(int instance, const Place& place, bool recorded) {
  return place_name(instance, place).append(recorded ? ".recorded" : ".played");
}

// Of all nodes of an instance the place.
template <typename Work>
void each_place(Work work) {
  for (const abi::SideIndex side : {abi::kServer, abi::kClient}) {
    for (std::uint32_t slot = 0; slot < slots_of(side); ++slot) {
      for (const NodeKind kind : kNodeKinds) work(Place(side, slot, kind));
    }
  }
}

// Those that mean something only while a side is open.
inline std::vector<std::string> passing_names(int instance) {
  std::vector<std::string> names;
  each_place([&](const Place& place) {
    if (place.kind == NodeKind::kWhole) return;
    names.push_back(map_name(instance, place, place.kind == NodeKind::kRecording));
  });
  return names;
}

// All there can be; the segment first: without it the instance is gone for everybody.
inline std::vector<std::string> all_names(int instance) {
  std::vector<std::string> names{segment_name(instance)};
  each_place([&](const Place& place) { names.push_back(node_name(instance, place)); });
  names.push_back(mixer_name(instance));
  for (std::string& name : passing_names(instance)) names.push_back(std::move(name));
  return names;
}

}  // namespace ossloop::shm
