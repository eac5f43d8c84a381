// The monitor's screen, drawn on a grid of any size.
#pragma once

#include <string>
#include <vector>

#include "control/view.h"
#include "viewer/grid.h"
#include "viewer/rows.h"

namespace ossloop::view {

struct MonitorPage {
  const std::vector<Row>& rows;
  const std::vector<control::InstanceView>& instances;
  std::size_t selected = 0;  // of the rows
  Bars bars = Bars::kBlocks;
  std::string time = {};     // in the first line
  std::string message = {};  // in the last line, in place of the keys
  bool message_is_bad = false;
  std::string prompt = {};  // and in place of both
  bool help = false;

  // What does not fit is left out: the lines about the selected row first, then columns.
  void draw(Grid& grid) const;

 private:
  void draw_title(Grid& grid) const;
  void draw_table(Grid& grid, int top, int height) const;
  void draw_last_line(Grid& grid) const;
  static void draw_help(Grid& grid, int top, int height);
};

}  // namespace ossloop::view
