#include "bridge/sound_server.h"
namespace ossloop::bridge {
std::unique_ptr<SoundServer> connect_alsa(const std::string& device, bool plays, bool records) {
  return connect_pulse(device, plays, records);
}
}  // namespace ossloop::bridge
