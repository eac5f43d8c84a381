#include "viewer/monitor_page.h"

#include <algorithm>
#include <array>

#include "viewer/monitor_keys.h"
#include "viewer/row_details.h"

namespace ossloop::view {
namespace {

constexpr int kLeastWithDetails = 14;
constexpr int kLeastDetails = 6;

struct Column {
  const char* heading;
  int least, most;
  int need;  // what is needed less leaves first
  bool right;
  std::string (*text)(const Row& row, int width);  // nullptr: levels
  bool (*bad)(const Row& row);
};

constexpr auto kNever = [](const Row&) { return false; };

std::string milliseconds(const Row& row, std::uint64_t ms) {
  return row.state >= control::StreamState::kFilling ? std::to_string(ms) : "-";
}

// The number of the process is whole, whatever its name.
std::string who(const Row& row, int width) {
  if (!row.problem.empty()) return "unreadable";
  switch (row.side.state) {
    case control::SideState::kFree:
      return "-";
    case control::SideState::kOpening:
      return "(opening)";
    case control::SideState::kDead:
      return "(ended)";
    case control::SideState::kOpen:
      break;
  }
  const std::string pid = std::to_string(row.side.pid);
  const int room = std::max(width - 1 - static_cast<int>(pid.size()), 1);
  return row.side.command.substr(0, static_cast<std::size_t>(room)) + " " + pid;
}

std::string held_peak(const Row& row, int) {
  if (row.levels.empty()) return "-";
  return row.muted ? "muted" : decibels(loudest(row.levels).held);
}

constexpr Column kColumns[] = {
    {"DEVICE", 8, 9, 9, false, [](const Row& row, int) { return row.device; }, kNever},
    {"COMMAND, PID", 12, 24, 8, false, who, [](const Row& row) { return !row.problem.empty(); }},
    {"FORMAT", 12, 16, 2, false, [](const Row& row, int) { return row.format; }, kNever},
    {"LEVEL dBFS", 8, 1000, 9, false, nullptr, kNever},
    {"PEAK", 5, 6, 7, true, held_peak,
     [](const Row& row) { return loudest(row.levels).held >= 1; }},
    {"FILL", 4, 6, 4, true, [](const Row& row, int) { return milliseconds(row, row.fill_ms); },
     kNever},
    {"DELAY", 5, 6, 5, true, [](const Row& row, int) { return milliseconds(row, row.delay_ms); },
     kNever},
    {"XRUN", 4, 6, 6, true,
     [](const Row& row, int) { return std::to_string(row.underruns + row.overruns); },
     [](const Row& row) { return row.underruns + row.overruns > 0; }},
    {"PPM", 5, 7, 3, true, [](const Row& row, int) { return row.pace; }, kNever},
};
constexpr std::size_t kCount = std::size(kColumns);
using Widths = std::array<int, kCount>;  // 0: left out

int total(const Widths& widths) {
  int sum = 0;
  for (const int width : widths) sum += width > 0 ? width + 1 : 0;
  return sum;
}

// One blank behind each, and the sign of the selection before the first.
Widths widths_for(int columns) {
  Widths widths{};
  for (std::size_t i = 0; i < kCount; ++i) widths[i] = kColumns[i].least;
  for (int need = 0; need < 9 && total(widths) > columns; ++need) {
    for (std::size_t i = 0; i < kCount; ++i) {
      if (kColumns[i].need == need) widths[i] = 0;
    }
  }
  // A third of what is left to the columns of text, the rest to the meters.
  int spare = std::max(columns - total(widths), 0);
  int for_text = spare / 3;
  for (std::size_t i = 0; i < kCount; ++i) {
    if (widths[i] == 0 || kColumns[i].text == nullptr) continue;
    const int more = std::min(for_text, kColumns[i].most - widths[i]);
    widths[i] += more;
    for_text -= more;
    spare -= more;
  }
  for (std::size_t i = 0; i < kCount; ++i) {
    if (kColumns[i].text == nullptr) widths[i] += spare;
  }
  return widths;
}

void put_cell(Grid& grid, int row, int column, int width, bool right, const std::string& text,
              Style style) {
  const int blanks = right ? std::max(width - static_cast<int>(text.size()), 0) : 0;
  grid.put(row, column + blanks, text, style, width);
}

void draw_row(Grid& grid, int line, const Widths& widths, const Row& row, bool selected,
              Bars bars) {
  const Style plain = selected ? Style::kSelected : row.flows() ? Style::kPlain : Style::kDim;
  if (selected) grid.fill(line, 0, grid.columns(), Style::kSelected);
  if (selected) grid.put(line, 0, U'>', Style::kSelected);
  int at = 1;
  for (std::size_t i = 0; i < kCount; ++i) {
    const Column& column = kColumns[i];
    if (widths[i] == 0) continue;
    if (column.text != nullptr) {
      const Style style = column.bad(row) && !selected ? Style::kBad : plain;
      put_cell(grid, line, at, widths[i], column.right, column.text(row, widths[i]), style);
    } else {
      draw_levels(grid, line, at, widths[i], row.levels, bars);
    }
    at += widths[i] + 1;
  }
}

}  // namespace

void MonitorPage::draw_title(Grid& grid) const {
  grid.fill(0, 0, grid.columns(), Style::kHeading);
  const auto running = std::count_if(rows.begin(), rows.end(),
                                     [](const Row& row) { return row.server() && row.flows(); });
  const std::string title = "ossloop: " + std::to_string(instances.size()) +
                            (instances.size() == 1 ? " instance, " : " instances, ") +
                            std::to_string(running) + " running";
  grid.put(0, 1, title, Style::kHeading);
  const int place = grid.columns() - static_cast<int>(time.size()) - 1;
  if (place > static_cast<int>(title.size()) + 2) grid.put(0, place, time, Style::kHeading);
}

void MonitorPage::draw_table(Grid& grid, int top, int height) const {
  if (height <= 0) return;
  const Widths widths = widths_for(grid.columns() - 1);
  int at = 1;
  for (std::size_t i = 0; i < kCount; ++i) {
    if (widths[i] == 0) continue;
    put_cell(grid, top, at, widths[i], kColumns[i].right, kColumns[i].heading, Style::kBold);
    at += widths[i] + 1;
  }
  const int shown = height - 1;
  // The selected row is always among them.
  const int first = std::max(static_cast<int>(selected) - shown + 1, 0);
  for (int i = 0; i < shown && first + i < static_cast<int>(rows.size()); ++i) {
    const auto number = static_cast<std::size_t>(first + i);
    draw_row(grid, top + 1 + i, widths, rows[number], number == selected, bars);
  }
}

void MonitorPage::draw_help(Grid& grid, int top, int height) {
  int line = top;
  for (const KeyRow& row : key_table()) {
    if (line >= top + height) return;
    grid.put(line, 1, row.label, Style::kBold);
    grid.put(line, 10, row.help, Style::kPlain);
    ++line;
  }
}

void MonitorPage::draw_last_line(Grid& grid) const {
  const int line = grid.rows() - 1;
  if (!prompt.empty()) {
    grid.put(line, 0, prompt, Style::kBold);
    return;
  }
  if (!message.empty()) {
    grid.put(line, 0, message, message_is_bad ? Style::kBad : Style::kPlain);
    return;
  }
  std::string hints;
  for (const KeyRow& row : key_table()) {
    if (row.hint == nullptr) continue;
    const std::string more = (hints.empty() ? "" : "  ") + std::string(row.hint);
    if (hints.size() + more.size() + 1 > static_cast<std::size_t>(grid.columns())) break;
    hints += more;
  }
  grid.put(line, 1, hints, Style::kDim);
}

void MonitorPage::draw(Grid& grid) const {
  const int lines = grid.rows();
  if (lines <= 0) return;
  draw_title(grid);
  if (lines > 1) draw_last_line(grid);
  const int room = lines - 2;
  if (help) {
    draw_help(grid, 1, room);
    return;
  }
  const int wanted = static_cast<int>(rows.size()) + 1;
  const bool detailed = lines >= kLeastWithDetails && selected < rows.size();
  const int table = std::min(wanted, detailed ? room - kLeastDetails : room);
  draw_table(grid, 1, table);
  if (!detailed) return;
  const Row& row = rows[selected];
  for (const control::InstanceView& view : instances) {
    if (view.number != row.key.instance) continue;
    draw_details(grid, 1 + table + 1, room - table - 1, row, view, bars);
  }
}

}  // namespace ossloop::view
