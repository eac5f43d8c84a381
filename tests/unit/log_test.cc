#include "base/log.h"

#include <errno.h>
#include <stdlib.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "base/error_text.h"

using namespace ossloop;

namespace {

// Lines go to a file meanwhile.
class LogFile {
 public:
  LogFile() {
    char name[] = "/tmp/ossloop-unit-XXXXXX";
    REQUIRE(::mkdtemp(name) != nullptr);
    folder_ = name;
    REQUIRE(base::start_log(("info:" + path()).c_str()));
  }
  ~LogFile() {
    base::start_log("error:");
    std::filesystem::remove_all(folder_);
  }
  std::string path() const { return folder_ + "/log"; }
  std::string text() const {
    std::ostringstream text;
    text << std::ifstream(path()).rdbuf();
    return text.str();
  }

 private:
  std::string folder_;
};

}  // namespace

TEST_CASE("a logged event is one line whatever it names") {
  const LogFile file;
  base::log(base::LogLevel::kInfo, "%s", "a\nb\x1b[1m\x7f caf\xc3\xa9");
  CHECK(file.text() == "ossloop: a?b?[1m? caf\xc3\xa9\n");
}

TEST_CASE("a setting that is wrong changes nothing and is told") {
  const LogFile file;
  for (const std::string& setting :
       {std::string("loud"), std::string("off:/nowhere/log"), "off:" + std::string(5000, 'x')}) {
    CHECK_FALSE(base::start_log(setting.c_str()));
  }
  CHECK(base::log_enabled(base::LogLevel::kInfo));
  const std::string told = file.text();
  CHECK_THAT(told, Catch::Contains("bad value 'loud' for OSSLOOP_LOG; expected off, error"));
  CHECK_THAT(told, Catch::Contains("/nowhere/log: No such file"));
  CHECK_THAT(told, Catch::Contains("File name too long"));
  CHECK(std::count(told.begin(), told.end(), '\n') == 3);
}

TEST_CASE("no setting is none") {
  CHECK_FALSE(base::start_log(nullptr));
  CHECK_FALSE(base::start_log(""));
}

TEST_CASE("every error has words") {
  CHECK(std::string(base::error_text(ENOSPC)) == "No space left on device");
  CHECK(std::string(base::error_text(99999)) == "unknown error");
}
