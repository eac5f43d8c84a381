// Texts of a configuration, and what is made of them.
#pragma once

#include <catch2/catch.hpp>
#include <string_view>
#include <vector>

#include "config/config.h"

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

}  // namespace ossloop::test
