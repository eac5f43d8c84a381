#include "audio/rate_converter.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <utility>

#include "audio/pcm_format.h"
#include "audio/soxr_library.h"

namespace ossloop::audio {
namespace {

// By Quality.
constexpr unsigned long kRecipes[] = {SOXR_QQ, SOXR_LQ, SOXR_MQ, SOXR_HQ, SOXR_VHQ};

// By RateSample.
constexpr soxr_datatype_t kTypes[] = {SOXR_FLOAT64_I, SOXR_FLOAT32_I, SOXR_INT32_I, SOXR_INT16_I};

constexpr std::size_t kSilenceFrames = 256;

// Far more silence than the longest filter holds (768000 to 5000 Hz): if it
// brings out nothing, nothing will.
constexpr std::size_t kLongestTailFrames = 1 << 21;

}  // namespace

std::uint64_t scale_frames_round(std::uint64_t frames, int to_rate, int from_rate) {
  const auto to = static_cast<std::uint64_t>(to_rate);
  const auto from = static_cast<std::uint64_t>(from_rate);
  // The remainder times a rate stays below 2^62, so 64 bits are as good as 128.
  return frames / from * to + (frames % from * to * 2 + from) / (from * 2);
}

void RateConverter::Deleter::operator()(soxr* resampler) const {
  loaded_soxr_library().destroy(resampler);
}

RateConverter::RateConverter(int from_hz, int to_hz, int channels, std::size_t in_frame_bytes,
                             std::size_t out_frame_bytes)
    : from_hz_(from_hz),
      to_hz_(to_hz),
      out_frame_bytes_(out_frame_bytes),
      silence_(kSilenceFrames * in_frame_bytes / sizeof(double) + 1),
      narrow_(static_cast<std::size_t>(channels)) {}

RateConverter::~RateConverter() = default;

std::unique_ptr<RateConverter> RateConverter::create(int from_hz, int to_hz, int channels,
                                                     Quality quality, Blocks blocks,
                                                     RateSample input, RateSample output,
                                                     int& error) noexcept try {
  const auto recipe = static_cast<std::size_t>(quality);
  const PcmFormat from{afmt::kFloat, channels, from_hz};
  const PcmFormat to{afmt::kFloat, channels, to_hz};
  if (!valid(from) || !valid(to) || recipe >= std::size(kRecipes)) {
    error = -EINVAL;
    return nullptr;
  }
  const auto in = static_cast<std::size_t>(input), out = static_cast<std::size_t>(output);
  const auto width = static_cast<std::size_t>(channels);
  std::unique_ptr<RateConverter> converter(new RateConverter(
      from_hz, to_hz, channels, kRateSampleBytes[in] * width, kRateSampleBytes[out] * width));
  const SoxrLibrary* library = soxr_library(error);
  if (library == nullptr) return nullptr;
  soxr_io_spec_t io = library->io_spec(kTypes[in], kTypes[out]);
  io.flags = SOXR_NO_DITHER;
  // Without the finer clock 44101 to 48000 Hz drifts by a frame in days.
  const soxr_quality_spec_t spec = library->quality_spec(kRecipes[recipe], SOXR_HI_PREC_CLOCK);
  soxr_runtime_spec_t runtime = library->runtime_spec(1);
  // With 2^12 instead of 2^10 points 44100 to 48000 Hz costs 4 % less; more cost more.
  if (blocks == Blocks::kLong && std::min(from_hz, to_hz) >= 32000) runtime.log2_min_dft_size = 12;
  soxr_error_t reason = nullptr;
  converter->soxr_.reset(library->create(from_hz, to_hz, static_cast<unsigned>(channels), &reason,
                                         &io, &spec, &runtime));
  // Nothing we ask of it is invalid: what is left is memory.
  error = converter->soxr_ ? 0 : -ENOMEM;
  return converter->soxr_ ? std::move(converter) : nullptr;
} catch (const std::bad_alloc&) {
  error = -ENOMEM;
  return nullptr;
}

std::size_t RateConverter::input_frames_for(std::size_t output_frames) const {
  const auto from = static_cast<std::size_t>(from_hz_);
  const auto to = static_cast<std::size_t>(to_hz_);
  return output_frames / to * from + (output_frames % to * from + to - 1) / to;
}

// Frames still to come out of what went in.
std::uint64_t RateConverter::owed_frames() const {
  const std::uint64_t due = scale_frames_round(in_frames_, to_hz_, from_hz_);
  return due > out_frames_ ? due - out_frames_ : 0;
}

// `taken` as libsoxr wants it: nullptr makes it take all input at once.
//
// libsoxr 0.1.3 reads a pointer for each channel from where it is to write, also where
// it does not use them: what is shorter than that goes round by memory of ours.
std::size_t RateConverter::run(const void* in, std::size_t in_frames, std::size_t* taken,
                               unsigned char* out, std::size_t out_frames) {
  const bool narrow = out_frames * out_frame_bytes_ < narrow_.size() * sizeof(void*);
  void* const to = narrow ? static_cast<void*>(narrow_.data()) : out;
  std::size_t made = 0;
  if (loaded_soxr_library().process(soxr_.get(), in, in_frames, taken, to, out_frames, &made) !=
      nullptr) {
    failed_ = true;
    return 0;
  }
  if (narrow) std::memcpy(out, to, made * out_frame_bytes_);
  drained_ = made < out_frames;
  out_frames_ += made;
  return made;
}

Progress RateConverter::process(const void* in, std::size_t in_frames, void* out,
                                std::size_t out_frames) noexcept {
  if (finishing_) reset();
  auto* const to = static_cast<unsigned char*>(out);
  Progress done{};
  // libsoxr takes input in proportion to the room even if it has output left
  // over. With one frame of room at a time that would pile up: empty it first.
  if (!drained_ && !failed_) {
    done.output_frames = run(silence_.data(), 0, nullptr, to, out_frames);
  }
  if (drained_ && !failed_ && in_frames > 0 && done.output_frames < out_frames) {
    done.output_frames +=
        run(in, in_frames, &done.input_frames, to + done.output_frames * out_frame_bytes_,
            out_frames - done.output_frames);
    in_frames_ += done.input_frames;
  }
  if (failed_) {
    done.input_frames = std::min(in_frames, input_frames_for(out_frames));
    in_frames_ += done.input_frames;
    const std::uint64_t owed = owed_frames();
    done.output_frames = static_cast<std::size_t>(std::min<std::uint64_t>(owed, out_frames));
    std::memset(to, 0, done.output_frames * out_frame_bytes_);
    out_frames_ += done.output_frames;
  }
  return done;
}

// We follow the sound with silence ourselves, until the count is right. libsoxr's
// own end of stream does the same, but counts in floating point: where
// frames * to / from is near a half it may be a frame off.
std::size_t RateConverter::finish(void* out, std::size_t out_frames) noexcept {
  finishing_ = true;
  auto* const to = static_cast<unsigned char*>(out);
  const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(owed_frames(), out_frames));
  std::size_t made = 0;
  std::size_t fed = 0;
  while (made < wanted && fed < kLongestTailFrames && !failed_) {
    const std::size_t silent = drained_ ? kSilenceFrames : 0;
    made += run(silence_.data(), silent, nullptr, to + made * out_frame_bytes_, wanted - made);
    fed += silent;
  }
  if (made < wanted)
    std::memset(to + made * out_frame_bytes_, 0, (wanted - made) * out_frame_bytes_);
  out_frames_ += wanted - made;
  return wanted;
}

std::size_t RateConverter::held_input_frames() const {
  const std::uint64_t heard = scale_frames_round(out_frames_, from_hz_, to_hz_);
  return heard < in_frames_ ? static_cast<std::size_t>(in_frames_ - heard) : 0;
}

std::size_t RateConverter::take_clipped() {
  // libsoxr gives the address of its counter.
  return std::exchange(*loaded_soxr_library().num_clips(soxr_.get()), 0);
}

void RateConverter::reset() noexcept {
  if (in_frames_ > 0 || failed_) failed_ = loaded_soxr_library().clear(soxr_.get()) != nullptr;
  in_frames_ = 0;
  out_frames_ = 0;
  drained_ = true;
  finishing_ = false;
}

}  // namespace ossloop::audio
