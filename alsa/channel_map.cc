#include "alsa/channel_map.h"

#include <cstddef>
#include <cstdlib>

namespace ossloop::alsa {
namespace {

// The layouts that the loop knows when it converts (lib/audio/channel_matrix.cc).
unsigned place(unsigned channel, unsigned channels) {
  constexpr unsigned kFour[] = {SND_CHMAP_FL, SND_CHMAP_FR, SND_CHMAP_RL, SND_CHMAP_RR};
  constexpr unsigned kSix[] = {SND_CHMAP_FL,  SND_CHMAP_FR, SND_CHMAP_FC,
                               SND_CHMAP_LFE, SND_CHMAP_RL, SND_CHMAP_RR};
  constexpr unsigned kEight[] = {SND_CHMAP_FL, SND_CHMAP_FR, SND_CHMAP_FC, SND_CHMAP_LFE,
                                 SND_CHMAP_SL, SND_CHMAP_SR, SND_CHMAP_RL, SND_CHMAP_RR};
  switch (channels) {
    case 1:
      return SND_CHMAP_MONO;
    case 2:
    case 4:
      return kFour[channel];
    case 6:
      return kSix[channel];
    case 8:
      return kEight[channel];
    default:
      return SND_CHMAP_UNKNOWN;
  }
}

void fill(snd_pcm_chmap_t& map, unsigned channels) {
  map.channels = channels;
  for (unsigned channel = 0; channel < channels; ++channel)
    map.pos[channel] = place(channel, channels);
}

}  // namespace

snd_pcm_chmap_t* channel_map(unsigned channels) {
  if (channels == 0) return nullptr;
  auto* const map = static_cast<snd_pcm_chmap_t*>(
      std::malloc(sizeof(snd_pcm_chmap_t) + channels * sizeof(unsigned)));
  if (map != nullptr) fill(*map, channels);
  return map;
}

snd_pcm_chmap_query_t** all_channel_maps(unsigned most_channels) {
  auto** const maps = static_cast<snd_pcm_chmap_query_t**>(
      std::calloc(most_channels + 1, sizeof(snd_pcm_chmap_query_t*)));
  if (maps == nullptr) return nullptr;
  for (unsigned channels = 1; channels <= most_channels; ++channels) {
    auto* const map = static_cast<snd_pcm_chmap_query_t*>(
        std::malloc(sizeof(snd_pcm_chmap_query_t) + channels * sizeof(unsigned)));
    if (map == nullptr) {
      snd_pcm_free_chmaps(maps);
      return nullptr;
    }
    map->type = SND_CHMAP_TYPE_FIXED;
    fill(map->map, channels);
    maps[channels - 1] = map;
  }
  return maps;
}

}  // namespace ossloop::alsa
