// What a screen shows: characters with a style each, without a terminal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ossloop::view {

// What a character means; the terminal chooses how that looks.
enum class Style : std::uint8_t {
  kPlain,
  kDim,
  kBold,
  kHeading,
  kSelected,
  kLow,     // of a meter: far from full scale
  kMiddle,  // coming near
  kHigh,    // near
  kHold,    // the peak that is held
  kBad,     // what went wrong
};
inline constexpr std::size_t kStyles = 10;

struct Cell {
  char32_t character = U' ';
  Style style = Style::kPlain;
  bool operator==(const Cell&) const = default;
};

class Grid {
 public:
  // No negative size: there is nothing to draw on then.
  Grid(int rows, int columns);

  int rows() const { return rows_; }
  int columns() const { return columns_; }
  const Cell& at(int row, int column) const { return cells_[index(row, column)]; }

  // What lies outside is left out.
  void put(int row, int column, char32_t character, Style style);
  // ASCII; whatever else is a '?'. At most `width` columns.
  void put(int row, int column, std::string_view text, Style style, int width = 1 << 20);
  void fill(int row, int column, int width, Style style);

  // For tests, in UTF-8, without blanks at the end.
  std::string text(int row) const;

 private:
  std::size_t index(int row, int column) const {
    return static_cast<std::size_t>(row) * static_cast<std::size_t>(columns_) +
           static_cast<std::size_t>(column);
  }

  int rows_, columns_;
  std::vector<Cell> cells_;
};

}  // namespace ossloop::view
