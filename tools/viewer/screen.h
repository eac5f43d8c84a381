// The terminal: a grid on it, and what is pressed. By ncurses.
#pragma once

#include <memory>

#include "viewer/grid.h"
#include "viewer/meter.h"
#include "viewer/monitor_keys.h"

struct screen;

namespace ossloop::view {

class Screen {
 public:
  // On standard input and output. nullptr: the terminal is not known (TERM), or its cursor
  // cannot be moved.
  static std::unique_ptr<Screen> open();
  // The terminal is as it was.
  ~Screen();
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  int rows() const;
  int columns() const;
  // What the locale can show.
  Bars bars() const { return bars_; }

  void show(const Grid& grid);
  // Never waits; nothing was pressed: an empty one.
  KeyPress key();

 private:
  explicit Screen(struct screen* terminal);
  void choose_looks();
  KeyPress key_after_escape();

  struct screen* terminal_;
  Grid shown_{0, 0};
  Bars bars_ = Bars::kAscii;
  int looks_[kStyles] = {};  // attributes by Style
};

}  // namespace ossloop::view
