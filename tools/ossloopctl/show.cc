#include "ossloopctl/show.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <ctime>
#include <iomanip>
#include <iterator>
#include <ostream>
#include <sstream>
#include <string_view>
#include <vector>

#include "audio/pcm_format.h"
#include "config/config.h"

namespace ossloop::ctl {
namespace {

using control::InstanceView;
using control::SegmentState;
using control::SideState;
using control::SideView;

// By the value of each enumerator.
constexpr const char* kSideStates[] = {"free", "opening", "open", "dead"};
constexpr const char* kStreamStates[] = {"idle", "waiting", "filling", "running", "ending"};
constexpr const char* kSegmentStates[] = {"none", "present", "unreadable"};
constexpr const char* kDirections[] = {"none", "read", "write", "both"};

device::Loudness::Channel loudest(const device::Loudness& loudness) {
  device::Loudness::Channel most;
  for (const device::Loudness::Channel& channel : loudness.channels) {
    most.peak = std::max(most.peak, channel.peak);
    most.rms = std::max(most.rms, channel.rms);
  }
  return most;
}

template <std::size_t Size, typename Enum>
const char* name(const char* const (&names)[Size], Enum value) {
  return names[static_cast<std::size_t>(value)];
}

const char* format_name(const audio::PcmFormat& format) {
  const audio::SampleFormat* row = audio::find_format(format.afmt);
  return row != nullptr ? row->name : "?";
}

std::string format_text(const audio::PcmFormat& format) {
  return std::string(format_name(format)) + ", " + std::to_string(format.channels) +
         (format.channels == 1 ? " channel, " : " channels, ") + std::to_string(format.rate_hz) +
         " Hz";
}

Json format_json(const audio::PcmFormat& format) {
  return {
      {"format", format_name(format)}, {"channels", format.channels}, {"rate_hz", format.rate_hz}};
}

bool known(const SideView& side) {
  return side.state == SideState::kOpen || side.state == SideState::kDead;
}

Json side_json(const SideView& side) {
  Json json{{"state", name(kSideStates, side.state)}, {"alive", side.alive()}};
  for (const char* member : {"pid", "command", "direction", "nonblock", "format", "channels",
                             "rate_hz", "fragment_bytes", "fragments"}) {
    json[member] = nullptr;
  }
  if (!known(side)) return json;
  json["pid"] = side.pid;
  json["command"] = side.command;
  json["direction"] = name(kDirections, side.access);
  json["nonblock"] = side.nonblock;
  json.update(format_json(side.format));
  json["fragment_bytes"] = side.fragment_bytes;
  json["fragments"] = side.fragments;
  return json;
}

// Silence has none.
Json decibels_json(double level) {
  return level > 0 ? Json(std::round(20 * std::log10(level) * 100) / 100) : Json(nullptr);
}

Json levels_json(const device::Loudness& loudness) {
  Json json = Json::array();
  for (const device::Loudness::Channel& channel : loudness.channels) {
    json.push_back(
        {{"peak_dbfs", decibels_json(channel.peak)}, {"rms_dbfs", decibels_json(channel.rms)}});
  }
  return json;
}

std::string decibels_text(double level) {
  if (level <= 0) return "-inf";
  std::ostringstream text;
  text << std::fixed << std::setprecision(1) << 20 * std::log10(level);
  return text.str();
}

// Of a few channels each, of many the loudest.
std::string levels_text(const device::Loudness& loudness) {
  constexpr std::size_t kFew = 8;
  std::vector<device::Loudness::Channel> channels = loudness.channels;
  if (channels.empty()) return "nothing was played";
  if (channels.size() > kFew) channels = {loudest(loudness)};
  std::ostringstream text;
  text << "peak";
  for (const auto& channel : channels) text << " " << decibels_text(channel.peak);
  text << " dBFS, RMS";
  for (const auto& channel : channels) text << " " << decibels_text(channel.rms);
  text << " dBFS" << (channels.size() == loudness.channels.size() ? "" : ", the loudest channel");
  return text.str();
}

Json stream_json(const control::StreamView& stream) {
  return {{"state", name(kStreamStates, stream.state)},
          {"direction", stream.server_reads ? "client-to-server" : "server-to-client"},
          {"number", stream.number},
          {"fill_frames", stream.fill_frames},
          {"fill_ms", stream.fill_ms},
          {"delay_frames", stream.delay_frames},
          {"delay_ms", stream.delay_ms},
          {"levels", levels_json(stream.loudness)}};
}

Json clock_json(const control::StreamView& stream) {
  return {{"running", stream.clock_running},
          {"error_frames", stream.clock_error_frames},
          {"trim_ppm", stream.trim_ppm},
          {"held_ms", stream.held_ms},
          {"stalled_ms", stream.stalled_ms}};
}

Json counters_json(const control::StreamView& stream) {
  return {{"underruns", stream.underruns},
          {"overruns", stream.overruns},
          {"silence_frames", stream.silence_frames},
          {"dropped_frames", stream.dropped_frames},
          {"clipped_samples", stream.clipped_samples}};
}

Json client_json(const control::ClientView& client) {
  Json json = side_json(client.side);
  json["slot"] = client.slot;
  json["stream"] = stream_json(client.stream);
  json["clock"] = clock_json(client.stream);
  json["counters"] = counters_json(client.stream);
  return json;
}

Json mixer_json(const control::MixerView& mixer) {
  Json json{{"muted", mixer.muted}};
  for (std::size_t i = 0; i < std::size(mixer.channel); ++i) {
    json[control::kMixerChannelNames[i]] = {mixer.channel[i].left, mixer.channel[i].right};
  }
  return json;
}

std::string mixer_text(const control::MixerView& mixer) {
  std::string text;
  for (std::size_t i = 0; i < std::size(mixer.channel); ++i) {
    text += (i > 0 ? ", " : "") + std::string(control::kMixerChannelNames[i]) + " " +
            std::to_string(mixer.channel[i].left) + ":" + std::to_string(mixer.channel[i].right);
  }
  return text + (mixer.muted ? ", muted" : "");
}

std::string side_text(const SideView& side) {
  if (!known(side)) return name(kSideStates, side.state);
  constexpr const char* kVerbs[] = {"", "reads", "writes", "reads or writes"};
  const std::string who = side.command + " (PID " + std::to_string(side.pid) + ")";
  return side.state == SideState::kDead ? "free; " + who + " ended without a close"
                                        : who + " " + kVerbs[side.access];
}

// The first one, and how many more there are.
std::string clients_text(const InstanceView& view) {
  std::size_t count = view.clients.size();
  if (view.other) count = std::max(count, view.other->clients.size());
  const std::string first = side_text(view.side[abi::kClient]);
  return count < 2 ? first : first + ", and " + std::to_string(count - 1) + " more";
}

void print_clients(std::ostream& out, const control::DirectionView& view, const SideView& first) {
  if (view.clients.size() < 2) {
    out << "  client    " << side_text(view.clients.empty() ? first : view.clients[0].side) << "\n";
    return;
  }
  for (const control::ClientView& client : view.clients) {
    const control::StreamView& stream = client.stream;
    out << "  client " << client.slot << "  " << side_text(client.side) << ", "
        << format_text(client.side.format) << ", " << name(kStreamStates, stream.state) << ", "
        << stream.fill_ms << " ms on the way, delay " << stream.delay_ms << " ms\n";
  }
}

// What stands for a direction.
void add_direction(const control::DirectionView& view, Json& json) {
  json["loop"] = format_json(view.loop);
  json["loop"]["frozen"] = view.frozen;
  json["clients"] = Json::array();
  for (const control::ClientView& client : view.clients) {
    json["clients"].push_back(client_json(client));
  }
  json["stream"] = stream_json(view.stream);
  json["clock"] = clock_json(view.stream);
  json["counters"] = counters_json(view.stream);
}

void print_direction(std::ostream& out, const control::DirectionView& view, const SideView& server,
                     const SideView& client) {
  const control::StreamView& stream = view.stream;
  out << "  server    " << side_text(server) << "\n";
  print_clients(out, view, client);
  out << "  loop      " << format_text(view.loop) << (view.frozen ? ", frozen" : "") << "\n"
      << "  stream    " << name(kStreamStates, stream.state) << ", "
      << (stream.server_reads ? "client to server" : "server to client") << ", "
      << stream.fill_frames << " frames (" << stream.fill_ms << " ms) on the way, delay "
      << stream.delay_ms << " ms\n"
      << "  levels    " << levels_text(stream.loudness) << "\n"
      << "  clock     " << (stream.clock_running ? "running" : "at rest") << ", error "
      << stream.clock_error_frames << " frames, trim " << stream.trim_ppm << " ppm, held for "
      << stream.held_ms << " ms, stalled for " << stream.stalled_ms << " ms\n"
      << "  counters  " << stream.underruns << " underruns, " << stream.overruns << " overruns, "
      << stream.silence_frames << " frames of silence, " << stream.dropped_frames
      << " frames dropped, " << stream.clipped_samples << " samples clipped\n";
}

}  // namespace

Json to_json(const InstanceView& view) {
  Json json{{"instance", view.number},
            {"configured", view.configured},
            {"segment", name(kSegmentStates, view.segment)},
            {"problem", nullptr},
            {"server", side_json(view.side[abi::kServer])},
            {"client", side_json(view.side[abi::kClient])},
            {"other", nullptr}};
  if (!view.problem.empty()) json["problem"] = view.problem;
  add_direction(view, json);
  if (view.other) {
    json["other"] = {{"server", side_json(view.other->server)}};
    add_direction(*view.other, json["other"]);
  }
  json["mixer"] = mixer_json(view.mixer);
  for (const config::Key& key : config::kKeys) {
    if (key.scope != config::Scope::kInstance) continue;
    json["policy"][std::string(key.name)] = config::format_policy_value(view.policy, key.name);
  }
  return json;
}

Json to_json(std::span<const InstanceView> views) {
  Json json = Json::array();
  for (const InstanceView& view : views) json.push_back(to_json(view));
  return json;
}

void print_json(std::ostream& out, const Json& json) {
  // A path may hold bytes that are not UTF-8.
  out << json.dump(2, ' ', false, Json::error_handler_t::replace) << "\n";
}

void print_table(std::ostream& out, std::span<const InstanceView> views) {
  using Row = std::array<std::string, 5>;
  std::vector<Row> rows{{"INSTANCE", "SERVER", "CLIENT", "LOOP", "STREAM"}};
  for (const InstanceView& view : views) {
    const bool readable = view.segment != SegmentState::kUnreadable;
    rows.push_back({std::to_string(view.number), side_text(view.side[abi::kServer]),
                    clients_text(view), readable ? format_text(view.loop) : "?",
                    readable ? name(kStreamStates, view.stream.state) : view.problem});
  }
  Row::size_type widths[5] = {};
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  for (const Row& row : rows) {
    for (std::size_t i = 0; i + 1 < row.size(); ++i) {
      out << std::left << std::setw(static_cast<int>(widths[i]) + 2) << row[i];
    }
    out << row.back() << "\n";
  }
}

void print_status(std::ostream& out, const InstanceView& view) {
  out << "instance " << view.number << "\n";
  if (view.segment == SegmentState::kUnreadable) out << "  problem   " << view.problem << "\n";
  print_direction(out, view, view.other ? view.server : view.side[abi::kServer],
                  view.side[abi::kClient]);
  if (view.other) print_direction(out, *view.other, view.other->server, {});
  out << "  mixer     " << mixer_text(view.mixer) << "\n"
      << "  policy   ";
  for (const config::Key& key : config::kKeys) {
    if (key.scope != config::Scope::kInstance) continue;
    out << " " << key.name << "=" << config::format_policy_value(view.policy, key.name);
  }
  out << "\n";
}

namespace {

// A column of the monitor: its heading, whose width it has, and what stands in it.
struct Column {
  const char* heading;
  std::string (*value)(const InstanceView& view);
};

constexpr Column kColumns[] = {
    {"INSTANCE", [](const InstanceView& view) { return std::to_string(view.number); }},
    {" STREAM",
     [](const InstanceView& view) -> std::string {
       return name(kStreamStates, view.stream.state);
     }},
    {"NUMBER", [](const InstanceView& view) { return std::to_string(view.stream.number); }},
    {"FILL_MS", [](const InstanceView& view) { return std::to_string(view.stream.fill_ms); }},
    {"UNDERRUNS", [](const InstanceView& view) { return std::to_string(view.stream.underruns); }},
    {"OVERRUNS", [](const InstanceView& view) { return std::to_string(view.stream.overruns); }},
    {"SILENCE",
     [](const InstanceView& view) { return std::to_string(view.stream.silence_frames); }},
    {"DROPPED",
     [](const InstanceView& view) { return std::to_string(view.stream.dropped_frames); }},
    {"PEAK_DB",
     [](const InstanceView& view) { return decibels_text(loudest(view.stream.loudness).peak); }},
    {"RMS_DB",
     [](const InstanceView& view) { return decibels_text(loudest(view.stream.loudness).rms); }},
};

void print_cell(std::ostream& out, const Column& column, const std::string& text) {
  out << "  " << std::right << std::setw(static_cast<int>(std::string_view(column.heading).size()))
      << text;
}

}  // namespace

void print_monitor_heading(std::ostream& out) {
  out << "TIME        ";
  for (const Column& column : kColumns) print_cell(out, column, column.heading);
  out << "\n";
}

void print_monitor_line(std::ostream& out, double unix_seconds, const InstanceView& view) {
  const auto seconds = static_cast<time_t>(unix_seconds);
  tm local{};
  ::localtime_r(&seconds, &local);
  const int ms = static_cast<int>((unix_seconds - static_cast<double>(seconds)) * 1000);
  out << std::put_time(&local, "%H:%M:%S.") << std::setfill('0') << std::setw(3) << ms
      << std::setfill(' ');
  for (const Column& column : kColumns) print_cell(out, column, column.value(view));
  out << "\n";
}

}  // namespace ossloop::ctl
