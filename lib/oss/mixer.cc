#include "oss/mixer.h"

#include <errno.h>

#include <cstdio>
#include <cstring>
#include <string>
#include <utility>

#include "config/policy.h"
#include "oss/mixer_controls.h"
#include "oss/text.h"
#include "stream/levels.h"

namespace ossloop::oss {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;

// A control of another time is one whose number meant something else; ours never
// change.
constexpr std::int32_t kTimestamp = 1;

constexpr std::int32_t kPlayed = SOUND_MASK_VOLUME | SOUND_MASK_PCM;
constexpr std::int32_t kRecorded = SOUND_MASK_IGAIN;

bool locked(const abi::Segment& segment) {
  return config::get<"volume", abi::Volume>(segment.policy) == abi::Volume::kLock;
}

bool is_level(const MixerControl& control) {
  return control.type == MIXT_STEREOSLIDER16 || control.type == MIXT_MUTE;
}

}  // namespace

// A configured instance that nobody has used gets a segment.
Mixer::Found Mixer::find(int& device) const {
  if (device == -1) device = instance_;
  if (device == instance_ && own_ != nullptr && own_->current()) return {.segment = own_};
  int error = 0;
  auto segment = instances_.make_segment(device, error);
  // A program that changed its root finds no names any more.
  if (segment == nullptr && device == instance_) segment = own_;
  return segment != nullptr ? Found{.segment = std::move(segment)} : Found{.error = error};
}

Mixer::Found Mixer::find(int& device, int control) const {
  Found found = find(device);
  if (found.error != 0) return found;
  const auto rows = mixer_controls();
  if (control < 0 || static_cast<std::size_t>(control) >= rows.size()) return {.error = -EIDRM};
  found.control = &rows[static_cast<std::size_t>(control)];
  return found;
}

int Mixer::level(std::int32_t& level, abi::MixerChannel channel) {
  int device = instance_;
  const Found found = find(device);
  if (found.error != 0) return found.error;
  const abi::Mixer& mixer = found.segment->contract().mixer;
  level = static_cast<std::int32_t>(device::mixer_level(mixer, channel));
  return 0;
}

int Mixer::set_level(std::int32_t& level, abi::MixerChannel channel) {
  int device = instance_;
  const Found found = find(device);
  if (found.error != 0) return found.error;
  abi::Segment& contract = found.segment->contract();
  if (!locked(contract)) {
    device::set_mixer_level(contract.mixer, channel, static_cast<std::uint32_t>(level));
  }
  level = static_cast<std::int32_t>(device::mixer_level(contract.mixer, channel));
  return 0;
}

std::int32_t Mixer::channels() const { return kPlayed | kRecorded; }
// There is one source, and it stays.
std::int32_t Mixer::record_channels() const { return kRecorded; }
std::int32_t Mixer::capabilities() const { return SOUND_CAP_EXCL_INPUT; }

int Mixer::legacy_info(mixer_info& legacy) {
  oss_mixerinfo present{};
  present.dev = instance_;
  const int error = info(present);
  if (error != 0) return error;
  legacy = {};
  put_text(legacy.id, text_of(present.id));
  put_text(legacy.name, text_of(present.name));
  legacy.modify_counter = present.modify_counter;
  return 0;
}

std::int32_t Mixer::mixers() const { return instances_.count(); }

int Mixer::controls(std::int32_t& device_and_count) {
  const int error = find(device_and_count).error;
  device_and_count = error != 0 ? 0 : static_cast<std::int32_t>(mixer_controls().size());
  return error;
}

