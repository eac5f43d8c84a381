#include "viewer/picture.h"

#include <algorithm>

#include "viewer/glyphs.h"

namespace ossloop::view {
namespace {

constexpr int kScale = 2;  // pixels of the picture for one of a glyph
static_assert(kLetterWidth == (kGlyphWidth + 1) * kScale);
static_assert(kLetterHeight == kGlyphHeight * kScale);

}  // namespace

Picture::Picture(int width, int height, Color background)
    : width_(width),
      height_(height),
      bytes_(3 * static_cast<std::size_t>(width) * static_cast<std::size_t>(height)) {
  fill(0, 0, width, height, background);
}

Color Picture::at(int x, int y) const {
  const std::uint8_t* const pixel = &bytes_[offset(x, y)];
  return {pixel[0], pixel[1], pixel[2]};
}

void Picture::set(int x, int y, Color color) {
  if (x < 0 || y < 0 || x >= width_ || y >= height_) return;
  std::uint8_t* const pixel = &bytes_[offset(x, y)];
  pixel[0] = color.red;
  pixel[1] = color.green;
  pixel[2] = color.blue;
}

void Picture::fill(int x, int y, int width, int height, Color color) {
  for (int line = std::max(y, 0); line < std::min(y + height, height_); ++line) {
    for (int column = std::max(x, 0); column < std::min(x + width, width_); ++column) {
      set(column, line, color);
    }
  }
}

void Picture::text(int x, int y, std::string_view text, Color color) {
  for (const char character : text) {
    const char* const glyph = glyph_of(character);
    for (int i = 0; i < kGlyphWidth * kGlyphHeight; ++i) {
      if (glyph[i] != '#') continue;
      fill(x + i % kGlyphWidth * kScale, y + i / kGlyphWidth * kScale, kScale, kScale, color);
    }
    x += kLetterWidth;
  }
}

}  // namespace ossloop::view
