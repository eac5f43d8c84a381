// From any PCM format to any other, whatever differs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "audio/channel_matrix.h"
#include "audio/codec.h"
#include "audio/dither.h"
#include "audio/gain.h"
#include "audio/pcm_format.h"
#include "audio/rate_converter.h"

namespace ossloop::audio {

// decode -> gain -> channels -> rate -> encode; where there are more channels
// after than before, rate -> channels. One thread at a time, outside every
// lock (see RateConverter).
class Converter {
 public:
  struct Options {
    Quality quality = Quality::kHigh;
    // Adds triangular noise of ±1 step before an integer of fewer bits is
    // rounded, or one that was computed. Not to FLOAT or G.711.
    bool dither = false;
    Blocks blocks = Blocks::kShort;
  };
  using Progress = audio::Progress;

  // `error`: -EINVAL (a format, channel count or rate we do not have), -ENOMEM, -ENOSYS (no
  // libsoxr) where nullptr is returned, else 0.
  static std::unique_ptr<Converter> create(const PcmFormat& from, const PcmFormat& to,
                                           Options options, int& error) noexcept;

  // True if bytes pass unchanged: equal formats, no gain.
  bool identity() const { return same_ && !has_gain(); }
  bool changes_rate() const { return rate_ != nullptr; }

  // Linear factors of the even and the odd channels of the format converted
  // from. 1.0 changes no bit. In effect from the next process(): at once, or by
  // a glide of 5 ms, which does not click in the middle of a sound.
  void set_gain(double left, double right) { gain_.set(left, right); }
  void glide_gain(double left, double right);

  // Converts as much of `in` as fits in `out`. Either count may come back short;
  // offer the rest again. `in` and `out` must not overlap.
  Progress process(const void* in, std::size_t in_frames, void* out,
                   std::size_t out_frames) noexcept;

  // The tail of the stream: call until it returns 0. Then as much is out as
  // scale_frames_round() of what was in, and process() starts a new stream.
  std::size_t finish(void* out, std::size_t out_frames) noexcept;

  // Input frames taken whose sound has not come out: the delay of the filter.
  std::size_t held_input_frames() const { return rate_ ? rate_->held_input_frames() : 0; }

  // Samples saturated since the last question: too loud for the format.
  std::uint64_t take_clipped();

  // Forgets everything but the gain; a new stream may start.
  void reset() noexcept;

 private:
  Converter(const PcmFormat& from, const PcmFormat& to, Options options);
  bool has_gain() const { return !gain_.unity(); }
  double* read(const unsigned char* in, std::size_t frames);
  const void* read_for_rate(const unsigned char* in, std::size_t frames);
  void write(double* samples, unsigned char* out, std::size_t frames);
  // Where the rate converter writes, and how much: a block of ours, or all.
  void* resampled_to(unsigned char* out);
  std::size_t room_for(const unsigned char* out, std::size_t frames) const;
  bool writes_through(const unsigned char* out) const;
  void keep_resampled(unsigned char* out, std::size_t frames);

  const PcmFormat from_;
  const PcmFormat to_;
  const bool same_;
  const Codec& decoder_;
  const Codec& encoder_;
  const ChannelMatrix matrix_;
  const bool mix_first_;
  const std::size_t block_frames_;
  const double dither_step_;  // 0: none wanted
  const bool dither_always_;
  const RateSample rate_input_;
  const RateSample rate_output_;  // kDouble: goes through resampled_ and is encoded

  Gain gain_;
  Dither dither_;
  std::unique_ptr<RateConverter> rate_;
  std::uint64_t clipped_ = 0;
  std::vector<double> decoded_;
  std::vector<float> single_;
  std::vector<double> mixed_;
  std::vector<double> resampled_;
};

}  // namespace ossloop::audio
