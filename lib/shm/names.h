// What the files of an instance are called in the runtime folder.
#pragma once

#include <array>
#include <cstddef>
#include <string>

#include "abi/layout.h"

namespace ossloop::shm {

inline std::string segment_name(int instance) { return "loop" + std::to_string(instance); }
inline std::string node_name(int instance, abi::SideIndex side) {
  return (side == abi::kServer ? "server" : "pcm") + std::to_string(instance);
}
inline std::string mixer_name(int instance) { return "mix" + std::to_string(instance); }
inline std::string map_name(int instance, abi::SideIndex side, bool recorded) {
  return node_name(instance, side) + (recorded ? ".recorded" : ".played");
}

// Those that mean something only while a side is open.
inline std::array<std::string, 4> passing_names(int instance) {
  return {map_name(instance, abi::kServer, true), map_name(instance, abi::kServer, false),
          map_name(instance, abi::kClient, true), map_name(instance, abi::kClient, false)};
}

// All there can be; the segment first: without it the instance is gone for everybody.
inline std::array<std::string, 8> all_names(int instance) {
  const auto passing = passing_names(instance);
  return {segment_name(instance),
          node_name(instance, abi::kServer),
          node_name(instance, abi::kClient),
          mixer_name(instance),
          passing[0],
          passing[1],
          passing[2],
          passing[3]};
}

}  // namespace ossloop::shm
