// The table of configuration keys, as this folder uses it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "config/config.h"

namespace ossloop::config {

using Choices = std::array<std::string_view, 5>;

enum class ValueKind : std::uint8_t {
  kInteger,
  kChoice,
  kClock,
  kInstances,
  kDevice,
  kMode,
  kPath
};

// What the table says about the value of a key. A policy is read and written
// as one number: the integer itself, the index of a choice, or the thousandths
// of a clock factor, where 0 stands for `free`.
struct Value {
  ValueKind kind;
  std::int64_t minimum = 0;
  std::int64_t maximum = 0;
  Choices choices = {};
  Choices old_spellings = {};  // of the choices at the same places, still accepted
  std::int64_t (*get)(const InstancePolicy&) = nullptr;
  void (*set)(InstancePolicy&, std::int64_t) = nullptr;
};

struct Key {
  KeyInfo info;
  Value value;
};

constexpr std::int64_t kFreeClock = 0;

// In the order of keys().
std::span<const Key> key_table();
// nullptr: there is none.
const Key* find_key(std::string_view name);

}  // namespace ossloop::config
