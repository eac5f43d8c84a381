#include "viewer/screen.h"

#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstring>

#define NCURSES_WIDECHAR 1
#define NCURSES_NOMACROS 1
#include <curses.h>
#include <term.h>
// Macros of curses, which are words of ours.
#undef columns
#undef lines

namespace ossloop::view {
namespace {

// After an Esc, for the rest of an arrow key.
constexpr int kEscapeDelayMs = 50;

struct Look {
  Style style;
  attr_t attributes;  // without colours
  short color;        // of the text; -1: that of the terminal
  attr_t with_color;
};

constexpr Look kLooks[] = {
    {Style::kPlain, A_NORMAL, -1, A_NORMAL},
    {Style::kDim, A_NORMAL, -1, A_DIM},
    {Style::kBold, A_BOLD, -1, A_BOLD},
    {Style::kHeading, A_REVERSE, -1, A_REVERSE},
    {Style::kSelected, A_BOLD, -1, A_REVERSE},
    {Style::kLow, A_NORMAL, COLOR_GREEN, A_NORMAL},
    {Style::kMiddle, A_NORMAL, COLOR_YELLOW, A_NORMAL},
    {Style::kHigh, A_BOLD, COLOR_RED, A_NORMAL},
    {Style::kHold, A_BOLD, -1, A_BOLD},
    {Style::kBad, A_BOLD, COLOR_RED, A_BOLD},
};
static_assert(std::size(kLooks) == kStyles);

struct NamedCode {
  wint_t code;
  NamedKey key;
};
constexpr NamedCode kCodes[] = {
    {KEY_UP, NamedKey::kUp},        {KEY_DOWN, NamedKey::kDown},
    {KEY_HOME, NamedKey::kHome},    {KEY_END, NamedKey::kEnd},
    {KEY_ENTER, NamedKey::kEnter},  {KEY_BACKSPACE, NamedKey::kBackspace},
    {KEY_DC, NamedKey::kBackspace}, {KEY_RESIZE, NamedKey::kResize},
};
constexpr NamedCode kCharacters[] = {{L'\r', NamedKey::kEnter},
                                     {L'\n', NamedKey::kEnter},
                                     {L'\b', NamedKey::kBackspace},
                                     {0x7f, NamedKey::kBackspace},
                                     {L'\t', NamedKey::kTab}};
// Of a sequence that begins with an escape.
constexpr NamedCode kFinals[] = {{L'A', NamedKey::kUp},
                                 {L'B', NamedKey::kDown},
                                 {L'H', NamedKey::kHome},
                                 {L'F', NamedKey::kEnd}};
constexpr wint_t kEscape = 0x1b;
constexpr KeyPress kUnknownKey{NamedKey::kNone, U'\ufffd'};

bool wants_colors() {
  const char* const refused = ::getenv("NO_COLOR");
  return ::has_colors() && (refused == nullptr || *refused == '\0');
}

bool can_place_cursor() {
  int error = 0;
  if (::setupterm(nullptr, STDOUT_FILENO, &error) != OK) return false;
  for (const char* const name : {"cup", "clear"}) {
    const char* const sequence = ::tigetstr(name);
    if (sequence == nullptr || sequence == reinterpret_cast<char*>(-1)) return false;
  }
  return true;
}

}  // namespace

std::unique_ptr<Screen> Screen::open() {
  // Not of numbers, which stand in C's way everywhere here.
  ::setlocale(LC_CTYPE, "");
  if (!can_place_cursor()) return nullptr;
  SCREEN* const terminal = ::newterm(nullptr, stdout, stdin);
  if (terminal == nullptr) return nullptr;
  return std::unique_ptr<Screen>(new Screen(terminal));
}

Screen::Screen(struct screen* terminal) : terminal_(terminal) {
  if (std::strcmp(::nl_langinfo(CODESET), "UTF-8") == 0) bars_ = Bars::kBlocks;
  ::set_escdelay(kEscapeDelayMs);
  ::cbreak();
  ::noecho();
  ::nonl();
  ::curs_set(0);
  ::keypad(stdscr, true);
  ::nodelay(stdscr, true);
  ::leaveok(stdscr, true);
  // All of a picture in one write, not line by line with a look for keys between them.
  ::typeahead(-1);
  choose_looks();
}

Screen::~Screen() {
  ::endwin();
  ::delscreen(terminal_);
}

void Screen::choose_looks() {
  const bool colors = wants_colors();
  if (colors) {
    ::start_color();
    ::use_default_colors();
  }
  short pair = 0;
  for (const Look& look : kLooks) {
    attr_t attributes = colors ? look.with_color : look.attributes;
    if (colors && look.color >= 0) {
      ::init_pair(++pair, look.color, -1);
      attributes |= static_cast<attr_t>(COLOR_PAIR(pair));
    }
    looks_[static_cast<std::size_t>(look.style)] = static_cast<int>(attributes);
  }
}

int Screen::rows() const { return getmaxy(stdscr); }
int Screen::columns() const { return getmaxx(stdscr); }

void Screen::show(const Grid& grid) {
  // Only what has changed: that saves most of the work.
  const bool anew = grid.rows() != shown_.rows() || grid.columns() != shown_.columns();
  if (anew) ::werase(stdscr);
  for (int row = 0; row < grid.rows(); ++row) {
    for (int column = 0; column < grid.columns(); ++column) {
      const Cell& cell = grid.at(row, column);
      if (cell == (anew ? Cell{} : shown_.at(row, column))) continue;
      const auto attributes = static_cast<attr_t>(looks_[static_cast<std::size_t>(cell.style)]);
      const wchar_t text[] = {static_cast<wchar_t>(cell.character), L'\0'};
      cchar_t character;
      ::setcchar(&character, text, attributes, static_cast<short>(PAIR_NUMBER(attributes)),
                 nullptr);
      ::mvwadd_wch(stdscr, row, column, &character);
    }
  }
  ::wrefresh(stdscr);
  shown_ = grid;
}

// What ncurses does not know is not the Esc key with letters behind it: a key that some
// terminal sends otherwise than is said of it.
KeyPress Screen::key_after_escape() {
  wint_t code = 0;
  if (::wget_wch(stdscr, &code) == ERR) return {NamedKey::kEscape, 0};
  if (code != L'[' && code != L'O') return kUnknownKey;
  while (::wget_wch(stdscr, &code) != ERR) {
    if (code < L'@' || code > L'~') continue;
    for (const NamedCode& row : kFinals) {
      if (row.code == code) return {row.key, 0};
    }
    break;
  }
  return kUnknownKey;
}

KeyPress Screen::key() {
  wint_t code = 0;
  const int result = ::wget_wch(stdscr, &code);
  if (result == ERR) return {};
  if (result == KEY_CODE_YES) {
    for (const NamedCode& row : kCodes) {
      if (row.code == code) return {row.key, 0};
    }
    return kUnknownKey;
  }
  if (code == kEscape) return key_after_escape();
  for (const NamedCode& row : kCharacters) {
    if (row.code == code) return {row.key, 0};
  }
  return {NamedKey::kNone, static_cast<char32_t>(code)};
}

}  // namespace ossloop::view
