#include "config/runtime.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>

#include "base/fd.h"
#include "base/log.h"

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
  for (const auto& [text, ns] : {std::pair{"0", 0LL},
                                 {"2", 2'000'000'000LL},
                                 {"0.25", 250'000'000LL},
                                 {"1e-1", 100'000'000LL},
                                 {"1e9", 1'000'000'000'000'000'000LL}}) {
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

namespace {

constexpr uid_t kUser = 61011, kStranger = 61012;

// As a user whom nobody else here is, in a session or not; by root. One at a time on
// this machine: the user's default folder is in a place that all tests share.
class Session {
 public:
  Session() {
    REQUIRE(::flock(turn_.get(), LOCK_EX) == 0);
    ::unsetenv("OSSLOOP_DIR");
    ::setenv("OSSLOOP_CONF", "/dev/null", 1);
    char name[] = "/dev/shm/ossloop-unit-XXXXXX";
    REQUIRE(::mkdtemp(name) != nullptr);
    place = name;
    std::filesystem::remove_all(kDefault);
    give(place, kUser, 0700);
    enter();
  }
  ~Session() {
    leave();
    ::unsetenv("OSSLOOP_CONF");
    std::filesystem::remove_all(place);
    std::filesystem::remove_all(kDefault);
  }
  static void enter() { REQUIRE(::seteuid(kUser) == 0); }
  static void leave() { REQUIRE(::seteuid(0) == 0); }
  static void give(const std::string& folder, uid_t owner, mode_t mode) {
    REQUIRE(::chown(folder.c_str(), owner, owner) == 0);
    REQUIRE(::chmod(folder.c_str(), mode) == 0);
  }
  // Makes the default folder.
  static void take_default(uid_t owner) {
    leave();
    std::filesystem::create_directory(kDefault);
    give(kDefault, owner, 0775);
    enter();
  }
  static std::string folder() {
    std::vector<config::Diagnostic> diagnostics;
    const std::string found = config::load_runtime(diagnostics).folder;
    CHECK(diagnostics.empty());
    return found;
  }

  static constexpr const char* kDefault = "/dev/shm/ossloop-61011";
  std::string place;

 private:
  const base::Fd turn_{::open("/dev/shm", O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
};

}  // namespace

TEST_CASE("the default folder that a stranger made is left for the session's own") {
  Session session;
  const Variable place("XDG_RUNTIME_DIR", session.place.c_str());
  CHECK(Session::folder() == Session::kDefault);
  Session::take_default(kUser);
  CHECK(Session::folder() == Session::kDefault);
  Session::take_default(kStranger);
  CHECK(Session::folder() == session.place + "/ossloop");
}

TEST_CASE("a folder that was chosen is left for no other") {
  Session session;
  const Variable place("XDG_RUNTIME_DIR", session.place.c_str());
  Session::take_default(kStranger);
  const Variable chosen("OSSLOOP_DIR", Session::kDefault);
  CHECK(Session::folder() == Session::kDefault);
}

TEST_CASE("a link that a stranger made is no default folder") {
  Session session;
  const Variable place("XDG_RUNTIME_DIR", session.place.c_str());
  Session::leave();
  std::filesystem::create_directory_symlink(session.place, Session::kDefault);
  Session::enter();
  CHECK(Session::folder() == session.place + "/ossloop");
}

TEST_CASE("a default folder that root made is for who shares") {
  Session session;
  const Variable place("XDG_RUNTIME_DIR", session.place.c_str());
  Session::take_default(0);
  CHECK(Session::folder() == session.place + "/ossloop");
  const std::string conf = session.place + "/conf";
  std::ofstream(conf) << "mode=0660\n";
  const Variable file("OSSLOOP_CONF", conf.c_str());
  CHECK(Session::folder() == Session::kDefault);
}

TEST_CASE("a session's place is used only if it is the user's alone") {
  Session session;
  Session::take_default(kStranger);
  CHECK(Session::folder() == Session::kDefault);
  for (const char* value : {"", "run", "/nowhere", "/dev/null", "/dev/shm"}) {
    INFO(value);
    const Variable place("XDG_RUNTIME_DIR", value);
    CHECK(Session::folder() == Session::kDefault);
  }
  const Variable place("XDG_RUNTIME_DIR", session.place.c_str());
  CHECK(Session::folder() == session.place + "/ossloop");
  Session::leave();
  Session::give(session.place, kUser, 0777);
  Session::enter();
  CHECK(Session::folder() == Session::kDefault);
  Session::leave();
  Session::give(session.place, kStranger, 0755);
  Session::enter();
  CHECK(Session::folder() == Session::kDefault);
}

TEST_CASE("whoever asks for warnings is told that another folder is used") {
  Session session;
  const Variable place("XDG_RUNTIME_DIR", session.place.c_str());
  Session::take_default(kStranger);
  const std::string file = session.place + "/log";
  REQUIRE(base::start_log(("warning:" + file).c_str()));
  Session::folder();
  base::start_log("error:");
  std::ifstream lines(file);
  std::string line;
  std::getline(lines, line);
  CHECK(line == "ossloop: runtime folder /dev/shm/ossloop-61011: belongs to another user; " +
                    session.place + "/ossloop is used");
}
