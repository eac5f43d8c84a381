// What the monitor shows of the instances: a row for each server and each client, made from
// what lib/control sees, and from what was seen before.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "control/view.h"
#include "viewer/drift.h"
#include "viewer/meter.h"

namespace ossloop::view {

struct Row {
  static constexpr int kServer = -1;
  struct Key {
    int instance = 0;
    abi::DirectionIndex direction = abi::kClientToServer;
    int slot = kServer;
    auto operator<=>(const Key&) const = default;
  };

  Key key;
  std::string device;  // "server0", "pcm0"; of several clients "pcm0.2"
  control::SideView side;
  bool plays = false;
  std::string format;  // "S16 2x48000"
  control::StreamState state = control::StreamState::kIdle;
  std::vector<Level> levels;  // none where it hears what another row shows
  std::uint64_t fill_ms = 0, delay_ms = 0, underruns = 0, overruns = 0;
  std::string pace;  // "+12" in ppm, "+5.0%", "free", "-"
  bool muted = false;
  std::string problem;  // of an instance that cannot be read

  bool server() const { return key.slot == kServer; }
  bool flows() const { return state == control::StreamState::kRunning; }
};

class Rows {
 public:
  // `now_ns` is that of CLOCK_MONOTONIC.
  void update(std::span<const control::InstanceView> views, std::int64_t now_ns);
  // Forgets every peak that is held.
  void reset_peaks() { memory_.clear(); }

  const std::vector<Row>& rows() const { return rows_; }

  static constexpr std::int64_t kHoldNs = 2'000'000'000;

 private:
  struct Peak {
    double held = 0, highest = 0;
    std::int64_t held_ns = 0;
  };
  struct Memory {
    std::uint32_t pid = 0;
    std::vector<Peak> peaks;
    DriftMeter drift;
    bool seen = false;
  };

  void add_direction(const control::InstanceView& view, const control::DirectionView& direction,
                     std::int64_t now_ns);
  void finish(Row row, const control::StreamView& stream, const control::InstanceView& view,
              std::int64_t now_ns);
  void hold_peaks(const device::Loudness& loudness, Memory& memory, Row& row, std::int64_t now_ns);

  std::vector<Row> rows_;
  std::map<Row::Key, Memory> memory_;
};

}  // namespace ossloop::view
