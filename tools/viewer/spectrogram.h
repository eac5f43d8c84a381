// Power over time and frequency, of sound whose length nobody need know. By kissfft, whose
// licence (BSD) goes with ours; FFTW's does not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace ossloop::view {

enum class Window { kBlackman, kHann };

// What is cut out of the sound for one transform: some 43 ms, a power of two of frames.
std::size_t transform_frames(int rate_hz);

// The plan of a transform and the window before it, for all channels.
class Transform {
 public:
  Transform(std::size_t frames, Window window);
  ~Transform();
  Transform(const Transform&) = delete;
  Transform& operator=(const Transform&) = delete;

  std::size_t frames() const { return window_.size(); }
  // Power from 0 to half the rate, in bins: that of a sine of full scale is 1.
  const std::vector<float>& run(const float* samples);

 private:
  struct Plan;
  std::unique_ptr<Plan> plan_;
  std::vector<float> window_;
  std::vector<float> cut_;
  std::vector<float> power_;
  float scale_;
};

// A transform never reaches beyond the sound, which would show a click where it begins or ends: up
// to half of one there, the first and the last count.
class Spectrogram {
 public:
  // Keeps at most `most_columns`, an even number, and half of them for a long sound, in `rows`
  // from 0 to half the rate.
  Spectrogram(Transform& transform, std::size_t rows, std::size_t most_columns);

  void add(const float* samples, std::size_t count, std::size_t stride);
  // No more comes.
  void finish();

  std::size_t rows() const { return rows_; }
  // The mean over the part from `begin` to `end` of the whole, 0 to 1, at a row from the lowest
  // frequency up; as Transform::run(). There is sound, and it is finished.
  double power(double begin, double end, std::size_t row) const;

 private:
  struct Column {
    std::vector<float> sums;
    std::uint32_t count = 0;
  };

  void transform_what_is_there();
  void keep(const std::vector<float>& power);
  void halve();

  Transform& transform_;
  const std::size_t rows_, most_columns_;
  std::size_t column_frames_;
  std::size_t hop_frames_;
  std::uint64_t centre_;  // of the next transform
  std::uint64_t frames_ = 0;
  // From half a transform before the next centre on.
  std::vector<float> waiting_;
  std::vector<Column> columns_;
  std::ptrdiff_t first_column_ = 0;  // that has a transform; when finished
};

}  // namespace ossloop::view