int Mixer::info(oss_mixerinfo& info) {
  int device = info.dev;
  const Found found = find(device);
  if (found.error != 0) return found.error;
  const std::string number = std::to_string(device);
  info = {};
  info.dev = device;
  put_text(info.id, "OSSLOOP" + number);
  put_text(info.name, "ossloop " + number);
  put_text(info.handle, "ossloop-mix" + number);
  put_text(info.devnode, "/dev/oss/oss_audioloop0/mix" + number);
  info.modify_counter =
      static_cast<std::int32_t>(found.segment->contract().mixer.changes.load(kRelaxed));
  info.port_number = device;
  info.legacy_device = device;
  info.enabled = 1;
  info.caps = MIXER_CAP_VIRTUAL;
  info.nrext = static_cast<std::int32_t>(mixer_controls().size());
  return 0;
}

int Mixer::control_info(oss_mixext& info) {
  int device = info.dev;
  const int control = info.ctrl;
  const auto [error, segment, row] = find(device, control);
  if (error != 0) return error;
  info = {};
  info.dev = device;
  info.ctrl = control;
  info.type = row->type;
  info.flags = row->flags | (*row->help != '\0' ? MIXF_DESCR : 0);
  info.maxvalue = row->max_value;
  info.parent = row->parent;
  info.timestamp = kTimestamp;
  info.control_no = row->control_no;
  info.rgbcolor = row->color;
  info.update_counter = static_cast<std::int32_t>(segment->contract().mixer.changes.load(kRelaxed));
  put_text(info.id, row->label);
  put_text(info.extname, row->name);
  for (std::size_t i = 0; i < row->values.size(); ++i) {
    info.enum_present[i / 8] |= static_cast<std::uint8_t>(1U << (i % 8));
  }
  if (row->type == MIXT_DEVROOT) {
    oss_mixext_root root{};
    put_text(root.id, "OSSLOOP" + std::to_string(device));
    put_text(root.name, "ossloop " + std::to_string(device));
    static_assert(sizeof root <= sizeof info.data);
    std::memcpy(info.data, &root, sizeof root);
  }
  return 0;
}

int Mixer::value(oss_mixer_value& value) {
  const auto [error, segment, row] = find(value.dev, value.ctrl);
  if (error != 0) return error;
  if (value.timestamp != kTimestamp) return -EIDRM;
  if (row->get == nullptr) return -EFAULT;
  value.value = row->get(*segment);
  return 0;
}

int Mixer::set_value(oss_mixer_value& value) {
  const auto [missing, segment, row] = find(value.dev, value.ctrl);
  if (missing != 0) return missing;
  if (row->set == nullptr) return -EFAULT;
  if (value.timestamp != kTimestamp) return -EIDRM;
  abi::Segment& contract = segment->contract();
  int error = 0;
  if (!is_level(*row) || !locked(contract)) error = row->set(contract, value.value);
  value.value = row->get(*segment);
  // What was chosen here holds until somebody chooses anew.
  if (row->type == MIXT_ENUM && error == 0) {
    contract.policy.pinned.fetch_or(config::policy_bit(row->label), kRelaxed);
  }
  return error;
}

int Mixer::value_names(oss_mixer_enuminfo& names) {
  int device = names.dev;
  const int control = names.ctrl;
  const auto [error, segment, row] = find(device, control);
  if (error != 0) return error;
  if (row->type != MIXT_ENUM) return -EINVAL;
  names = {};
  names.dev = device;
  names.ctrl = control;
  std::size_t used = 0;
  for (const std::string_view name : row->values) {
    names.strindex[names.nvalues++] = static_cast<std::int16_t>(used);
    name.copy(names.strings + used, name.size());
    used += name.size() + 1;  // the rest of `names` is zeros
  }
  return 0;
}

// The name of the control, a line end, and what it does.
int Mixer::description(oss_mixer_enuminfo& text) {
  int device = text.dev;
  const int control = text.ctrl;
  const auto [error, segment, row] = find(device, control);
  if (error != 0) return error;
  if (*row->help == '\0') return -EIO;
  text = {};
  text.dev = device;
  text.ctrl = control;
  text.nvalues = 1;
  std::snprintf(text.strings, sizeof text.strings, "%s\n%s", row->name, row->help);
  return 0;
}

}  // namespace ossloop::oss
