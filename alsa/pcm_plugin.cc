// The type of PCM `ossloop` of ALSA's configuration: `type ossloop`, `device "/dev/dsp"`.
//
// A program waits for a timer, not for the node of the device: the plugin has no entry in the
// program's poll() that would make the node true before each wait, unless the program is
// preloaded. The loop's position is a matter of time, so that a timer is exact in both cases, and
// the device thread need not tick.
#include <errno.h>
#include <poll.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <new>
#include <string_view>

#include "alsa/channel_map.h"
#include "alsa/loop_pcm.h"

namespace ossloop::alsa {
namespace {

constexpr unsigned kMostChannels = 64;
constexpr unsigned kLeastRateHz = 5000, kMostRateHz = 768000;
// Of ALSA's parameters only bytes can be limited, whatever the format: seconds of a CD, and a
// tenth of one of eight channels of a studio.
constexpr unsigned kLeastPeriodBytes = 64, kMostBufferBytes = 512 * 1024;
constexpr unsigned kMostPeriods = 1024;

LoopPcm& pcm_of(snd_pcm_ioplug_t* io) { return *static_cast<LoopPcm*>(io->private_data); }

int close_pcm(snd_pcm_ioplug_t* io) {
  delete static_cast<LoopPcm*>(io->private_data);
  return 0;
}

int poll_descriptors(snd_pcm_ioplug_t* io, pollfd* entries, unsigned space) {
  if (space < 1) return 0;
  pcm_of(io).arm();
  *entries = {io->poll_fd, POLLIN, 0};
  return 1;
}

int poll_revents(snd_pcm_ioplug_t* io, pollfd* entries, unsigned count, unsigned short* events) {
  *events = count > 0 && entries->revents != 0 ? pcm_of(io).events() : 0;
  return 0;
}

const snd_pcm_ioplug_callback_t kCalls = {
    .start = [](snd_pcm_ioplug_t* io) { return pcm_of(io).start(); },
    .stop = [](snd_pcm_ioplug_t* io) { return pcm_of(io).stop(); },
    .pointer = [](snd_pcm_ioplug_t* io) { return pcm_of(io).pointer(); },
    .transfer = [](snd_pcm_ioplug_t* io, const snd_pcm_channel_area_t* areas,
                   snd_pcm_uframes_t offset,
                   snd_pcm_uframes_t frames) { return pcm_of(io).transfer(areas, offset, frames); },
    .close = close_pcm,
    .hw_params = [](snd_pcm_ioplug_t* io,
                    snd_pcm_hw_params_t*) { return pcm_of(io).set_hardware(); },
    .hw_free = nullptr,
    .sw_params = [](snd_pcm_ioplug_t* io,
                    snd_pcm_sw_params_t* params) { return pcm_of(io).set_software(params); },
    .prepare = [](snd_pcm_ioplug_t* io) { return pcm_of(io).prepare(); },
    .drain = nullptr,
    .pause = [](snd_pcm_ioplug_t* io, int on) { return pcm_of(io).pause(on != 0); },
    .resume = nullptr,
    .poll_descriptors_count = nullptr,
    .poll_descriptors = poll_descriptors,
    .poll_revents = poll_revents,
    .dump = nullptr,
    .delay =
        [](snd_pcm_ioplug_t* io, snd_pcm_sframes_t* frames) {
          *frames = pcm_of(io).delay();
          return 0;
        },
    .query_chmaps = [](snd_pcm_ioplug_t*) { return all_channel_maps(kMostChannels); },
    .get_chmap = [](snd_pcm_ioplug_t* io) { return channel_map(io->channels); },
    .set_chmap = nullptr,
};

}  // namespace

LoopPcm::LoopPcm() {
  io_.version = SND_PCM_IOPLUG_VERSION;
  io_.name = "Loop of ossloop";
  io_.flags = SND_PCM_IOPLUG_FLAG_BOUNDARY_WA | SND_PCM_IOPLUG_FLAG_MONOTONIC;
  io_.callback = &kCalls;
  io_.private_data = this;
}

int LoopPcm::open(snd_pcm_t** pcm, const char* name, const char* device, snd_pcm_stream_t stream,
                  int mode) {
  int error = device_.open(device, stream == SND_PCM_STREAM_PLAYBACK);
  if (error == 0) error = timer_.open();
  if (error != 0) return error;
  io_.poll_fd = timer_.fd();
  io_.poll_events = POLLIN;
  error = snd_pcm_ioplug_create(&io_, name, stream, mode);
  if (error != 0) return error;
  error = limit();
  if (error != 0) {
    io_.private_data = nullptr;  // the caller's to delete
    snd_pcm_ioplug_delete(&io_);
    return error;
  }
  *pcm = io_.pcm;
  return 0;
}

int LoopPcm::limit() {
  constexpr unsigned kAccess[] = {SND_PCM_ACCESS_RW_INTERLEAVED, SND_PCM_ACCESS_MMAP_INTERLEAVED};
  unsigned known[32];
  unsigned count = 0;
  for (const FormatPair& pair : formats()) known[count++] = static_cast<unsigned>(pair.alsa);
  int error =
      snd_pcm_ioplug_set_param_list(&io_, SND_PCM_IOPLUG_HW_ACCESS, std::size(kAccess), kAccess);
  if (error == 0)
    error = snd_pcm_ioplug_set_param_list(&io_, SND_PCM_IOPLUG_HW_FORMAT, count, known);
  const struct {
    int type;
    unsigned least, most;
  } ranges[] = {
      {SND_PCM_IOPLUG_HW_CHANNELS, 1, kMostChannels},
      {SND_PCM_IOPLUG_HW_RATE, kLeastRateHz, kMostRateHz},
      {SND_PCM_IOPLUG_HW_PERIOD_BYTES, kLeastPeriodBytes, kMostBufferBytes / 2},
      {SND_PCM_IOPLUG_HW_BUFFER_BYTES, 2 * kLeastPeriodBytes, kMostBufferBytes},
      {SND_PCM_IOPLUG_HW_PERIODS, 2, kMostPeriods},
  };
  for (const auto& range : ranges) {
    if (error == 0)
      error = snd_pcm_ioplug_set_param_minmax(&io_, range.type, range.least, range.most);
  }
  return error;
}

}  // namespace ossloop::alsa

// What ALSA looks for in the file.
#pragma GCC visibility push(default)
extern "C" {

SND_PCM_PLUGIN_DEFINE_FUNC(ossloop) {
  const char* device = "/dev/dsp";
  snd_config_iterator_t at, next;
  snd_config_for_each(at, next, conf) {
    snd_config_t* const entry = snd_config_iterator_entry(at);
    const char* id = nullptr;
    if (snd_config_get_id(entry, &id) < 0) continue;
    const std::string_view key = id;
    if (key == "comment" || key == "type" || key == "hint") continue;
    if (key != "device" || snd_config_get_string(entry, &device) < 0) {
      SNDERR("ossloop: no such key, or no text: %s", id);
      return -EINVAL;
    }
  }
  static_cast<void>(root);
  std::unique_ptr<ossloop::alsa::LoopPcm> pcm(new (std::nothrow) ossloop::alsa::LoopPcm);
  if (pcm == nullptr) return -ENOMEM;
  const int error = pcm->open(pcmp, name, device, stream, mode);
  if (error == 0) static_cast<void>(pcm.release());  // closing the PCM deletes it
  return error;
}

SND_PCM_PLUGIN_SYMBOL(ossloop)

}  // extern "C"
#pragma GCC visibility pop
