// Text in fixed arrays: those of the API, and those in shared memory, which
// another process wrote and which may not end.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string_view>

namespace ossloop::oss {

template <std::size_t Size>
void put_text(char (&to)[Size], std::string_view text) {
  const std::size_t length = std::min(text.size(), Size - 1);
  std::memset(to, 0, Size);
  std::memcpy(to, text.data(), length);
}

template <std::size_t Size>
std::string_view text_of(const char (&from)[Size]) {
  return {from, ::strnlen(from, Size)};
}

}  // namespace ossloop::oss
