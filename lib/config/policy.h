// The policies of one instance, by their keys; a key that the table has not does not
// compile.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string_view>

#include "config/key_table.h"

namespace ossloop::config {

// A key as an argument of a template.
template <std::size_t Size>
struct KeyName {
  char text[Size];
  constexpr KeyName(const char (&literal)[Size]) { std::copy_n(literal, Size, text); }
};

// nullptr: there is none.
constexpr const Key* find_key(std::string_view name) {
  const auto* key = std::find_if(std::begin(kKeys), std::end(kKeys),
                                 [&](const Key& candidate) { return candidate.name == name; });
  return key == std::end(kKeys) ? nullptr : key;
}

template <KeyName Name>
inline constexpr const Key& kRow = *find_key(Name.text);

// How one instance behaves; the defaults at first.
class InstancePolicy {
 public:
  constexpr InstancePolicy() {
    for (const Key& key : kKeys) (*this)[key] = key.initial;
  }
  // `key` is a row of the table.
  constexpr std::int64_t& operator[](const Key& key) { return numbers_[&key - kKeys]; }
  constexpr std::int64_t operator[](const Key& key) const { return numbers_[&key - kKeys]; }

  bool operator==(const InstancePolicy&) const = default;

 private:
  std::int64_t numbers_[std::size(kKeys)] = {};
};

template <KeyName Name, typename Type = std::int32_t>
constexpr Type get(const InstancePolicy& policy) {
  return static_cast<Type>(policy[kRow<Name>]);
}
template <KeyName Name>
constexpr void set(InstancePolicy& policy, auto value) {
  policy[kRow<Name>] = static_cast<std::int64_t>(value);
}

// What the segment of an instance says; the default where that is out of range.
inline std::int64_t checked(const Key& key, const abi::Policy& segment) {
  const std::int64_t number = key.load(segment);
  return key.in_range(number) ? number : key.initial;
}
template <KeyName Name, typename Type = std::int32_t>
Type get(const abi::Policy& segment) {
  return static_cast<Type>(checked(kRow<Name>, segment));
}

// The speed of the clock where that runs, in thousandths.
inline std::uint32_t clock_factor_milli(const abi::Policy& segment) {
  const std::int64_t number = checked(kRow<"clock">, segment);
  return static_cast<std::uint32_t>(number == kFreeClock ? kRealtimeClock : number);
}

void store_policy(const InstancePolicy& policy, abi::Policy& segment);
InstancePolicy load_policy(const abi::Policy& segment);

// The bit of a policy in abi::Policy::pinned; 0 if there is no such key.
std::uint32_t policy_bit(std::string_view key);

// Takes over from the configuration what is not pinned, and can change.
void refresh_policy(const InstancePolicy& configured, abi::Policy& segment);

}  // namespace ossloop::config
