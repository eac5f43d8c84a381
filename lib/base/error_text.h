// What an errno means, in words.
#pragma once

#include <cstring>

namespace ossloop::base {

// Unlike strerror(), from any thread at any time: it neither shares a buffer with
// the program we live in nor looks at its locale.
inline const char* error_text(int error) {
  const char* text = ::strerrordesc_np(error);
  return text != nullptr ? text : "unknown error";
}

}  // namespace ossloop::base
