#include "viewer/row_details.h"

#include <algorithm>
#include <string>
#include <vector>

#include "config/config.h"

namespace ossloop::view {
namespace {

constexpr int kFiguresWidth = 50;  // behind a bar
constexpr int kLeastBar = 10;

std::string who(const Row& row) {
  if (!row.problem.empty()) return row.problem;
  if (row.side.state == control::SideState::kFree) return row.device + " is free";
  if (row.side.state == control::SideState::kOpening) return row.device + " is being opened";
  std::string text = row.device + "  " + row.side.command + " (PID " +
                     std::to_string(row.side.pid) + ") " + (row.plays ? "plays " : "records ") +
                     row.format;
  if (row.side.fragments > 0) {
    text += ", " + std::to_string(row.side.fragments) + " fragments of " +
            std::to_string(row.side.fragment_bytes) + " bytes";
  }
  return row.side.state == control::SideState::kDead ? text + ", ended without a close" : text;
}

std::string mixer(const control::MixerView& view) {
  std::string text = "mixer   ";
  for (std::size_t i = 0; i < std::size(control::kMixerChannelNames); ++i) {
    text.append(" ").append(control::kMixerChannelNames[i]).append(" ");
    text.append(std::to_string(view.channel[i].left)).append(":");
    text.append(std::to_string(view.channel[i].right));
  }
  return text + (view.muted ? ", muted" : "");
}

std::string counters(const control::StreamView& stream) {
  return "counters " + std::to_string(stream.underruns) + " underruns, " +
         std::to_string(stream.overruns) + " overruns, " + std::to_string(stream.silence_frames) +
         " silence, " + std::to_string(stream.dropped_frames) + " dropped, " +
         std::to_string(stream.clipped_samples) + " clipped";
}

std::string clock(const control::StreamView& stream) {
  return std::string("clock    ") + (stream.clock_running ? "runs" : "at rest") + ", error " +
         std::to_string(stream.clock_error_frames) + " frames, trim " +
         std::to_string(stream.trim_ppm) + " ppm, held " + std::to_string(stream.held_ms) +
         " ms, stalled " + std::to_string(stream.stalled_ms) + " ms";
}

// As many lines as that takes.
std::vector<std::string> policies(const config::InstancePolicy& policy, int width) {
  std::vector<std::string> lines{"policy  "};
  for (const config::Key& key : config::kKeys) {
    if (key.scope != config::Scope::kInstance) continue;
    std::string word = " ";
    word.append(key.name).append("=").append(config::format_policy_value(policy, key.name));
    if (static_cast<int>(lines.back().size() + word.size()) > width) lines.emplace_back("        ");
    lines.back() += word;
  }
  return lines;
}

const control::StreamView& stream_of(const Row& row, const control::InstanceView& view) {
  const bool reads = row.key.direction == abi::kClientToServer;
  const control::DirectionView& direction = view.other && view.stream.server_reads != reads
                                                ? *view.other
                                                : static_cast<const control::DirectionView&>(view);
  for (const control::ClientView& client : direction.clients) {
    if (static_cast<int>(client.slot) == row.key.slot) return client.stream;
  }
  return direction.stream;
}

void draw_channel(Grid& grid, int line, std::size_t number, const Level& level, Bars bars) {
  const int bar = std::max(grid.columns() - 6 - kFiguresWidth, kLeastBar);
  grid.put(line, 1, std::to_string(number + 1), Style::kDim, 3);
  draw_bar(grid, line, 5, bar, level, bars);
  const std::string figures = decibels(level.peak) + " dBFS, RMS " + decibels(level.rms) +
                              ", held " + decibels(level.held) + ", highest " +
                              decibels(level.highest);
  grid.put(line, 5 + bar + 1, figures, level.held >= 1 ? Style::kBad : Style::kPlain);
}

}  // namespace

void draw_details(Grid& grid, int top, int height, const Row& row,
                  const control::InstanceView& view, Bars bars) {
  const control::StreamView& stream = stream_of(row, view);
  std::vector<std::string> lines{counters(stream), clock(stream), mixer(view.mixer)};
  for (std::string& line : policies(view.policy, grid.columns() - 2)) {
    lines.push_back(std::move(line));
  }
  int line = top;
  const int end = top + height;
  if (line < end) grid.put(line++, 1, who(row), Style::kBold);
  // Some channels in any case; all, where what follows has its place.
  const int spare = end - line - static_cast<int>(lines.size());
  const int few = std::min(2, end - line);
  const int channels = std::min(static_cast<int>(row.levels.size()), std::max(spare, few));
  for (int i = 0; i < channels; ++i) {
    draw_channel(grid, line++, static_cast<std::size_t>(i), row.levels[static_cast<std::size_t>(i)],
                 bars);
  }
  for (const std::string& text : lines) {
    if (line < end) grid.put(line++, 1, text, Style::kPlain);
  }
}

}  // namespace ossloop::view
