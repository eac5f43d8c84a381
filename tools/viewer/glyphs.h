// Letters for pictures. A library that draws text needs fonts, of which a container has none:
// its labels would be empty.
#pragma once

namespace ossloop::view {

inline constexpr int kGlyphWidth = 5;
inline constexpr int kGlyphHeight = 7;

// Row by row from the top, '#' where there is ink. What is no printable ASCII is a '?'.
const char* glyph_of(char character);

}  // namespace ossloop::view
