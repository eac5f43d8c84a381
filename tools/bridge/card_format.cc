#include "bridge/card_format.h"

#include <bit>

namespace ossloop::bridge {
namespace {

using namespace audio;
constexpr bool kLittle = std::endian::native == std::endian::little;

constexpr CardFormat kFormats[] = {
    {afmt::kMuLaw, PA_SAMPLE_ULAW, SND_PCM_FORMAT_MU_LAW},
    {afmt::kALaw, PA_SAMPLE_ALAW, SND_PCM_FORMAT_A_LAW},
    {afmt::kU8, PA_SAMPLE_U8, SND_PCM_FORMAT_U8},
    {afmt::kS16Le, PA_SAMPLE_S16LE, SND_PCM_FORMAT_S16_LE},
    {afmt::kS16Be, PA_SAMPLE_S16BE, SND_PCM_FORMAT_S16_BE},
    {afmt::kS8, PA_SAMPLE_INVALID, SND_PCM_FORMAT_S8},
    {afmt::kU16Le, PA_SAMPLE_INVALID, SND_PCM_FORMAT_U16_LE},
    {afmt::kU16Be, PA_SAMPLE_INVALID, SND_PCM_FORMAT_U16_BE},
    {afmt::kS32Le, PA_SAMPLE_S32LE, SND_PCM_FORMAT_S32_LE},
    {afmt::kS32Be, PA_SAMPLE_S32BE, SND_PCM_FORMAT_S32_BE},
    {afmt::kFloat, kLittle ? PA_SAMPLE_FLOAT32LE : PA_SAMPLE_FLOAT32BE,
     kLittle ? SND_PCM_FORMAT_FLOAT_LE : SND_PCM_FORMAT_FLOAT_BE},
    {afmt::kS24Le, PA_SAMPLE_S24_32LE, SND_PCM_FORMAT_S24_LE},
    {afmt::kS24Be, PA_SAMPLE_S24_32BE, SND_PCM_FORMAT_S24_BE},
    {afmt::kS24Packed, PA_SAMPLE_S24LE, SND_PCM_FORMAT_S24_3LE},
};

}  // namespace

const CardFormat* find_card_format(int wanted) {
  for (const CardFormat& format : kFormats) {
    if (format.afmt == wanted) return &format;
  }
  return nullptr;
}

int nearest_pulse_format(int wanted) {
  const CardFormat* found = find_card_format(wanted);
  return found != nullptr && found->pulse != PA_SAMPLE_INVALID ? wanted : afmt::kS16Le;
}

}  // namespace ossloop::bridge
