#include "viewer/monitor_page.h"

#include <catch2/catch.hpp>
#include <set>

#include "viewer/drift.h"
#include "viewer/monitor_keys.h"
#include "viewer/prompt.h"

using namespace ossloop;
using namespace ossloop::view;

namespace {

control::InstanceView playing(int number, double peak) {
  control::InstanceView view;
  view.number = number;
  view.configured = true;
  view.server.state = view.side[abi::kServer].state = control::SideState::kOpen;
  view.server.pid = 12;
  view.server.command = "sox";
  view.server.format = {0x10, 2, 48000};
  view.stream.state = control::StreamState::kRunning;
  view.stream.loudness.channels = {{peak, peak / 2}, {peak, peak / 2}};
  control::ClientView client;
  client.side = view.server;
  client.side.pid = 13;
  client.side.command = "a-very-long-name-of-a-player";
  client.stream = view.stream;
  view.clients.push_back(client);
  return view;
}

struct Page {
  explicit Page(std::vector<control::InstanceView> some) : views(std::move(some)) {
    rows.update(views, 0);
  }
  Grid draw(int lines, int columns, std::size_t selected = 0, Bars bars = Bars::kAscii) const {
    Grid grid(lines, columns);
    MonitorPage{.rows = rows.rows(), .instances = views, .selected = selected, .bars = bars}.draw(
        grid);
    return grid;
  }
  std::vector<control::InstanceView> views;
  Rows rows;
};

}  // namespace

TEST_CASE("a page fits into any grid, and shows the selected row where there is any") {
  std::vector<control::InstanceView> views;
  for (int i = 0; i < 16; ++i) views.push_back(playing(i, 0.5));
  const Page page(views);
  REQUIRE(page.rows.rows().size() == 32);
  for (int lines = 0; lines < 40; ++lines) {
    for (int columns : {0, 1, 2, 5, 20, 39, 40, 79, 80, 81, 200, 400}) {
      for (const std::size_t selected : {0, 7, 31}) {
        const Grid grid = page.draw(lines, columns, selected);
        if (lines < 4 || columns < 20) continue;
        int marks = 0;
        for (int line = 0; line < lines; ++line) {
          if (grid.at(line, 0).character == U'>') {
            ++marks;
            CHECK(grid.text(line).starts_with(">" + page.rows.rows()[selected].device));
          }
        }
        CHECK(marks == 1);
      }
    }
  }
}

TEST_CASE("the number of a process is whole, whatever its name") {
  const Grid grid = Page({playing(0, 0.5)}).draw(24, 80);
  CHECK(grid.text(3).find("a-very-lon 13 ") != std::string::npos);
}

TEST_CASE("a peak is held, then falls; the highest stays until it is forgotten") {
  Rows rows;
  const auto level = [&](double peak, std::int64_t now_ns) {
    const control::InstanceView views[] = {playing(0, peak)};
    rows.update(views, now_ns);
    return rows.rows()[1].levels[0];
  };
  level(0.5, 0);
  CHECK(level(0.1, Rows::kHoldNs).held == 0.5);
  CHECK(level(0.1, Rows::kHoldNs + 1).held == 0.1);
  CHECK(level(0.1, Rows::kHoldNs + 2).highest == 0.5);
  rows.reset_peaks();
  CHECK(level(0.1, Rows::kHoldNs + 3).highest == 0.1);
}

TEST_CASE("another program has a peak of its own") {
  Rows rows;
  control::InstanceView views[] = {playing(0, 0.5)};
  rows.update(views, 0);
  views[0].clients[0].side.pid = 14;
  views[0].clients[0].stream.loudness.channels[0].peak = 0.1;
  rows.update(views, 1);
  CHECK(rows.rows()[1].levels[0].held == 0.1);
}

