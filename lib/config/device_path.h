// Which path names are ours, decided by their text alone.
//
// Runs at every open() of every program and also in the preloaded file, which
// has no C++ library behind it: nothing here allocates, locks, throws or needs
// more than libc. Whether an instance exists is decided elsewhere.
#ifndef OSSLOOP_CONFIG_DEVICE_PATH_H_
#define OSSLOOP_CONFIG_DEVICE_PATH_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "abi/layout.h"

namespace ossloop::config {

using abi::kMaxInstances;

enum class DeviceKind : std::uint8_t { kServer, kClient, kMixer, kSndstat, kDirectory };

// What a path stands for.
struct DeviceName {
  DeviceKind kind = DeviceKind::kClient;
  // 0 to 99, or -1: the default instance, what `dsp` or OSSLOOP_DSP says.
  // Of a directory: -1 is /dev/oss, 0 is /dev/oss/oss_audioloop0, 1 is /dev/sound.
  int instance = -1;
  bool mu_law = false;  // starts as mu-law, 8000 Hz, mono
  // Something follows the name, if only a slash ("/dev/dsp/"): POSIX wants
  // ENOTDIR unless it is a directory.
  bool as_directory = false;
  // A ".." was believed as written. It would lead elsewhere if the directory
  // before it were missing or a symbolic link.
  bool through_parent = false;
};

enum class Numbering : std::uint8_t { kNone, kOptional, kRequired };

// One family of names, `/dev/DIRECTORY/STEM[number]`. Arrays instead of
// pointers: the preloaded file has nothing to relocate.
struct DeviceFamily {
  char directory[20];
  char stem[16];
  Numbering numbering;
  DeviceName name;
};

// Every name there is. Directory listings are made from it too.
inline constexpr DeviceFamily kDeviceFamilies[] = {
    {"", "dsp", Numbering::kOptional, {}},
    {"", "dspW", Numbering::kOptional, {}},
    {"", "audio", Numbering::kOptional, {.mu_law = true}},
    {"", "adsp", Numbering::kNone, {}},
    {"", "dsp_in", Numbering::kNone, {}},
    {"", "dsp_out", Numbering::kNone, {}},
    {"", "dsp_mmap", Numbering::kNone, {}},
    {"sound", "dsp", Numbering::kNone, {}},
    {"", "mixer", Numbering::kOptional, {.kind = DeviceKind::kMixer}},
    {"", "sndstat", Numbering::kNone, {.kind = DeviceKind::kSndstat}},
    {"", "oss", Numbering::kNone, {.kind = DeviceKind::kDirectory}},
    {"", "sound", Numbering::kNone, {.kind = DeviceKind::kDirectory, .instance = 1}},
    {"oss", "oss_audioloop0", Numbering::kNone, {.kind = DeviceKind::kDirectory, .instance = 0}},
    {"oss/oss_audioloop0", "server", Numbering::kRequired, {.kind = DeviceKind::kServer}},
    {"oss/oss_audioloop0", "pcm", Numbering::kRequired, {.kind = DeviceKind::kClient}},
    {"oss/oss_audioloop0", "mix", Numbering::kRequired, {.kind = DeviceKind::kMixer}},
};

// Recognises an absolute path in any spelling ("//", "/./", "/../"); numbers
// are decimal, of at most two digits, without leading zeros. False, with `name`
// untouched, if it is not one of ours; null and relative paths never are.
bool parse_device_path(const char* path, DeviceName& name);

// Whether the last component is spelled like one of our names ("dsp3",
// "server1"), trailing slashes aside. The cheap question to ask about a
// relative path before finding out where it starts.
bool could_name_device(const char* path);

// What the names without a number stand for.
struct DefaultDevice {
  bool off = false;                       // nothing: they behave as without ossloop
  DeviceKind kind = DeviceKind::kClient;  // or kServer
  int instance = 0;                       // 0 to kMaxInstances - 1

  bool operator==(const DefaultDevice&) const = default;
};

// Reads "pcm3", "server1" or "off". False, with `device` untouched, if it is
// none of these.
bool parse_default_device(std::string_view text, DefaultDevice& device);

}  // namespace ossloop::config

#endif  // OSSLOOP_CONFIG_DEVICE_PATH_H_
