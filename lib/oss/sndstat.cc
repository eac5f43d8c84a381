#include "oss/sndstat.h"

#include <cstdarg>
#include <cstdio>

#include "audio/pcm_format.h"
#include "device/endpoint.h"
#include "oss/text.h"
#include "stream/format_word.h"

namespace ossloop::oss {
namespace {

[[gnu::format(printf, 2, 3)]] void add(std::string& text, const char* format, ...) {
  char line[256];
  std::va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  text += line;
}

const char* direction(std::uint32_t access) {
  switch (access & device::kReadWrite) {
    case device::kRead:
      return "INPUT";
    case device::kWrite:
      return "OUTPUT";
    default:
      return "INPUT/OUTPUT";
  }
}

// A name of another process, without what would write on the reader's terminal.
std::string printable(std::string_view name) {
  std::string result(name);
  std::ranges::replace_if(
      result, [](char c) { return c < ' ' || c > '~'; }, '?');
  return result;
}

std::string node(int instance, abi::SideIndex side) {
  return (side == abi::kServer ? "/dev/oss/oss_audioloop0/server" : "/dev/oss/oss_audioloop0/pcm") +
         std::to_string(instance);
}

void describe_open(std::string& text, const abi::Half& open) {
  const audio::PcmFormat format = device::unpack_format(open.format.load());
  const auto* sample = audio::find_format(format.afmt);
  add(text, "    %s, %s/%d/%d, open by %s (pid %u)", direction(open.access.load()), sample->name,
      format.channels, format.rate_hz, printable(text_of(open.command)).c_str(), open.pid.load());
  const std::string song = printable(text_of(open.song));
  if (!song.empty()) add(text, ", \"%s\"", song.c_str());
  text += "\n";
}

void describe(std::string& text, const InstanceSet& instances, int instance, abi::SideIndex side) {
  add(text, "ossloop %d %s side  %s  (device index %d)\n", instance,
      side == abi::kServer ? "server" : "client", node(instance, side).c_str(),
      audio_device(instance, side));
  const auto segment = instances.segment(instance);
  std::vector<const abi::Half*> opens;
  if (segment != nullptr) opens = instances.opens(segment->contract(), instance, side);
  for (const abi::Half* open : opens) describe_open(text, *open);
  if (opens.empty()) text += "    free\n";
}

}  // namespace

std::string sndstat(const InstanceSet& instances, const std::string& default_device) {
  const int count = instances.count();
  std::string text = "OSS 4.1 (ossloop) loopback audio in user space\nLicense: MIT\n";
  add(text, "Number of audio devices:\t%d\nNumber of audio engines:\t%d\n", 2 * count, 2 * count);
  add(text, "Number of MIDI devices:\t\t0\nNumber of mixer devices:\t%d\n\n", count);
  text += "Device objects\n 0: oss_audioloop0 loopback audio\n\nMIDI devices (/dev/midi*)\n\n";
  text += "Mixer devices\n";
  for (int instance = 0; instance < count; ++instance) {
    if (!instances.exists(instance)) continue;
    add(text, " %d: ossloop %d (Mixer %d of device object 0)\n", instance, instance, instance);
  }
  text += "\nAudio devices\n";
  for (int instance = 0; instance < count; ++instance) {
    if (!instances.exists(instance)) continue;
    describe(text, instances, instance, abi::kClient);
    describe(text, instances, instance, abi::kServer);
  }
  text += "\nNodes\n";
  if (!default_device.empty()) {
    add(text, "  /dev/dsp -> /dev/oss/oss_audioloop0/%s\n", default_device.c_str());
  }
  for (int instance = 0; instance < count; ++instance) {
    if (!instances.exists(instance)) continue;
    add(text, "  /dev/dsp%d -> %s\n", instance, node(instance, abi::kClient).c_str());
    add(text, "  /dev/mixer%d -> /dev/oss/oss_audioloop0/mix%d\n", instance, instance);
  }
  return text;
}

}  // namespace ossloop::oss
