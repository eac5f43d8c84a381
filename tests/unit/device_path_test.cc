#include "config/device_path.h"

#include <catch2/catch.hpp>
#include <cstring>
#include <string>

using namespace ossloop::config;

namespace {

const std::string kCard = "/dev/oss/oss_audioloop0";

bool is_ours(const std::string& path) {
  DeviceName name;
  return parse_device_path(path.c_str(), name);
}

DeviceName parsed(const std::string& path) {
  INFO(path);
  DeviceName name;
  REQUIRE(parse_device_path(path.c_str(), name));
  return name;
}

}  // namespace

TEST_CASE("the numbered names of the card lead to the sides and the mixer of an instance") {
  CHECK(parsed(kCard + "/server0").kind == DeviceKind::kServer);
  CHECK(parsed(kCard + "/server7").instance == 7);
  CHECK(parsed(kCard + "/pcm0").kind == DeviceKind::kClient);
  CHECK(parsed(kCard + "/pcm15").instance == 15);
  CHECK(parsed(kCard + "/mix3").kind == DeviceKind::kMixer);
  CHECK(parsed(kCard + "/mix3").instance == 3);
  CHECK_FALSE(is_ours(kCard + "/server"));
  CHECK_FALSE(is_ours(kCard + "/pcm"));
  CHECK_FALSE(is_ours(kCard + "/mix"));
  CHECK_FALSE(is_ours("/dev/oss/oss_audioloop1/pcm0"));
  CHECK_FALSE(is_ours("/dev/oss/pcm0"));
  CHECK_FALSE(is_ours("/dev/pcm0"));
}

TEST_CASE("the classic names lead to the client side, or the mixer, of a numbered instance") {
  for (const std::string stem : {"dsp", "dspW", "audio"}) {
    CHECK(parsed("/dev/" + stem + "2").kind == DeviceKind::kClient);
    CHECK(parsed("/dev/" + stem + "2").instance == 2);
  }
  CHECK(parsed("/dev/mixer2").kind == DeviceKind::kMixer);
  CHECK(parsed("/dev/mixer2").instance == 2);
}

TEST_CASE("names without a number stand for the default instance") {
  for (const std::string last :
       {"dsp", "dspW", "adsp", "audio", "dsp_in", "dsp_out", "dsp_mmap", "sound/dsp"}) {
    CHECK(parsed("/dev/" + last).kind == DeviceKind::kClient);
    CHECK(parsed("/dev/" + last).instance == -1);
  }
  CHECK(parsed("/dev/mixer").kind == DeviceKind::kMixer);
  CHECK(parsed("/dev/mixer").instance == -1);
  CHECK(parsed("/dev/sndstat").kind == DeviceKind::kSndstat);
}

TEST_CASE("names that never have a number do not match with one") {
  for (const std::string last :
       {"adsp0", "dsp_in0", "dsp_out1", "dsp_mmap0", "sound/dsp0", "sndstat0"}) {
    CHECK_FALSE(is_ours("/dev/" + last));
  }
}

TEST_CASE("only /dev/audio starts as mu-law") {
  CHECK(parsed("/dev/audio").mu_law);
  CHECK(parsed("/dev/audio3").mu_law);
  CHECK_FALSE(parsed("/dev/dspW").mu_law);
  for (const std::string path : {"/dev/dsp", "/dev/dsp3", "/dev/adsp", "/dev/mixer"}) {
    CHECK_FALSE(parsed(path).mu_law);
  }
  CHECK_FALSE(parsed(kCard + "/pcm0").mu_law);
}

TEST_CASE("numbers are decimal, of at most two digits, without leading zeros") {
  CHECK(parsed("/dev/dsp0").instance == 0);
  CHECK(parsed("/dev/dsp99").instance == 99);
  for (const std::string last : {"dsp100", "dsp00", "dsp01", "dsp-1", "dsp+1", "dsp1a", "dsp 1",
                                 "dspx", "dspW01", "DSP", "dsp1.", "dsp4294967296"}) {
    CHECK_FALSE(is_ours("/dev/" + last));
  }
}

TEST_CASE("the directories are recognised and told apart") {
  CHECK(parsed("/dev/oss").kind == DeviceKind::kDirectory);
  CHECK(parsed("/dev/oss").instance == -1);
  CHECK(parsed("/dev/oss/").kind == DeviceKind::kDirectory);
  CHECK(parsed(kCard).kind == DeviceKind::kDirectory);
  CHECK(parsed(kCard).instance == 0);
  CHECK(parsed(kCard + "//").instance == 0);
  CHECK_FALSE(is_ours("/dev"));
  CHECK_FALSE(is_ours("/dev/"));
  CHECK(parsed("/dev/sound").kind == DeviceKind::kDirectory);
  CHECK(parsed("/dev/sound").instance == 1);
}

