// The requests that tell names and numbers of the system and its devices.
#include <errno.h>

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "audio/pcm_format.h"
#include "device/loop_format.h"
#include "oss/dsp.h"

namespace ossloop::oss {
namespace {

// A string from shared memory: taken up to its end, whoever wrote it.
template <std::size_t To, std::size_t From>
void copy_name(char (&to)[To], const char (&from)[From]) {
  std::memset(to, 0, To);
  const std::size_t length = std::min(strnlen(from, From), To - 1);
  std::memcpy(to, from, length);
}

std::int32_t direction_caps(std::uint32_t access) {
  return ((access & device::kRead) != 0 ? PCM_CAP_INPUT : 0) |
         ((access & device::kWrite) != 0 ? PCM_CAP_OUTPUT : 0);
}

// What a side can do now. The server says which way the loop goes; without one
// both are possible.
std::int32_t side_caps(const abi::Segment* segment, abi::SideIndex side) {
  std::int32_t caps =
      PCM_CAP_TRIGGER | PCM_CAP_VIRTUAL | PCM_CAP_FREERATE | PCM_CAP_REALTIME | DSP_CH_ANY;
  std::uint32_t access = device::kReadWrite;
  if (segment != nullptr && device::is_open(segment->side[abi::kServer].open.load())) {
    const std::uint32_t server = segment->side[abi::kServer].access.load();
    access = side == abi::kServer ? server : device::kReadWrite & ~server;
  }
  if (side == abi::kServer) caps |= PCM_CAP_HIDDEN;
  return caps | direction_caps(access);
}

}  // namespace

int Dsp::version(std::int32_t& version) {
  version = OSS_VERSION;
  return 0;
}

int Dsp::capabilities(std::int32_t& bits) {
  bits = side_caps(&endpoint_.port().contract(), endpoint_.side_index());
  return 0;
}

int Dsp::set_song(oss_longname_t& name) {
  copy_name(endpoint_.port().side().song, name);
  return 0;
}
int Dsp::song(oss_longname_t& name) {
  copy_name(name, endpoint_.port().side().song);
  return 0;
}
int Dsp::set_label(oss_label_t& label) {
  copy_name(endpoint_.port().side().label, label);
  return 0;
}
int Dsp::label(oss_label_t& label) {
  copy_name(label, endpoint_.port().side().label);
  return 0;
}
// The name of a device is fixed; that of a client goes with its label.
int Dsp::set_name(oss_longname_t& name) { return set_song(name); }

int Dsp::system_info(oss_sysinfo& info) {
  info = {};
  std::snprintf(info.product, sizeof info.product, "OSS");
  std::snprintf(info.version, sizeof info.version, "4.1");
  std::snprintf(info.license, sizeof info.license, "MIT");
  std::snprintf(info.revision_info, sizeof info.revision_info, "ossloop");
  info.versionnum = OSS_VERSION;
  const int instances = machine_.count();
  info.numaudios = info.numaudioengines = 2 * instances;
  info.numcards = 1;
  for (int instance = 0; instance < instances; ++instance) {
    const auto segment = machine_.segment(instance);
    if (segment == nullptr) continue;
    for (const abi::SideIndex side : {abi::kClient, abi::kServer}) {
      if (!device::is_open(segment->contract().side[side].open.load())) continue;
      const int number = audio_device(instance, side);
      info.openedaudio[number / 32] |= static_cast<std::int32_t>(1U << (number % 32));
    }
  }
  return 0;
}

int Dsp::audio_info(oss_audioinfo& info) {
  int number = info.dev;
  if (number == -1) number = audio_device(endpoint_.instance(), endpoint_.side_index());
  if (number < 0 || number >= 2 * machine_.count()) return -EINVAL;
  const int instance = number / 2;
  const abi::SideIndex side = number % 2 == 1 ? abi::kServer : abi::kClient;
  const auto mapped = machine_.segment(instance);
  const abi::Segment* segment = mapped != nullptr ? &mapped->contract() : nullptr;

  info = {};
  info.dev = number;
  const char* role = side == abi::kServer ? "server" : "pcm";
  std::snprintf(info.name, sizeof info.name, "ossloop %d %s", instance,
                side == abi::kServer ? "server side" : "client side");
  // The names of server10 to server15 are one byte too long for the structure;
  // a cut name would be another device's.
  char path[64];
  const int length = std::snprintf(path, sizeof path, "/dev/oss/oss_audioloop0/%s%d", role, instance);
  if (length < static_cast<int>(sizeof info.devnode)) {
    std::memcpy(info.devnode, path, static_cast<std::size_t>(length));
  }
  std::snprintf(path, sizeof path, "ossloop-%s%d", role, instance);
  copy_name(info.handle, path);
  info.caps = side_caps(segment, side);
  const int formats = audio::supported_formats_mask();
  info.iformats = (info.caps & PCM_CAP_INPUT) != 0 ? formats : 0;
  info.oformats = (info.caps & PCM_CAP_OUTPUT) != 0 ? formats : 0;
  info.port_number = number;
  info.mixer_dev = -1;
  info.legacy_device = side == abi::kClient ? instance : -1;
  info.enabled = machine_.exists(instance) ? 1 : 0;
  info.min_rate = audio::kMinRateHz;
  info.max_rate = audio::kMaxRateHz;
  info.min_channels = 1;
  info.max_channels = audio::kMaxChannels;
  info.rate_source = number;
  info.pid = -1;
  info.next_play_engine = info.next_rec_engine = number;
  if (segment != nullptr && device::is_open(segment->side[side].open.load()) &&
      (number == audio_device(endpoint_.instance(), endpoint_.side_index()) ||
       machine_.held(instance, side))) {
    const abi::Side& open = segment->side[side];
    info.busy = static_cast<std::int32_t>(open.access.load() & device::kReadWrite);
    info.pid = static_cast<std::int32_t>(open.pid.load());
    copy_name(info.cmd, open.command);
    copy_name(info.song_name, open.song);
    copy_name(info.label, open.label);
    const audio::PcmFormat loop = device::unpack_format(segment->loop.word.load());
    info.latency = static_cast<std::int32_t>(
        static_cast<std::uint64_t>(open.buffer_frames.load()) * 1'000'000 /
        static_cast<std::uint64_t>(loop.rate_hz));
  }
  return 0;
}

int Dsp::engine_info(oss_audioinfo& info) { return audio_info(info); }

int Dsp::card_info(oss_card_info& info) {
  if (info.card != 0 && info.card != -1) return -EINVAL;
  info = {};
  std::snprintf(info.shortname, sizeof info.shortname, "oss_audioloop0");
  std::snprintf(info.longname, sizeof info.longname, "ossloop loopback audio");
  return 0;
}

}  // namespace ossloop::oss
