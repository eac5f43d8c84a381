#include "audio/converter.h"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <new>
#include <utility>

namespace ossloop::audio {
namespace {

// The buffers of a block fit in a second-level cache even with 64 channels.
std::size_t block_frames(int channels) {
  return std::clamp<std::size_t>(8192 / static_cast<std::size_t>(channels), 128, 1024);
}

double dither_step(const PcmFormat& to, bool wanted) {
  const SampleFormat& format = *find_format(to.afmt);
  return wanted && format.integer() ? std::ldexp(1.0, 1 - format.bits) : 0;
}

// libsoxr calculates in single precision up to 20 bits of quality: giving it
// doubles would only cost time.
RateSample rate_input(Quality quality) {
  return quality == Quality::kVeryHigh ? RateSample::kDouble : RateSample::kFloat;
}

// libsoxr writes some formats itself, for less than we could.
RateSample rate_output(const PcmFormat& to) {
  constexpr bool kLittle = std::endian::native == std::endian::little;
  if (to.afmt == afmt::kFloat) return RateSample::kFloat;
  if (to.afmt == (kLittle ? afmt::kS32Le : afmt::kS32Be)) return RateSample::kS32;
  if (to.afmt == (kLittle ? afmt::kS16Le : afmt::kS16Be)) return RateSample::kS16;
  return RateSample::kDouble;
}

std::size_t samples_of(const PcmFormat& format, std::size_t frames) {
  return frames * static_cast<std::size_t>(format.channels);
}

std::size_t bytes_of(const PcmFormat& format, std::size_t frames) {
  return frames * static_cast<std::size_t>(format.frame_bytes());
}

}  // namespace

Converter::Converter(const PcmFormat& from, const PcmFormat& to, Options options)
    : from_(from),
      to_(to),
      same_(from == to),
      decoder_(*find_codec(from.afmt)),
      encoder_(*find_codec(to.afmt)),
      matrix_(from.channels, to.channels),
      mix_first_(to.channels <= from.channels),
      block_frames_(block_frames(std::max(from.channels, to.channels))),
      dither_step_(dither_step(to, options.dither)),
      dither_always_(from.rate_hz != to.rate_hz || !matrix_.copies_only() ||
                     find_format(from.afmt)->bits > find_format(to.afmt)->bits),
      rate_input_(rate_input(options.quality)),
      rate_output_(mix_first_ && dither_step_ == 0 ? rate_output(to) : RateSample::kDouble) {
  const bool mixes = !matrix_.identity();
  const int rate_channels = std::min(from.channels, to.channels);
  decoded_.resize(samples_of(from, block_frames_));
  if (mixes) mixed_.resize(samples_of(to, block_frames_));
  if (from.rate_hz == to.rate_hz) return;
  if (rate_input_ == RateSample::kFloat) {
    single_.resize(block_frames_ * static_cast<std::size_t>(rate_channels));
  }
  resampled_.resize(block_frames_ * static_cast<std::size_t>(rate_channels));
}

std::unique_ptr<Converter> Converter::create(const PcmFormat& from, const PcmFormat& to,
                                             Options options, int& error) noexcept try {
  if (!valid(from) || !valid(to)) {
    error = -EINVAL;
    return nullptr;
  }
  std::unique_ptr<Converter> converter(new Converter(from, to, options));
  error = 0;
  if (from.rate_hz == to.rate_hz) return converter;
  // The fewer channels are resampled.
  converter->rate_ = RateConverter::create(
      from.rate_hz, to.rate_hz, std::min(from.channels, to.channels), options.quality,
      options.blocks, converter->rate_input_, converter->rate_output_, error);
  return converter->rate_ ? std::move(converter) : nullptr;
} catch (const std::bad_alloc&) {
  error = -ENOMEM;
  return nullptr;
}

void Converter::glide_gain(double left, double right) {
  gain_.glide(left, right, static_cast<std::size_t>(from_.rate_hz / 200));
}

Converter::Progress Converter::process(const void* in, std::size_t in_frames, void* out,
                                       std::size_t out_frames) noexcept {
  const auto* const from = static_cast<const unsigned char*>(in);
  auto* const to = static_cast<unsigned char*>(out);
  Progress done{};
  if (!rate_) {
    const std::size_t frames = std::min(in_frames, out_frames);
    if (identity()) {
      if (frames > 0) std::memcpy(to, from, bytes_of(from_, frames));
      return {frames, frames};
    }
    for (std::size_t at = 0; at < frames; at += block_frames_) {
      const std::size_t block = std::min(frames - at, block_frames_);
      write(read(from + bytes_of(from_, at), block), to + bytes_of(to_, at), block);
      gain_.take(block);
    }
    return {frames, frames};
  }
  for (;;) {
    unsigned char* const at = to + bytes_of(to_, done.output_frames);
    const std::size_t room = room_for(at, out_frames - done.output_frames);
    const std::size_t block =
        std::min({in_frames - done.input_frames, block_frames_, rate_->input_frames_for(room)});
    // What is not taken now is decoded again the next time.
    const void* samples = read_for_rate(from + bytes_of(from_, done.input_frames), block);
    const Progress step = rate_->process(samples, block, resampled_to(at), room);
    if (step.input_frames == 0 && step.output_frames == 0) return done;
    gain_.take(step.input_frames);
    keep_resampled(at, step.output_frames);
    done.input_frames += step.input_frames;
    done.output_frames += step.output_frames;
  }
}

std::size_t Converter::finish(void* out, std::size_t out_frames) noexcept {
  auto* const to = static_cast<unsigned char*>(out);
  std::size_t done = 0;
  while (rate_ && done < out_frames) {
    unsigned char* const at = to + bytes_of(to_, done);
    const std::size_t made = rate_->finish(resampled_to(at), room_for(at, out_frames - done));
    if (made == 0) break;
    keep_resampled(at, made);
    done += made;
  }
  return done;
}

std::uint64_t Converter::take_clipped() {
  const std::uint64_t by_rate = rate_ != nullptr ? rate_->take_clipped() : 0;
  return std::exchange(clipped_, 0) + by_rate;
}

void Converter::reset() noexcept {
  if (rate_) rate_->reset();
  dither_.reset();
}

// Up to a block, as it goes into the rate converter.
double* Converter::read(const unsigned char* in, std::size_t frames) {
  decoder_.decode(in, decoded_.data(), samples_of(from_, frames));
  if (has_gain()) gain_.apply(decoded_.data(), frames, from_.channels);
  if (!mix_first_ || matrix_.identity()) return decoded_.data();
  matrix_.apply(decoded_.data(), mixed_.data(), frames);
  return mixed_.data();
}

// Up to a block, as it comes out of the rate converter; `samples` are used up.
void Converter::write(double* samples, unsigned char* out, std::size_t frames) {
  if (!mix_first_) {
    matrix_.apply(samples, mixed_.data(), frames);
    samples = mixed_.data();
  }
  const std::size_t count = samples_of(to_, frames);
  if (dither_step_ > 0 && (dither_always_ || has_gain())) {
    dither_.add(samples, count, dither_step_);
  }
  clipped_ += encoder_.encode(samples, out, count);
}

// The same as the rate converter wants it.
const void* Converter::read_for_rate(const unsigned char* in, std::size_t frames) {
  if (rate_input_ == RateSample::kDouble) return read(in, frames);
  if (!has_gain() && (!mix_first_ || matrix_.identity())) {
    decoder_.decode_single(in, single_.data(), samples_of(from_, frames));
    return single_.data();
  }
  const double* samples = read(in, frames);
  const std::size_t count =
      frames * static_cast<std::size_t>(std::min(from_.channels, to_.channels));
  for (std::size_t i = 0; i < count; ++i) {  // vectorized: 1
    single_[i] = static_cast<float>(samples[i]);
  }
  return single_.data();
}

// Straight into the caller's bytes, if they lie as libsoxr's type wants it.
bool Converter::writes_through(const unsigned char* out) const {
  return rate_output_ != RateSample::kDouble &&
         reinterpret_cast<std::uintptr_t>(out) %
                 kRateSampleBytes[static_cast<std::size_t>(rate_output_)] ==
             0;
}

void* Converter::resampled_to(unsigned char* out) {
  return writes_through(out) ? static_cast<void*>(out) : resampled_.data();
}

std::size_t Converter::room_for(const unsigned char* out, std::size_t frames) const {
  return writes_through(out) ? frames : std::min(frames, block_frames_);
}

// What came out of the rate converter for `out`.
void Converter::keep_resampled(unsigned char* out, std::size_t frames) {
  if (rate_output_ == RateSample::kDouble) {
    write(resampled_.data(), out, frames);
  } else if (!writes_through(out)) {
    std::memcpy(out, resampled_.data(), bytes_of(to_, frames));
  }
}

}  // namespace ossloop::audio
