#include "viewer/rows.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "config/policy.h"

namespace ossloop::view {
namespace {

using control::InstanceView;
using control::SideState;
using control::StreamState;
using control::StreamView;

std::string format_text(const audio::PcmFormat& format) {
  const audio::SampleFormat* row = audio::find_format(format.afmt);
  std::string name = row != nullptr ? row->name : "?";
  // All are of this machine but those that say otherwise.
  for (const char* const native : {"_LE", "_NE"}) {
    if (name.ends_with(native)) name.erase(name.size() - 3);
  }
  return name + " " + std::to_string(format.channels) + "x" + std::to_string(format.rate_hz);
}

bool known(const control::SideView& side) {
  return side.state == SideState::kOpen || side.state == SideState::kDead;
}

// Of the real time.
double clock_factor(const config::InstancePolicy& policy) {
  return static_cast<double>(config::get<"clock">(policy)) / config::kRealtimeClock;
}

std::string pace_text(double ppm) {
  char text[32];
  if (std::fabs(ppm) >= 9999.5) {
    std::snprintf(text, sizeof text, "%+.1f%%", std::clamp(ppm / 1e4, -100.0, 999.0));
  } else {
    // The sum has no negative zero.
    std::snprintf(text, sizeof text, "%+.0f", std::round(ppm) + 0.0);
  }
  return text;
}

std::string pace(const Row& row, const StreamView& stream, double factor, DriftMeter& drift) {
  if (!row.flows() || factor < 0 || !stream.clock_running) {
    drift.stop();
    return row.flows() && factor < 0 ? "free" : "-";
  }
  drift.update({.stream = stream.number,
                .position_frames = stream.played_frames,
                .time_ns = stream.looked_ns,
                .rate_hz = factor * stream.rate_hz});
  const auto ppm = drift.ppm();
  return ppm ? pace_text(*ppm) : "-";
}

}  // namespace

void Rows::hold_peaks(const device::Loudness& loudness, Memory& memory, Row& row,
                      std::int64_t now_ns) {
  memory.peaks.resize(loudness.channels.size());
  for (std::size_t i = 0; i < loudness.channels.size(); ++i) {
    const device::Loudness::Channel& channel = loudness.channels[i];
    Peak& peak = memory.peaks[i];
    if (channel.peak >= peak.held || now_ns - peak.held_ns > kHoldNs) {
      peak.held = channel.peak;
      peak.held_ns = now_ns;
    }
    peak.highest = std::max(peak.highest, channel.peak);
    row.levels.push_back({channel.peak, channel.rms, peak.held, peak.highest});
  }
}

void Rows::finish(Row row, const StreamView& stream, const InstanceView& view,
                  std::int64_t now_ns) {
  Memory& memory = memory_[row.key];
  if (memory.pid != row.side.pid) memory = {};
  memory.pid = row.side.pid;
  memory.seen = true;
  if (known(row.side)) row.format = format_text(row.side.format);
  row.state = stream.state;
  row.muted = view.mixer.muted;
  row.fill_ms = stream.fill_ms;
  row.delay_ms = stream.delay_ms;
  row.underruns = stream.underruns;
  row.overruns = stream.overruns;
  // Who hears is shown by who plays; the server shows all that it hears.
  if (row.plays || row.server()) hold_peaks(stream.loudness, memory, row, now_ns);
  row.pace = pace(row, stream, clock_factor(view.policy), memory.drift);
  rows_.push_back(std::move(row));
}

void Rows::add_direction(const InstanceView& view, const control::DirectionView& direction,
                         std::int64_t now_ns) {
  const std::string number = std::to_string(view.number);
  const bool reads = direction.stream.server_reads;
  const auto index = reads ? abi::kClientToServer : abi::kServerToClient;
  Row server;
  server.key = {view.number, index, Row::kServer};
  server.device = std::string("server").append(number);
  server.side = direction.server;
  if (!view.other && !known(server.side)) server.side = view.side[abi::kServer];
  server.plays = !reads;
  server.problem = view.problem;
  finish(std::move(server), direction.stream, view, now_ns);
  for (const control::ClientView& client : direction.clients) {
    Row row;
    row.key = {view.number, index, static_cast<int>(client.slot)};
    row.device = std::string("pcm").append(number);
    if (direction.clients.size() > 1) row.device.append(".").append(std::to_string(client.slot));
    row.side = client.side;
    row.plays = reads;
    finish(std::move(row), client.stream, view, now_ns);
  }
}

void Rows::update(std::span<const InstanceView> views, std::int64_t now_ns) {
  rows_.clear();
  for (auto& [key, memory] : memory_) memory.seen = false;
  for (const InstanceView& view : views) {
    add_direction(view, view, now_ns);
    if (view.other) add_direction(view, *view.other, now_ns);
  }
  std::erase_if(memory_, [](const auto& entry) { return !entry.second.seen; });
}

}  // namespace ossloop::view
