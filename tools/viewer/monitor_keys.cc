#include "viewer/monitor_keys.h"

#include <algorithm>

namespace ossloop::view {
namespace {

constexpr KeyPress named(NamedKey key) { return {key, 0}; }
constexpr KeyPress letter(char32_t character) { return {NamedKey::kNone, character}; }

// In the order of the help; what is most needed stands first in the last line.
constexpr KeyRow kKeyTable[] = {
    {{letter(U'q'), named(NamedKey::kEscape)}, Action::kQuit, "q, Esc", "q quit", "Quit"},
    {{letter(U'?'), letter(U'h')}, Action::kHelp, "?, h", "? help", "Show or leave this help"},
    {{letter(U'k'), named(NamedKey::kUp)}, Action::kUp, "Up, k", nullptr, "Select the row above"},
    {{letter(U'j'), named(NamedKey::kDown)},
     Action::kDown,
     "Down, j",
     nullptr,
     "Select the row below"},
    {{letter(U'g'), named(NamedKey::kHome)},
     Action::kFirst,
     "Home, g",
     nullptr,
     "Select the first row"},
    {{letter(U'G'), named(NamedKey::kEnd)},
     Action::kLast,
     "End, G",
     nullptr,
     "Select the last row"},
    {{letter(U'm')}, Action::kMute, "m", "m mute", "Mute the instance, or let it be heard"},
    {{letter(U'+'), letter(U'=')},
     Action::kLouder,
     "+",
     "+/- level",
     "Raise its level by 1 dB: vol; on a client pcm, or igain"},
    {{letter(U'-')}, Action::kSofter, "-", nullptr, "Lower its level by 1 dB"},
    {{letter(U'p')}, Action::kPolicy, "p", "p policy", "Set a policy: key=value, Tab completes"},
    {{letter(U'r')}, Action::kResetPeaks, "r", "r reset", "Forget the highest peaks"},
};

}  // namespace

std::span<const KeyRow> key_table() { return kKeyTable; }

Action action_of(const KeyPress& key) {
  if (key == KeyPress{}) return Action::kNone;
  for (const KeyRow& row : kKeyTable) {
    if (std::find(std::begin(row.keys), std::end(row.keys), key) != std::end(row.keys)) {
      return row.action;
    }
  }
  return Action::kNone;
}

}  // namespace ossloop::view
