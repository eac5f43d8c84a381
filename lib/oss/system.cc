#include "oss/system.h"

#include <errno.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <string>

#include "audio/pcm_format.h"
#include "device/endpoint.h"
#include "oss/text.h"
#include "stream/format_word.h"

namespace ossloop::oss {
namespace {

constexpr std::uint32_t kUsualRates[] = {5512,   6000,   8000,   11025,  12000,  16000, 22050,
                                         24000,  32000,  44100,  48000,  64000,  88200, 96000,
                                         128000, 176400, 192000, 352800, 384000, 768000};
static_assert(std::size(kUsualRates) <= OSS_MAX_SAMPLE_RATES);

std::int32_t direction_caps(std::uint32_t access) {
  return ((access & device::kRead) != 0 ? PCM_CAP_INPUT : 0) |
         ((access & device::kWrite) != 0 ? PCM_CAP_OUTPUT : 0);
}

// The names of server10 to server15 fill the array to its last byte. What follows
// in the structure is 0 in its first byte, so they end there all the same.
void put_device_node(oss_audioinfo& info, const std::string& path) {
  static_assert(offsetof(oss_audioinfo, next_play_engine) ==
                offsetof(oss_audioinfo, devnode) + OSS_DEVNODE_SIZE);
  std::memcpy(info.devnode, path.data(), std::min<std::size_t>(path.size(), OSS_DEVNODE_SIZE));
  info.next_play_engine = info.next_rec_engine = 0;
}

void describe_open(oss_audioinfo& info, const abi::Half& open) {
  info.busy = static_cast<std::int32_t>(open.access.load() & device::kReadWrite);
  info.pid = static_cast<std::int32_t>(open.pid.load());
  put_text(info.cmd, text_of(open.command));
  put_text(info.song_name, text_of(open.song));
  // As OSS does: what has no label is known by its command.
  const std::string_view label = text_of(open.label);
  put_text(info.label, label.empty() ? text_of(open.command) : label);
  const audio::PcmFormat format = device::unpack_format(open.format.load());
  info.latency = static_cast<std::int32_t>(
      std::min<std::uint64_t>(static_cast<std::uint64_t>(open.buffer_frames.load()) * 1'000'000 /
                                  static_cast<std::uint64_t>(format.rate_hz),
                              60'000'000));
}

}  // namespace

std::int32_t side_caps(abi::Segment* segment, abi::SideIndex side) {
  std::int32_t caps = PCM_CAP_TRIGGER | PCM_CAP_MMAP | PCM_CAP_VIRTUAL | PCM_CAP_FREERATE |
                      PCM_CAP_REALTIME | DSP_CH_ANY;
  std::uint32_t access = device::kReadWrite;
  const std::uint32_t server =
      segment != nullptr ? device::open_ways(*segment, abi::kServer) : std::uint32_t{0};
  const bool duplex =
      segment != nullptr && config::get<"duplex", abi::Duplex>(segment->policy) == abi::Duplex::kOn;
  if (duplex) caps |= PCM_CAP_DUPLEX;
  if (server != 0 && !duplex) {
    access = side == abi::kServer ? server : device::kReadWrite & ~server;
  }
  if (side == abi::kServer) caps |= PCM_CAP_HIDDEN;
  return caps | direction_caps(access);
}

std::int32_t System::version() const { return OSS_VERSION; }

int System::system_info(oss_sysinfo& info) {
  info = {};
  put_text(info.product, "OSS");
  put_text(info.version, "4.1");
  put_text(info.license, "MIT");
  put_text(info.revision_info, "ossloop");
  info.versionnum = OSS_VERSION;
  const int instances = instances_.count();
  info.numaudios = info.numaudioengines = 2 * instances;
  info.nummixers = instances;
  info.numcards = 1;
  for (int number = 0; number < 2 * instances; ++number) {
    const auto segment = instances_.segment(number / 2);
    if (segment == nullptr ||
        instances_.opens(segment->contract(), number / 2, side_of(number)).empty()) {
      continue;
    }
    info.openedaudio[number / 32] |= static_cast<std::int32_t>(1U << (number % 32));
  }
  return 0;
}

int System::audio_info(oss_audioinfo& info) {
  const int number = info.dev == -1 ? device_ : info.dev;
  if (number < 0 || number >= 2 * instances_.count()) return -EINVAL;
  const int instance = number / 2;
  const abi::SideIndex side = side_of(number);
  const auto mapped = instances_.segment(instance);
  abi::Segment* const segment = mapped != nullptr ? &mapped->contract() : nullptr;

  info = {};
  info.dev = number;
  const std::string role = (side == abi::kServer ? "server" : "pcm") + std::to_string(instance);
  std::snprintf(info.name, sizeof info.name, "ossloop %d %s side", instance,
                side == abi::kServer ? "server" : "client");
  put_device_node(info, "/dev/oss/oss_audioloop0/" + role);
  put_text(info.handle, "ossloop-" + role);
  info.caps = side_caps(segment, side);
  const int formats = audio::supported_formats_mask();
  info.iformats = (info.caps & PCM_CAP_INPUT) != 0 ? formats : 0;
  info.oformats = (info.caps & PCM_CAP_OUTPUT) != 0 ? formats : 0;
  info.port_number = number;
  info.mixer_dev = instance;
  info.legacy_device = side == abi::kClient ? instance : -1;
  info.enabled = instances_.exists(instance) ? 1 : 0;
  info.min_rate = audio::kMinRateHz;
  info.max_rate = audio::kMaxRateHz;
  info.nrates = static_cast<std::uint32_t>(std::size(kUsualRates));
  std::copy(std::begin(kUsualRates), std::end(kUsualRates), info.rates);
  info.min_channels = 1;
  info.max_channels = audio::kMaxChannels;
  info.rate_source = number;
  info.pid = -1;
  if (segment == nullptr) return 0;
  // The first one's; busy are the directions of all.
  const auto opens = instances_.opens(*segment, instance, side);
  if (!opens.empty()) describe_open(info, *opens.front());
  for (const abi::Half* open : opens) {
    info.busy |= static_cast<std::int32_t>(open->access.load() & device::kReadWrite);
  }
  return 0;
}

int System::card_info(oss_card_info& info) {
  if (info.card != 0 && info.card != -1) return -ENXIO;
  info = {};
  put_text(info.shortname, "oss_audioloop0");
  put_text(info.longname, "ossloop loopback audio");
  put_text(info.hw_info, "shared memory, no hardware");
  return 0;
}

}  // namespace ossloop::oss
