#pragma once

namespace ossloop::shim {

// libc lacks a function that it must have: no call at all could be served.
[[noreturn]] void die_without(const char* name);

}  // namespace ossloop::shim
