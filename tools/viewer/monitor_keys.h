// The keys of the monitor: one table, from which the help is made.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>

namespace ossloop::view {

enum class Action : std::uint8_t {
  kNone,
  kUp,
  kDown,
  kFirst,
  kLast,
  kMute,
  kLouder,
  kSofter,
  kPolicy,
  kResetPeaks,
  kHelp,
  kQuit,
};

// Keys that are no character.
enum class NamedKey : std::uint8_t {
  kNone,
  kUp,
  kDown,
  kHome,
  kEnd,
  kEnter,
  kBackspace,
  kTab,
  kEscape,
  kResize,
};

// What was pressed: a name, or else a character.
struct KeyPress {
  NamedKey named = NamedKey::kNone;
  char32_t character = 0;
  bool operator==(const KeyPress&) const = default;
};

struct KeyRow {
  KeyPress keys[3];  // those that are not used are empty
  Action action;
  const char* label;  // as the help names them
  const char* hint;   // in a word or two, for the last line; nullptr: not there
  const char* help;
};

std::span<const KeyRow> key_table();

// kNone: it is none of ours.
Action action_of(const KeyPress& key);

}  // namespace ossloop::view
