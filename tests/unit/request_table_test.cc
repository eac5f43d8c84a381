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

TEST_CASE("a request's name and code are those of OSS") {
  auto values = reference();
  REQUIRE(values.size() > 100);
  // What OSS 4 took over from OSS 3 and no longer lists.
  values.insert({{"SOUND_PCM_READ_RATE", 0x80045002},
                 {"SOUND_PCM_READ_BITS", 0x80045005},
                 {"SOUND_PCM_READ_CHANNELS", 0x80045006},
                 {"SOUND_PCM_READ_FILTER", 0x80045007},
                 {"SOUND_PCM_WRITE_FILTER", 0xc0045007},
                 {"SNDCTL_DSP_MAPINBUF", 0x80105013},
                 {"SNDCTL_DSP_MAPOUTBUF", 0x80105014}});
  // Ours.
  values.insert({{"OSSLOOP_DSP_LOOK", 0xc0305078},
                 {"OSSLOOP_DSP_BUFFER", 0xc0085079},
                 {"OSSLOOP_DSP_PAUSE", 0x4004507a}});
  for (const Request& request : requests()) {
    INFO(request.name);
    const auto found = values.find(request.name);
    REQUIRE(found != values.end());
    CHECK(found->second == request.code);
  }
}

TEST_CASE("every request of OSS 4 has a row") {
  int checked = 0;
  for (const auto& [name, code] : reference()) {
    const bool request = name.starts_with("SNDCTL_") || name.starts_with("SOUND_MIXER_READ_") ||
                         name.starts_with("SOUND_MIXER_WRITE_") || name.starts_with("OSS_GET") ||
                         name.starts_with("OSS_SYS") ||
                         (name.starts_with("SOUND_MIXER_") && code > 0xffff);
    if (!request) continue;
    INFO(name);
    const Request* row = find_request(static_cast<std::uint32_t>(code));
    REQUIRE(row != nullptr);
    CHECK(row->code == code);
    ++checked;
  }
  CHECK(checked > 130);
}

TEST_CASE("a row says what it does, or why it refuses") {
  for (const Request& request : requests()) {
    INFO(request.name);
    const std::string_view help(request.help);
    CHECK(help.size() > 4);
    CHECK(help.ends_with("."));
    CHECK(request.refusal <= 0);
  }
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
  CHECK(name_of(0x80045002) == "SOUND_PCM_READ_RATE");
  CHECK(name_of(0x80304d65) == "SOUND_MIXER_INFO");
  CHECK(name_of(0xc0044d74) == "SOUND_MIXER_WRITE_MAINVOL");
  CHECK(name_of(0xc0a44d74) == "SOUND_MIXER_GETLEVELS");
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
