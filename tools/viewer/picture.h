// A picture in memory, and what is drawn on it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace ossloop::view {

struct Color {
  std::uint8_t red = 0, green = 0, blue = 0;
  bool operator==(const Color&) const = default;
};

class Picture {
 public:
  Picture(int width, int height, Color background);

  int width() const { return width_; }
  int height() const { return height_; }
  Color at(int x, int y) const;
  // Red, green and blue of each pixel of a row.
  const std::uint8_t* row(int y) const { return &bytes_[offset(0, y)]; }

  // What lies outside is left out.
  void set(int x, int y, Color color);
  void fill(int x, int y, int width, int height, Color color);

  // Letters of kLetterWidth x kLetterHeight, whose upper left corner is at x, y. ASCII; whatever
  // else is a '?'.
  void text(int x, int y, std::string_view text, Color color);

 private:
  std::size_t offset(int x, int y) const {
    return 3 * (static_cast<std::size_t>(y) * static_cast<std::size_t>(width_) +
                static_cast<std::size_t>(x));
  }

  int width_, height_;
  std::vector<std::uint8_t> bytes_;
};

// A letter with the blank behind it.
inline constexpr int kLetterWidth = 12;
inline constexpr int kLetterHeight = 14;

inline int text_width(std::string_view text) {
  return static_cast<int>(text.size()) * kLetterWidth - 2;
}

}  // namespace ossloop::view