TEST_CASE("a bar is as long as its level, in eighths of a character or in whole ones") {
  Grid grid(1, 10);
  draw_bar(grid, 0, 0, 10, {.peak = 0.0316228}, Bars::kBlocks);  // -30 dBFS: half
  CHECK(grid.text(0) == "\u2588\u2588\u2588\u2588\u2588");
  draw_bar(grid, 0, 0, 10, {.peak = 0.0316228, .held = 1}, Bars::kAscii);
  CHECK(grid.text(0) == "#####----|");
  draw_bar(grid, 0, 0, 10, {}, Bars::kAscii);
  CHECK(grid.text(0) == "----------");
  draw_bar(grid, 0, 0, 10, {.peak = 4}, Bars::kAscii);
  CHECK(grid.text(0) == "##########");
}

TEST_CASE("many channels have a character each, and more than fit the loudest one's bar") {
  Grid grid(1, 8);
  std::vector<Level> levels(8, {.peak = 1});
  levels[3].peak = 0;
  draw_levels(grid, 0, 0, 8, levels, Bars::kAscii);
  CHECK(grid.text(0) == "@@@_@@@@");
  levels.resize(64);
  draw_levels(grid, 0, 0, 8, levels, Bars::kAscii);
  CHECK(grid.text(0) == "########");
}

TEST_CASE("levels are told in decibels of full scale") {
  CHECK(decibels(0) == "-inf");
  CHECK(decibels(1) == "0.0");
  CHECK(decibels(0.5) == "-6.0");
  CHECK(decibels(2) == "+6.0");
  CHECK(decibels(0.9999) == "0.0");
}

TEST_CASE("the pace of a position is told in millionths after a while") {
  DriftMeter meter;
  const auto see = [&](std::int64_t ms, double frames, std::uint64_t stream = 1) {
    meter.update({.stream = stream,
                  .position_frames = static_cast<std::uint64_t>(frames),
                  .time_ns = ms * 1'000'000,
                  .rate_hz = 48000});
  };
  see(0, 1000);
  see(1000, 49000 + 4.8);
  CHECK(!meter.ppm());
  see(10000, 481000 + 48);
  CHECK(meter.ppm().value() == Approx(100));
  SECTION("of another stream anew") {
    see(11000, 48000, 2);
    CHECK(!meter.ppm());
  }
  SECTION("and what lies long back is forgotten") {
    for (int i = 11; i < 140; ++i) see(i * 1000, 481048 + (i - 10) * 48000);
    CHECK(meter.ppm().value() == Approx(0).margin(0.5));
  }
}

TEST_CASE("each key has one meaning") {
  std::set<std::pair<int, char32_t>> seen;
  for (const KeyRow& row : key_table()) {
    for (const KeyPress& key : row.keys) {
      if (key == KeyPress{}) continue;
      CHECK(seen.emplace(static_cast<int>(key.named), key.character).second);
      CHECK(action_of(key) == row.action);
    }
  }
  CHECK(action_of({}) == Action::kNone);
}

TEST_CASE("a prompt completes as far as all agree, and tells what there is") {
  Prompt prompt("policy: ", [](const std::string&) {
    return std::vector<std::string>{"eof=reset", "eof=eof", "other=1"};
  });
  const auto type = [&](const char* text) {
    for (; *text != '\0'; ++text) prompt.press({NamedKey::kNone, static_cast<char32_t>(*text)});
  };
  type("e");
  prompt.press({NamedKey::kTab, 0});
  CHECK(prompt.text() == "eof=");
  CHECK(prompt.choices() == "reset eof");
  type("r");
  prompt.press({NamedKey::kTab, 0});
  CHECK(prompt.text() == "eof=reset");
  prompt.press({NamedKey::kBackspace, 0});
  CHECK(prompt.line(80) == "policy: eof=rese_");
  CHECK(prompt.line(5) == "rese_");
  prompt.press({NamedKey::kNone, U'\u00e4'});
  CHECK(prompt.text() == "eof=rese");
  prompt.press({NamedKey::kNone, U'U' - U'@'});
  CHECK(prompt.text().empty());
  CHECK(prompt.press({NamedKey::kEscape, 0}) == Prompt::Result::kGivenUp);
  CHECK(prompt.press({NamedKey::kEnter, 0}) == Prompt::Result::kDone);
}
