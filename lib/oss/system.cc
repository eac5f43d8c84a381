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

// The names of server10 to server15 fill the array to its last byte. A server has no next
// engine: what follows in the structure is 0, so they end there all the same.
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
  info.numaudios = 2 * instances;
  info.numaudioengines = engines();
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

// As many as the instance lets in, or has.
std::uint32_t System::slots(int instance) const {
  const auto mapped = instances_.segment(instance);
  if (mapped == nullptr) return 1;
  abi::Segment& segment = mapped->contract();
  auto slots = config::get<"clients", std::uint32_t>(segment.policy);
  for (std::uint32_t slot = slots; slot < abi::kClients; ++slot) {
    if (device::open_ways(segment, abi::kClient, slot) != 0) slots = slot + 1;
  }
  return slots;
}

// The first engine of an instance that no device has the number of.
int System::further_engine(int instance) const {
  int number = 2 * instances_.count();
  for (int before = 0; before < instance; ++before) number += static_cast<int>(slots(before)) - 1;
  return number;
}

int System::engines() const { return further_engine(instances_.count()); }

bool System::find_engine(int number, EngineName& engine) const {
  const int count = instances_.count();
  engine = {number, 0};
  if (number < 2 * count) return number >= 0;
  for (int instance = 0; instance < count; ++instance) {
    const int slot = number - further_engine(instance) + 1;
    engine = {audio_device(instance, abi::kClient), static_cast<std::uint32_t>(slot)};
    if (slot < static_cast<int>(slots(instance))) return true;
  }
  return false;
}

int System::describe(int device, oss_audioinfo& info) const {
  const int instance = device / 2;
  const abi::SideIndex side = side_of(device);
  const auto mapped = instances_.segment(instance);
  info = {};
  info.dev = device;
  const std::string role = (side == abi::kServer ? "server" : "pcm") + std::to_string(instance);
  std::snprintf(info.name, sizeof info.name, "ossloop %d %s side", instance,
                side == abi::kServer ? "server" : "client");
  put_device_node(info, "/dev/oss/oss_audioloop0/" + role);
  put_text(info.handle, "ossloop-" + role);
  info.caps = side_caps(mapped != nullptr ? &mapped->contract() : nullptr, side);
  const int formats = audio::supported_formats_mask();
  info.iformats = (info.caps & PCM_CAP_INPUT) != 0 ? formats : 0;
  info.oformats = (info.caps & PCM_CAP_OUTPUT) != 0 ? formats : 0;
  info.port_number = device;
  info.mixer_dev = instance;
  info.legacy_device = side == abi::kClient ? instance : -1;
  info.enabled = instances_.exists(instance) ? 1 : 0;
  info.min_rate = audio::kMinRateHz;
  info.max_rate = audio::kMaxRateHz;
  info.nrates = static_cast<std::uint32_t>(std::size(kUsualRates));
  std::copy(std::begin(kUsualRates), std::end(kUsualRates), info.rates);
  info.min_channels = 1;
  info.max_channels = audio::kMaxChannels;
  info.rate_source = device;
  info.pid = -1;
  return instance;
}

int System::audio_info(oss_audioinfo& info) {
  const int number = info.dev == -1 ? device_ : info.dev;
  if (number < 0 || number >= 2 * instances_.count()) return -EINVAL;
  const int instance = describe(number, info);
  const auto segment = instances_.segment(instance);
  if (segment == nullptr) return 0;
  // The first one's; busy are the directions of all.
  const auto opens = instances_.opens(segment->contract(), instance, side_of(number));
  if (!opens.empty()) describe_open(info, *opens.front());
  for (const abi::Half* open : opens) {
    info.busy |= static_cast<std::int32_t>(open->access.load() & device::kReadWrite);
  }
  if (side_of(number) == abi::kClient && slots(instance) > 1)
    info.next_play_engine = info.next_rec_engine = further_engine(instance);
  return 0;
}

int System::engine_info(oss_audioinfo& info) {
  const int number = info.dev == -1 ? device_ : info.dev;
  EngineName engine{};
  if (!find_engine(number, engine)) return -EINVAL;
  const int instance = describe(engine.device, info);
  const abi::SideIndex side = side_of(engine.device);
  info.dev = number;
  if (engine.slot != 0)
    std::snprintf(info.name, sizeof info.name, "ossloop %d client side, client %u", instance,
                  engine.slot);
  const bool has_next = side == abi::kClient && engine.slot + 1 < slots(instance);
  if (has_next)
    info.next_play_engine = info.next_rec_engine =
        further_engine(instance) + static_cast<int>(engine.slot);
  const auto segment = instances_.segment(instance);
  if (segment == nullptr) return 0;
  for (const abi::Half* open : instances_.opens(segment->contract(), instance, side, engine.slot)) {
    const std::int32_t busy = info.busy;
    if (busy == 0) describe_open(info, *open);
    info.busy |= busy | static_cast<std::int32_t>(open->access.load() & device::kReadWrite);
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
