#include "viewer/grid.h"

#include <algorithm>

namespace ossloop::view {
namespace {

// Of the planes that meters are drawn with.
void append_utf8(std::string& text, char32_t character) {
  if (character < 0x80) {
    text += static_cast<char>(character);
  } else if (character < 0x800) {
    text += static_cast<char>(0xc0 | character >> 6);
    text += static_cast<char>(0x80 | (character & 0x3f));
  } else {
    text += static_cast<char>(0xe0 | character >> 12);
    text += static_cast<char>(0x80 | (character >> 6 & 0x3f));
    text += static_cast<char>(0x80 | (character & 0x3f));
  }
}

}  // namespace

Grid::Grid(int rows, int columns)
    : rows_(std::max(rows, 0)),
      columns_(std::max(columns, 0)),
      cells_(static_cast<std::size_t>(rows_) * static_cast<std::size_t>(columns_)) {}

void Grid::put(int row, int column, char32_t character, Style style) {
  if (row < 0 || row >= rows_ || column < 0 || column >= columns_) return;
  cells_[index(row, column)] = {character, style};
}

void Grid::put(int row, int column, std::string_view text, Style style, int width) {
  for (std::size_t i = 0; i < text.size() && static_cast<int>(i) < width; ++i) {
    const char c = text[i];
    put(row, column + static_cast<int>(i),
        static_cast<char32_t>(static_cast<unsigned char>(c < ' ' || c > '~' ? '?' : c)), style);
  }
}

void Grid::fill(int row, int column, int width, Style style) {
  for (int i = 0; i < width; ++i) put(row, column + i, U' ', style);
}

std::string Grid::text(int row) const {
  std::string text;
  for (int column = 0; column < columns_; ++column) append_utf8(text, at(row, column).character);
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

}  // namespace ossloop::view
