// What a bridge is told: the words of `ossloopctl bridge`, and of ossloop-bridge, which it starts.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace ossloop::bridge {

struct Options {
  std::string instance = "0";
  std::string to = "auto";
  std::string device;
  bool in = false;
  bool out = false;
  bool verbose = false;
  int latency_ms = 30;
};

inline constexpr int kShortestLatencyMs = 5, kLongestLatencyMs = 1000;

}  // namespace ossloop::bridge
