#include "oss/sndstat.h"

#include <cstdio>
#include <cstring>

#include "audio/pcm_format.h"
#include "device/endpoint.h"
#include "device/loop_format.h"

namespace ossloop::oss {
namespace {

const char* direction(std::uint32_t access) {
  switch (access & device::kReadWrite) {
    case device::kRead: return "INPUT";
    case device::kWrite: return "OUTPUT";
    default: return "INPUT/OUTPUT";
  }
}

void describe(std::string& text, int instance, abi::SideIndex side, const abi::Segment* segment,
              bool held) {
  char line[256];
  std::snprintf(line, sizeof line, "%d: ossloop %d %s side (/dev/oss/oss_audioloop0/%s%d)",
                audio_device(instance, side), instance, side == abi::kServer ? "server" : "client",
                side == abi::kServer ? "server" : "pcm", instance);
  text += line;
  if (segment == nullptr || !held || !device::is_open(segment->side[side].open.load())) {
    text += "\n";
    return;
  }
  const abi::Side& open = segment->side[side];
  const audio::PcmFormat format =
      device::unpack_format(side == abi::kServer ? segment->loop.word.load() : open.format.load());
  const auto* sample = audio::find_format(format.afmt);
  std::snprintf(line, sizeof line, " %s %s/%d/%d open by %u %.*s\n", direction(open.access.load()),
                sample != nullptr ? sample->name : "?", format.channels, format.rate_hz,
                open.pid.load(), static_cast<int>(strnlen(open.command, sizeof open.command)),
                open.command);
  text += line;
}

}  // namespace

std::string sndstat(const Machine& machine) {
  std::string text = "OSS 4.1 (ossloop, loopback audio in user space)\n\nCard config:\n"
                     "0: oss_audioloop0: loopback audio devices\n\nAudio devices:\n";
  for (int instance = 0; instance < machine.count(); ++instance) {
    if (!machine.exists(instance)) continue;
    const auto segment = machine.segment(instance);
    for (const abi::SideIndex side : {abi::kClient, abi::kServer}) {
      describe(text, instance, side, segment != nullptr ? &segment->contract() : nullptr,
               segment != nullptr && machine.held(instance, side));
    }
  }
  return text;
}

}  // namespace ossloop::oss
