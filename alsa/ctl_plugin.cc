// The type of control `ossloop` of ALSA's configuration: `type ossloop`, `device "/dev/mixer"`.
#include <errno.h>
#include <fcntl.h>

#include <cstdio>
#include <memory>
#include <new>
#include <string_view>
#include <utility>

#include "alsa/loop_mixer.h"

namespace ossloop::alsa {
namespace {

// Half a decibel a step, 0 dB at 100, and silence at 0.
constexpr unsigned kMute = 0x10000;
const unsigned kDecibels[] = {SND_CTL_TLVT_DB_SCALE, 2 * sizeof(unsigned),
                              static_cast<unsigned>(-5000), 50 | kMute};

LoopMixer& mixer_of(snd_ctl_ext_t* ext) { return *static_cast<LoopMixer*>(ext->private_data); }
const MixerElement& element_of(snd_ctl_ext_key_t key) { return mixer_elements()[key]; }
bool is_level(const MixerElement& element) { return element.read_level != 0; }

int list(snd_ctl_ext_t*, unsigned offset, snd_ctl_elem_id_t* id) {
  if (offset >= mixer_elements().size()) return -EINVAL;
  snd_ctl_elem_id_set_interface(id, SND_CTL_ELEM_IFACE_MIXER);
  snd_ctl_elem_id_set_name(id, mixer_elements()[offset].name);
  return 0;
}

snd_ctl_ext_key_t find(snd_ctl_ext_t*, const snd_ctl_elem_id_t* id) {
  const unsigned number = snd_ctl_elem_id_get_numid(id);
  const auto elements = mixer_elements();
  if (number > 0 && number <= elements.size()) return number - 1;
  const std::string_view name = snd_ctl_elem_id_get_name(id);
  for (snd_ctl_ext_key_t key = 0; key < elements.size(); ++key) {
    if (name == elements[key].name) return key;
  }
  return SND_CTL_EXT_KEY_NOT_FOUND;
}

int attribute(snd_ctl_ext_t*, snd_ctl_ext_key_t key, int* type, unsigned* access, unsigned* count) {
  const bool level = is_level(element_of(key));
  *type = level ? SND_CTL_ELEM_TYPE_INTEGER : SND_CTL_ELEM_TYPE_BOOLEAN;
  *access = SND_CTL_EXT_ACCESS_READWRITE;
  if (level) *access |= SND_CTL_EXT_ACCESS_TLV_READ;
  *count = level ? 2 : 1;
  return 0;
}

int range(snd_ctl_ext_t*, snd_ctl_ext_key_t key, long* least, long* most, long* step) {
  *least = 0;
  *most = is_level(element_of(key)) ? 100 : 1;
  *step = 1;
  return 0;
}

int next_event(snd_ctl_ext_t* ext, snd_ctl_elem_id_t* id, unsigned* mask) {
  unsigned number = 0;
  const int result = mixer_of(ext).next_event(number);
  if (result <= 0) return result;
  list(ext, number, id);
  *mask = SND_CTL_EVENT_MASK_VALUE;
  return 1;
}

constexpr snd_ctl_ext_callback_t calls() {
  snd_ctl_ext_callback_t all{};
  all.close = [](snd_ctl_ext_t* ext) { delete static_cast<LoopMixer*>(ext->private_data); };
  all.elem_count = [](snd_ctl_ext_t*) { return static_cast<int>(mixer_elements().size()); };
  all.elem_list = list;
  all.find_elem = find;
  all.get_attribute = attribute;
  all.get_integer_info = range;
  all.read_integer = [](snd_ctl_ext_t* ext, snd_ctl_ext_key_t key, long* values) {
    return mixer_of(ext).read(element_of(key), values);
  };
  all.write_integer = [](snd_ctl_ext_t* ext, snd_ctl_ext_key_t key, long* values) {
    return mixer_of(ext).write(element_of(key), values);
  };
  all.subscribe_events = [](snd_ctl_ext_t* ext, int on) { mixer_of(ext).subscribe(on != 0); };
  all.read_event = next_event;
  return all;
}
const snd_ctl_ext_callback_t kCalls = calls();

}  // namespace

LoopMixer::LoopMixer() {
  ext_.version = SND_CTL_EXT_VERSION;
  for (auto [text, bytes] : {std::pair(ext_.id, sizeof ext_.id), {ext_.driver, sizeof ext_.driver}})
    std::snprintf(text, bytes, "ossloop");
  for (auto [text, bytes] :
       {std::pair(ext_.name, sizeof ext_.name), {ext_.mixername, sizeof ext_.mixername}})
    std::snprintf(text, bytes, "Loop of ossloop");
  ext_.tlv.p = kDecibels;
  ext_.callback = &kCalls;
  ext_.private_data = this;
}

int LoopMixer::open(snd_ctl_t** control, const char* name, const char* device, int mode) {
  library_ = LoopLibrary::find();
  if (library_ == nullptr) return -ENOENT;
  fd_ = library_->open(device, O_RDWR | O_CLOEXEC);
  if (fd_ < 0) return -errno;
  if (const int error = find_mute(); error != 0) return error;
  if (const int error = timer_.open(); error != 0) return error;
  std::snprintf(ext_.longname, sizeof ext_.longname, "Loop of ossloop, %s", device);
  ext_.poll_fd = timer_.fd();
  const int error = snd_ctl_ext_create(&ext_, name, mode);
  if (error == 0) *control = ext_.handle;
  return error;
}

}  // namespace ossloop::alsa

// What ALSA looks for in the file.
#pragma GCC visibility push(default)
extern "C" {

SND_CTL_PLUGIN_DEFINE_FUNC(ossloop) {
  const char* device = "/dev/mixer";
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
  std::unique_ptr<ossloop::alsa::LoopMixer> mixer(new (std::nothrow) ossloop::alsa::LoopMixer);
  if (mixer == nullptr) return -ENOMEM;
  const int error = mixer->open(handlep, name, device, mode);
  if (error == 0) static_cast<void>(mixer.release());  // closing the control deletes it
  return error;
}

SND_CTL_PLUGIN_SYMBOL(ossloop)

}  // extern "C"
#pragma GCC visibility pop
