// Which speaker each channel is for: OSS has one order, that of WAVE files, and ALSA's programs
// take another one for granted where they are not told.
#pragma once

#include <alsa/asoundlib.h>

namespace ossloop::alsa {

// For so many channels, or for each number up to that; by malloc(), as ALSA frees them. nullptr:
// none, or no memory.
snd_pcm_chmap_t* channel_map(unsigned channels);
snd_pcm_chmap_query_t** all_channel_maps(unsigned most_channels);

}  // namespace ossloop::alsa
