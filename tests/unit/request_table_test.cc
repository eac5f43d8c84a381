#include "oss/request_table.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>

#include "oss/soundcard.h"

using namespace ossloop::oss;

namespace {

std::string name_of(std::uint32_t code) {
  const Request* request = find_request(code);
  return request == nullptr ? "" : request->name;
}

// The reference's own numbers for 64-bit programs.
std::map<std::string, std::uint64_t> reference() {
  std::ifstream input(OSSLOOP_SOURCE_DIR "/tests/layout/reference/oss4-constants.tsv");
  std::map<std::string, std::uint64_t> values;
  for (std::string line; std::getline(input, line);) {
    std::istringstream columns(line);
    std::string name, value;
    if (columns >> name >> value && value.starts_with("0x")) {
      values[name] = std::stoull(value, nullptr, 16);
    }
  }
  return values;
}

}  // namespace

TEST_CASE("every request has one row") {
  std::set<std::uint32_t> codes;
  std::set<std::string> names;
  for (const Request& request : requests()) {
    INFO(request.name);
    CHECK(codes.insert(request.code).second);
    CHECK(names.insert(request.name).second);
    CHECK(request.handle != nullptr);
    CHECK(find_request(request.code) == &request);
  }
}

TEST_CASE("a request's name and code are those of OSS 4") {
  const auto values = reference();
  REQUIRE(values.size() > 100);
  for (const Request& request : requests()) {
    INFO(request.name);
    const auto found = values.find(request.name);
    REQUIRE(found != values.end());
    CHECK(found->second == request.code);
  }
}

