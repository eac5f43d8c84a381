// The sample formats of OSS, as PulseAudio and ALSA call them.
#pragma once

#include <alsa/asoundlib.h>
#include <pulse/sample.h>

#include "audio/pcm_format.h"

namespace ossloop::bridge {

struct CardFormat {
  int afmt;
  pa_sample_format_t pulse;  // PA_SAMPLE_INVALID: it has none
  snd_pcm_format_t alsa;
};

// nullptr: there is none such.
const CardFormat* find_card_format(int afmt);
// One that PulseAudio has, and that holds every bit.
int nearest_pulse_format(int afmt);

}  // namespace ossloop::bridge
