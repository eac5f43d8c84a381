// What the user of the monitor sees and does, without a terminal.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/runtime.h"
#include "control/view.h"
#include "viewer/grid.h"
#include "viewer/monitor_keys.h"
#include "viewer/prompt.h"
#include "viewer/rows.h"

namespace ossloop::view {

class MonitorSession {
 public:
  // Of one instance, or of all.
  MonitorSession(const config::Runtime& runtime, std::optional<int> instance)
      : runtime_(runtime), instance_(instance) {}

  // Looks at the instances anew. False: that which was asked for is not there.
  bool look(std::int64_t now_ns);
  void press(const KeyPress& key);
  bool ended() const { return ended_; }

  void draw(Grid& grid, Bars bars, const std::string& time) const;

 private:
  void act(Action action);
  void move(std::ptrdiff_t rows);
  void toggle_mute(const Row& row);
  void change_level(const Row& row, int steps);
  void set_policy();
  void tell(std::string text, bool bad);
  const Row* selected() const;

  const config::Runtime& runtime_;
  const std::optional<int> instance_;
  std::vector<control::InstanceView> views_;
  Rows rows_;
  Row::Key selected_key_;
  std::size_t selected_ = 0;
  std::optional<Prompt> prompt_;
  std::string message_;
  bool message_is_bad_ = false;
  bool help_ = false;
  bool ended_ = false;
};

}  // namespace ossloop::view