TEST_CASE("all requests that play and record are there") {
#define ROW(name) \
  { name, #name }
  const std::map<std::uint32_t, std::string> wanted = {
      ROW(SNDCTL_DSP_SETFMT),       ROW(SNDCTL_DSP_GETFMTS),    ROW(SNDCTL_DSP_SPEED),
      ROW(SNDCTL_DSP_CHANNELS),     ROW(SNDCTL_DSP_STEREO),     ROW(SNDCTL_DSP_SETFRAGMENT),
      ROW(SNDCTL_DSP_SUBDIVIDE),    ROW(SNDCTL_DSP_POLICY),     ROW(SNDCTL_DSP_GETBLKSIZE),
      ROW(SNDCTL_DSP_GETOSPACE),    ROW(SNDCTL_DSP_GETISPACE),  ROW(SNDCTL_DSP_GETODELAY),
      ROW(SNDCTL_DSP_GETOPTR),      ROW(SNDCTL_DSP_GETIPTR),    ROW(SNDCTL_DSP_CURRENT_OPTR),
      ROW(SNDCTL_DSP_CURRENT_IPTR), ROW(SNDCTL_DSP_GETCAPS),    ROW(SNDCTL_DSP_GETTRIGGER),
      ROW(SNDCTL_DSP_SETTRIGGER),   ROW(SNDCTL_DSP_HALT),       ROW(SNDCTL_DSP_HALT_INPUT),
      ROW(SNDCTL_DSP_HALT_OUTPUT),  ROW(SNDCTL_DSP_SYNC),       ROW(SNDCTL_DSP_POST),
      ROW(SNDCTL_DSP_NONBLOCK),     ROW(SNDCTL_DSP_LOW_WATER),  ROW(SNDCTL_DSP_GETERROR),
      ROW(SNDCTL_DSP_COOKEDMODE),   ROW(SNDCTL_DSP_PROFILE),    ROW(SNDCTL_SETSONG),
      ROW(SNDCTL_GETSONG),          ROW(SNDCTL_SETLABEL),       ROW(SNDCTL_GETLABEL),
      ROW(OSS_GETVERSION),          ROW(SNDCTL_SYSINFO),        ROW(SNDCTL_AUDIOINFO),
      ROW(SNDCTL_AUDIOINFO_EX),     ROW(SNDCTL_ENGINEINFO),     ROW(SNDCTL_CARDINFO),
      ROW(SNDCTL_DSP_GETPLAYVOL),   ROW(SNDCTL_DSP_SETPLAYVOL), ROW(SNDCTL_DSP_GETRECVOL),
      ROW(SNDCTL_DSP_SETRECVOL),
  };
#undef ROW
  for (const auto& [code, name] : wanted) CHECK(name_of(code) == name);
}

TEST_CASE("requests that share a number are told apart") {
  CHECK(name_of(SNDCTL_DSP_GETODELAY) == "SNDCTL_DSP_GETODELAY");
  CHECK(name_of(SNDCTL_DSP_PROFILE) == "SNDCTL_DSP_PROFILE");
  CHECK(name_of(SNDCTL_DSP_HALT_OUTPUT) == "SNDCTL_DSP_HALT_OUTPUT");
  CHECK(name_of(SNDCTL_DSP_LOW_WATER) == "SNDCTL_DSP_LOW_WATER");
  CHECK(name_of(SNDCTL_DSP_GETTRIGGER) == "SNDCTL_DSP_GETTRIGGER");
  CHECK(name_of(SNDCTL_DSP_SETTRIGGER) == "SNDCTL_DSP_SETTRIGGER");
  CHECK(name_of(SNDCTL_DSP_GETPLAYVOL) == "SNDCTL_DSP_GETPLAYVOL");
  CHECK(name_of(SNDCTL_DSP_SETPLAYVOL) == "SNDCTL_DSP_SETPLAYVOL");
}

TEST_CASE("other direction bits of old programs find the request that was meant") {
  CHECK(name_of(0xc004501e) == "SNDCTL_DSP_COOKEDMODE");
  CHECK(name_of(0xc0045017) == "SNDCTL_DSP_PROFILE");
  CHECK(name_of(0xc0045022) == "SNDCTL_DSP_LOW_WATER");
  CHECK(name_of(0x20005022) == "SNDCTL_DSP_HALT_OUTPUT");
  CHECK(name_of(0xc0045010) == "SNDCTL_DSP_SETTRIGGER");
  CHECK(name_of(0x40045018) == "SNDCTL_DSP_SETPLAYVOL");
  CHECK(name_of(0xc004502d) == "SNDCTL_DSP_POLICY");
  CHECK(name_of(0x80045005) == "SNDCTL_DSP_SETFMT");
  CHECK(name_of(0x80045002) == "SNDCTL_DSP_SPEED");
  CHECK(name_of(0xc004500f) == "SNDCTL_DSP_GETCAPS");
  CHECK(name_of(0xc0045009) == "SNDCTL_DSP_SUBDIVIDE");
}

TEST_CASE("an unknown request is unknown") {
  for (const std::uint32_t code :
       {0U, 0xffffffffU, 0x5401U /* TCGETS */, 0x541bU /* FIONREAD */, 0x000050ffU, 0xc00450eeU,
        0x80045100U, 0x00005000U + (1U << 8)}) {
    INFO(code);
    CHECK(find_request(code) == nullptr);
  }
}

TEST_CASE("a code tells the length and the way of its argument") {
  CHECK(argument_bytes(SNDCTL_DSP_HALT) == 0);
  CHECK(argument_bytes(SNDCTL_DSP_GETOSPACE) == sizeof(audio_buf_info));
  CHECK(argument_bytes(SNDCTL_AUDIOINFO) == sizeof(oss_audioinfo));
  CHECK(takes_argument(SNDCTL_DSP_SETTRIGGER));
  CHECK_FALSE(gives_argument(SNDCTL_DSP_SETTRIGGER));
  CHECK(gives_argument(SNDCTL_DSP_GETTRIGGER));
  CHECK_FALSE(takes_argument(SNDCTL_DSP_GETTRIGGER));
  CHECK((takes_argument(SNDCTL_DSP_SPEED) && gives_argument(SNDCTL_DSP_SPEED)));
  CHECK_FALSE((takes_argument(SNDCTL_DSP_SYNC) || gives_argument(SNDCTL_DSP_SYNC)));
}
