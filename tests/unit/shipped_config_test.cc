#include <catch2/catch.hpp>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include "config/config.h"
#include "config_text.h"

using namespace ossloop::test;

namespace {

std::string shipped_file() {
  std::ifstream input(OSSLOOP_SOURCE_DIR "/conf/oss_audioloop.conf");
  REQUIRE(input);
  std::ostringstream text;
  text << input.rdbuf();
  return text.str();
}

}  // namespace

TEST_CASE("the shipped file sets nothing as it is") {
  CHECK(good(shipped_file()) == Config{});
  std::istringstream lines(shipped_file());
  for (std::string line; std::getline(lines, line);) {
    INFO(line);
    CHECK((line.empty() || line[0] == '#'));
  }
}

TEST_CASE("the shipped file shows every key once, at its default") {
  std::multiset<std::string> shown;
  std::string uncommented;
  std::istringstream lines(shipped_file());
  for (std::string line; std::getline(lines, line);) {
    const std::size_t equals = line.find('=');
    if (line.size() < 2 || line[1] == ' ' || equals == std::string::npos) continue;
    const std::string key = line.substr(1, equals - 1);
    INFO(line);
    CHECK(line.substr(equals + 1) == format_value(Config{}, key));
    shown.insert(key);
    uncommented += line.substr(1) + "\n";
  }
  std::multiset<std::string> expected;
  for (const KeyInfo& key : keys()) expected.insert(std::string(key.name));
  CHECK(shown == expected);
  CHECK(good(uncommented) == Config{});
}
