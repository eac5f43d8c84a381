// The colours of levels in a spectrogram.
#pragma once

#include "viewer/picture.h"

namespace ossloop::view {

inline constexpr double kLeastDbfs = -120;

// From dark at kLeastDbfs and below to light at 0 and above; lightness rises all the way, so that
// it can be read without colours.
Color color_of(double dbfs);

}  // namespace ossloop::view
