#include "viewer/monitor_session.h"

#include <algorithm>

#include "control/commands.h"
#include "ossloopctl/offers.h"
#include "viewer/monitor_page.h"

namespace ossloop::view {
namespace {

constexpr int kStepsOfKey = 2;  // a decibel

std::vector<std::string> policy_words(const std::string& word) {
  std::vector<std::string> words;
  for (ctl::Candidate& candidate : ctl::offer_policies(word, 0).words) {
    words.push_back(std::move(candidate.word));
  }
  return words;
}

// What a client plays or records; at the server, all that its clients do.
abi::MixerChannel channel_of(const Row& row) {
  if (row.server()) return abi::kMixVolume;
  return row.plays ? abi::kMixPcm : abi::kMixInput;
}

}  // namespace

bool MonitorSession::look(std::int64_t now_ns) {
  if (instance_) {
    views_ = {control::look(runtime_, *instance_)};
    if (!views_.front().exists()) return false;
  } else {
    views_ = control::look_at_all(runtime_);
  }
  rows_.update(views_, now_ns);
  // The same row as before, or that in its place.
  const auto& rows = rows_.rows();
  const auto found = std::find_if(rows.begin(), rows.end(),
                                  [&](const Row& row) { return row.key == selected_key_; });
  if (found != rows.end()) selected_ = static_cast<std::size_t>(found - rows.begin());
  move(0);
  return true;
}

const Row* MonitorSession::selected() const {
  return selected_ < rows_.rows().size() ? &rows_.rows()[selected_] : nullptr;
}

void MonitorSession::move(std::ptrdiff_t rows) {
  const auto count = static_cast<std::ptrdiff_t>(rows_.rows().size());
  if (count == 0) return;
  selected_ = static_cast<std::size_t>(
      std::clamp<std::ptrdiff_t>(static_cast<std::ptrdiff_t>(selected_) + rows, 0, count - 1));
  selected_key_ = rows_.rows()[selected_].key;
}

void MonitorSession::tell(std::string text, bool bad) {
  message_ = std::move(text);
  message_is_bad_ = bad;
}

void MonitorSession::press(const KeyPress& key) {
  if (prompt_) {
    const Prompt::Result result = prompt_->press(key);
    if (result == Prompt::Result::kDone) set_policy();
    if (result != Prompt::Result::kGoesOn) prompt_.reset();
    return;
  }
  message_.clear();
  const Action action = action_of(key);
  if (help_) {
    // Any key leaves it.
    help_ = false;
    return;
  }
  act(action);
}

void MonitorSession::act(Action action) {
  const Row* const row = selected();
  const auto all = static_cast<std::ptrdiff_t>(rows_.rows().size());
  switch (action) {
    case Action::kNone:
      return;
    case Action::kQuit:
      ended_ = true;
      return;
    case Action::kHelp:
      help_ = true;
      return;
    case Action::kUp:
      return move(-1);
    case Action::kDown:
      return move(1);
    case Action::kFirst:
      return move(-all);
    case Action::kLast:
      return move(all);
    case Action::kResetPeaks:
      return rows_.reset_peaks();
    default:
      break;
  }
  if (row == nullptr) return tell("there is no instance", true);
  if (action == Action::kMute) toggle_mute(*row);
  if (action == Action::kLouder) change_level(*row, kStepsOfKey);
  if (action == Action::kSofter) change_level(*row, -kStepsOfKey);
  if (action == Action::kPolicy) {
    prompt_.emplace("policy of instance " + std::to_string(row->key.instance) + ": ", policy_words);
  }
}

void MonitorSession::toggle_mute(const Row& row) {
  std::string why;
  const bool muted = !control::look(runtime_, row.key.instance).mixer.muted;
  if (control::set_mute(runtime_, row.key.instance, muted, why) < 0) return tell(why, true);
  tell("instance " + std::to_string(row.key.instance) + (muted ? " is muted" : " is heard again"),
       false);
}

void MonitorSession::change_level(const Row& row, int steps) {
  std::string why;
  const int number = row.key.instance;
  const abi::MixerChannel channel = channel_of(row);
  if (control::move_level(runtime_, number, channel, steps, why) < 0) return tell(why, true);
  const auto level = control::look(runtime_, number).mixer.channel[channel];
  tell("instance " + std::to_string(number) + ": " + control::kMixerChannelNames[channel] + " " +
           std::to_string(level.left) + ":" + std::to_string(level.right),
       false);
}

void MonitorSession::set_policy() {
  const Row* const row = selected();
  const std::string word = prompt_->text();
  if (row == nullptr || word.empty()) return;
  control::Changes changes;
  std::string why;
  if (!changes.add(word, why) || control::set(runtime_, row->key.instance, changes, why) < 0) {
    return tell(why, true);
  }
  std::string told = "instance " + std::to_string(row->key.instance) + ": " + word;
  const config::Key* const key = config::find_key(word.substr(0, word.find('=')));
  if (key->effect == config::Effect::kAtOpen && rows_.rows()[selected_].side.alive()) {
    told += " takes effect at the next open";
  }
  tell(told, false);
}

void MonitorSession::draw(Grid& grid, Bars bars, const std::string& time) const {
  std::string line;
  std::string message = message_;
  if (prompt_) {
    line = prompt_->line(grid.columns());
    // What may follow stands behind what was typed, where there is room.
    const std::string& choices = prompt_->choices();
    if (!choices.empty())
      line =
          (line + "  " + choices).substr(0, static_cast<std::size_t>(std::max(grid.columns(), 0)));
  }
  MonitorPage{.rows = rows_.rows(),
              .instances = views_,
              .selected = selected_,
              .bars = bars,
              .time = time,
              .message = message,
              .message_is_bad = message_is_bad_,
              .prompt = line,
              .help = help_}
      .draw(grid);
}

}  // namespace ossloop::view
