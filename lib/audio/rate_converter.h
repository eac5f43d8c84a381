// From one sample rate to another, by libsoxr.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

struct soxr;

namespace ossloop::audio {

// libsoxr's five recipes.
enum class Quality { kQuick, kLow, kMedium, kHigh, kVeryHigh };

// round(frames * to / from), halves up, with no overflow before the result's.
std::uint64_t scale_frames_round(std::uint64_t frames, int to_rate, int from_rate);

// What samples are on the way in or out: doubles of full scale ±1.0, or what an
// OSS stream carries in the machine's byte order. Integers come out rounded and
// saturated. All must be aligned as their type wants it.
enum class RateSample { kDouble, kFloat, kS32, kS16 };
inline constexpr std::size_t kRateSampleBytes[] = {8, 4, 4, 2};

// How far a conversion came.
struct Progress {
  std::size_t input_frames;
  std::size_t output_frames;
};

// How much sound libsoxr calculates at once. Long blocks take less time a frame and keep
// sound back for up to 130 ms: for who does not listen while it is made. From 32000 Hz
// on; below that blocks are always short.
enum class Blocks { kShort, kLong };

// A stream of interleaved samples: N frames in, round(N * to / from) frames out, aligned, so that
// what went in at t comes out at t * to / from. One thread at a time. libsoxr allocates in the
// first blocks: run it outside every lock. If memory fails it there, the rest of the stream is
// silence.
class RateConverter {
 public:
  // `error`: -EINVAL, -ENOMEM or -ENOSYS (no libsoxr) where nullptr is returned, else 0.
  static std::unique_ptr<RateConverter> create(int from_hz, int to_hz, int channels,
                                               Quality quality, Blocks blocks, RateSample input,
                                               RateSample output, int& error) noexcept;
  ~RateConverter();
  RateConverter(const RateConverter&) = delete;
  RateConverter& operator=(const RateConverter&) = delete;

  // The most input frames that a process() with room for so many would take.
  std::size_t input_frames_for(std::size_t output_frames) const;

  // Converts as much of `in` as fits in `out`. Either count may come back short;
  // offer the rest again. Once finish() was called, starts a new stream.
  Progress process(const void* in, std::size_t in_frames, void* out,
                   std::size_t out_frames) noexcept;

  // The tail: call until it returns 0.
  std::size_t finish(void* out, std::size_t out_frames) noexcept;

  // Input frames taken whose sound has not come out.
  std::size_t held_input_frames() const;

  // Samples saturated since the last question.
  std::size_t take_clipped();

  // Forgets everything; a new stream may start. Allocates.
  void reset() noexcept;

 private:
  RateConverter(int from_hz, int to_hz, int channels, std::size_t in_frame_bytes,
                std::size_t out_frame_bytes);
  std::size_t run(const void* in, std::size_t in_frames, std::size_t* taken, unsigned char* out,
                  std::size_t out_frames);
  std::uint64_t owed_frames() const;

  struct Deleter {
    void operator()(soxr* resampler) const;
  };

  const int from_hz_;
  const int to_hz_;
  const std::size_t out_frame_bytes_;
  std::unique_ptr<soxr, Deleter> soxr_;
  std::vector<double> silence_;  // as zero in every other type of sample
  std::vector<double> narrow_;   // as many bytes as a pointer for each channel
  std::uint64_t in_frames_ = 0;
  std::uint64_t out_frames_ = 0;
  bool drained_ = true;  // libsoxr has nothing to give until it is fed
  bool finishing_ = false;
  bool failed_ = false;
};

}  // namespace ossloop::audio
