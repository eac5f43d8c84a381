// Texts of a configuration, and what is made of them.
#pragma once

#include <catch2/catch.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "config/value_text.h"

namespace ossloop::test {

using namespace ossloop::config;

struct Parsed {
  Config config;
  std::vector<Diagnostic> diagnostics;
};

inline Parsed parse(std::string_view text) {
  Parsed parsed;
  parsed.config = parse_config(text, "test.conf", parsed.diagnostics);
  return parsed;
}

inline Config good(std::string_view text) {
  INFO(text);
  const Parsed parsed = parse(text);
  for (const Diagnostic& diagnostic : parsed.diagnostics) UNSCOPED_INFO(diagnostic.text);
  REQUIRE(parsed.diagnostics.empty());
  return parsed.config;
}

// The value of any key; of a policy key, that of `instance`.
inline std::string format_value(const Config& config, std::string_view key, int instance = 0) {
  const Key* found = find_key(key);
  if (found == nullptr || instance < 0 || instance >= kMaxInstances) return {};
  if (found->scope == Scope::kInstance) return format_policy(*found, config.policy[instance]);
  switch (found->kind) {
    case ValueKind::kDevice:
      return format_default_device(config.dsp);
    case ValueKind::kMode:
      return config.mode == 0660 ? "0660" : "0600";
    case ValueKind::kPath:
      return config.runtime_dir;
    default:
      return std::to_string(config.instances);
  }
}

}  // namespace ossloop::test
