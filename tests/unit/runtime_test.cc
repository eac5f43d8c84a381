#include "config/runtime.h"

#include <stdlib.h>

#include <catch2/catch.hpp>
#include <string>
#include <utility>

using namespace ossloop;

namespace {

// An environment variable for as long as it lives.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) { ::setenv(name, value, 1); }
  ~Variable() { ::unsetenv(name_); }

 private:
  const char* name_;
};

}  // namespace

TEST_CASE("the time to wait is a decimal number of seconds") {
  for (const auto& [text, ns] : {std::pair{"0", 0LL}, {"2", 2'000'000'000LL}, {"0.25", 250'000'000LL},
                                 {"1e-1", 100'000'000LL}, {"1e9", 1'000'000'000'000'000'000LL}}) {
    const Variable variable("OSSLOOP_OPEN_WAIT", text);
    std::string why;
    CHECK(config::open_wait_ns(why) == ns);
    CHECK(why.empty());
  }
}

TEST_CASE("a bad time to wait is none, with the reason") {
  for (const char* text : {"x", "-1", "nan", "inf", "1e10", "5s", " 1", "0,5", "0x1", "1e999"}) {
    const Variable variable("OSSLOOP_OPEN_WAIT", text);
    std::string why;
    CHECK(config::open_wait_ns(why) == 0);
    CHECK(why == "bad value '" + std::string(text) +
                     "' for OSSLOOP_OPEN_WAIT; expected seconds, from 0 to 1000000000");
  }
}

TEST_CASE("a bad default device leaves what the configuration says, with the reason") {
  config::Config configured;
  configured.dsp.instance = 3;
  const Variable variable("OSSLOOP_DSP", "pcm16");
  std::string why;
  CHECK(config::default_device(configured, why).instance == 3);
  CHECK(why ==
        "bad value 'pcm16' for OSSLOOP_DSP; expected pcm0 to pcm15, server0 to server15 or off");
}

TEST_CASE("what of the configuration cannot be had is told in a line each") {
  const Variable file("OSSLOOP_CONF", "/nowhere/conf");
  const Variable folder("OSSLOOP_DIR", "here");
  std::vector<config::Diagnostic> diagnostics;
  CHECK(config::load_runtime(diagnostics).folder.starts_with("/dev/shm/ossloop-"));
  REQUIRE(diagnostics.size() == 2);
  CHECK(diagnostics[0].text == "configuration file /nowhere/conf: No such file or directory");
  CHECK(diagnostics[1].text == "bad value 'here' for OSSLOOP_DIR; expected an absolute path");
}