TEST_CASE("other spellings of a name reach the same device") {
  for (const std::string path :
       {"/dev//dsp3", "//dev/dsp3", "//dev//dsp3", "/./dev/./dsp3", "/dev/shm/../dsp3",
        "/tmp/../dev/dsp3", "/tmp/a/../../dev/dsp3", "/../dev/dsp3", "/../../dev/dsp3",
        "/dev/../dev/dsp3", "/a/../../../dev/x/y/../../dsp3", "///.//..///dev/////dsp3"}) {
    CHECK(parsed(path).instance == 3);
    CHECK_FALSE(parsed(path).as_directory);
  }
  CHECK(parsed("/dev/oss//./oss_audioloop0/../oss_audioloop0/server3").instance == 3);
}

TEST_CASE("a way of any length back to /dev is followed") {
  std::string path;
  for (int i = 0; i < 5000; ++i) path += "/directory";
  for (int i = 0; i < 5000; ++i) path += "/..";
  CHECK(parsed(path + "/dev/dsp3").instance == 3);
  CHECK_FALSE(is_ours(path + "/x/dev/dsp3"));
  CHECK_FALSE(is_ours("/dev/" + std::string(100000, 'd')));
  CHECK_FALSE(is_ours(std::string(100000, '/') + "dev"));
}

TEST_CASE("a parent directory believed as written is told") {
  CHECK(parsed("/tmp/link/../../dev/dsp").through_parent);
  CHECK_FALSE(parsed("//dev/./dsp").through_parent);
}

TEST_CASE("a device name used as a directory is told") {
  for (const std::string path : {"/dev/dsp/", "/dev/dsp//", "/dev/dsp/.", "/dev/dsp/x/.."}) {
    CHECK(parsed(path).as_directory);
  }
  CHECK_FALSE(parsed("/dev/dsp").as_directory);
  CHECK_FALSE(is_ours("/dev/dsp/x"));
}

TEST_CASE("every other path is none of ours and leaves the answer alone") {
  DeviceName name;
  name.instance = 42;
  for (const char* path : {"",
                           "/",
                           "//",
                           ".",
                           "..",
                           "/..",
                           "dsp",
                           "dev/dsp",
                           "./dev/dsp",
                           "/dev/null",
                           "/dev/snd",
                           "/dev/snd/pcmC0D0p",
                           "/dev/shm/dsp",
                           "/tmp/dsp",
                           "/tmp/dev/dsp",
                           "/devdsp",
                           "/dev/..",
                           "/dev/../dsp",
                           "/etc/passwd",
                           "/usr/dev/",
                           "/dev/dsp\n",
                           "/DEV/dsp",
                           "/dev/sound/audio"}) {
    INFO(path);
    CHECK_FALSE(parse_device_path(path, name));
  }
  CHECK_FALSE(parse_device_path(nullptr, name));
  CHECK(name.instance == 42);
}

TEST_CASE("a last component that could name a device is noticed wherever it is") {
  for (const char* path :
       {"dsp", "dsp3", "audio", "mixer0", "sndstat", "server1", "pcm0", "mix0", "adsp", "dsp_mmap",
        "dspW1", "oss", "oss_audioloop0", "/tmp/dsp", "../dsp", "dsp/", "x/dsp99//"}) {
    INFO(path);
    CHECK(could_name_device(path));
  }
  for (const char* path : {"", "/", ".", "..", "./", "dsp/..", "null", "server", "dsp100", "dsp01",
                           "mydsp", "dsp/x", "mixers", "oss_audioloop1"}) {
    INFO(path);
    CHECK_FALSE(could_name_device(path));
  }
  CHECK_FALSE(could_name_device(nullptr));
}

TEST_CASE("every name of the table is recognised as what the table says") {
  for (const DeviceFamily& family : kDeviceFamilies) {
    std::string path = "/dev/";
    if (family.directory[0] != '\0') path += std::string(family.directory) + "/";
    path += family.stem;
    const bool numbered = family.numbering == Numbering::kRequired;
    if (numbered) path += "12";
    const DeviceName name = parsed(path);
    CHECK(name.kind == family.name.kind);
    CHECK(name.instance == (numbered ? 12 : family.name.instance));
    CHECK(could_name_device(path.c_str()));
  }
}

TEST_CASE("the default device is a side of an instance, or none") {
  DefaultDevice device;
  REQUIRE(parse_default_device("pcm3", device));
  CHECK(device == DefaultDevice{false, DeviceKind::kClient, 3});
  REQUIRE(parse_default_device("server15", device));
  CHECK(device == DefaultDevice{false, DeviceKind::kServer, 15});
  REQUIRE(parse_default_device("off", device));
  CHECK(device.off);
  REQUIRE(parse_default_device("pcm0", device));
  CHECK_FALSE(device.off);
  for (const char* text : {"", "pcm", "server", "pcm16", "pcm-1", "pcm01", "dsp0", "mix0", "OFF",
                           "pcm3 ", " pcm3", "/dev/dsp", "pcm3x"}) {
    INFO(text);
    CHECK_FALSE(parse_default_device(text, device));
  }
  CHECK(device == DefaultDevice{});
}
