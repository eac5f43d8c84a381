#include <catch2/catch.hpp>
#include <fstream>
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
