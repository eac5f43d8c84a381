#include "viewer/spectrogram.h"

#include <kissfft/kiss_fftr.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <new>
#include <numbers>

namespace ossloop::view {
namespace {

constexpr int kTransformsPerSecond = 24;
// A short sound has so many columns for each transform's length.
constexpr std::size_t kFinest = 16;

float window_at(Window window, double turn) {
  const double one = std::cos(2 * std::numbers::pi * turn);
  const double two = std::cos(4 * std::numbers::pi * turn);
  return static_cast<float>(window == Window::kHann ? 0.5 - 0.5 * one
                                                    : 0.42 - 0.5 * one + 0.08 * two);
}

}  // namespace

std::size_t transform_frames(int rate_hz) {
  std::size_t frames = 256;
  while (frames * kTransformsPerSecond < static_cast<std::size_t>(rate_hz)) frames *= 2;
  return frames;
}

struct Transform::Plan {
  explicit Plan(std::size_t frames)
      : state(::kiss_fftr_alloc(static_cast<int>(frames), 0, nullptr, nullptr)),
        bins(frames / 2 + 1) {
    if (state == nullptr) throw std::bad_alloc();
  }
  ~Plan() { kiss_fftr_free(state); }
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;

  kiss_fftr_cfg state;
  std::vector<kiss_fft_cpx> bins;
};

Transform::Transform(std::size_t frames, Window window)
    : plan_(std::make_unique<Plan>(frames)), window_(frames), cut_(frames), power_(frames / 2 + 1) {
  double sum = 0;
  for (std::size_t i = 0; i < frames; ++i) {
    window_[i] = window_at(window, static_cast<double>(i) / static_cast<double>(frames));
    sum += window_[i];
  }
  scale_ = static_cast<float>(2 / sum);
}

Transform::~Transform() = default;

const std::vector<float>& Transform::run(const float* samples) {
  std::transform(window_.begin(), window_.end(), samples, cut_.begin(), std::multiplies<>());
  ::kiss_fftr(plan_->state, cut_.data(), plan_->bins.data());
  for (std::size_t i = 0; i < power_.size(); ++i) {
    const float real = plan_->bins[i].r * scale_, imaginary = plan_->bins[i].i * scale_;
    power_[i] = real * real + imaginary * imaginary;
  }
  // These two have no mirror image that holds half of them.
  power_.front() /= 4;
  power_.back() /= 4;
  return power_;
}

Spectrogram::Spectrogram(Transform& transform, std::size_t rows, std::size_t most_columns)
    : transform_(transform),
      rows_(rows),
      most_columns_(most_columns),
      column_frames_(std::max<std::size_t>(transform.frames() / kFinest, 1)),
      hop_frames_(column_frames_),
      centre_(transform.frames() / 2) {}

void Spectrogram::add(const float* samples, std::size_t count, std::size_t stride) {
  for (std::size_t i = 0; i < count; ++i) waiting_.push_back(samples[i * stride]);
  frames_ += count;
  transform_what_is_there();
}

void Spectrogram::transform_what_is_there() {
  std::size_t used = 0;
  while (waiting_.size() - used >= transform_.frames()) {
    keep(transform_.run(waiting_.data() + used));
    used += hop_frames_;
    centre_ += hop_frames_;
  }
  waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(used));
}

// Of several bins in a row the strongest, so that a tone has its level whatever the height.
void Spectrogram::keep(const std::vector<float>& power) {
  if (centre_ / column_frames_ >= most_columns_) halve();
  const auto number = static_cast<std::size_t>(centre_ / column_frames_);
  if (number >= columns_.size()) columns_.resize(number + 1);
  Column& column = columns_[number];
  column.sums.resize(rows_);
  ++column.count;
  const std::size_t last = power.size() - 1;
  for (std::size_t row = 0; row < rows_; ++row) {
    const std::size_t from = row * last / rows_;
    const std::size_t to = std::max((row + 1) * last / rows_, from + 1);
    float most = power[from];
    for (std::size_t bin = from + 1; bin < to; ++bin) most = std::max(most, power[bin]);
    if (row + 1 == rows_) most = std::max(most, power[last]);
    column.sums[row] += most;
  }
}

// Transforms need not lie closer than is needed to miss nothing between two.
void Spectrogram::halve() {
  for (std::size_t i = 0; 2 * i < columns_.size(); ++i) {
    Column joined = std::move(columns_[2 * i]);
    const bool both = 2 * i + 1 < columns_.size() && columns_[2 * i + 1].count > 0;
    if (both && joined.count == 0) {
      joined = std::move(columns_[2 * i + 1]);
    } else if (both) {
      const Column& other = columns_[2 * i + 1];
      std::transform(joined.sums.begin(), joined.sums.end(), other.sums.begin(),
                     joined.sums.begin(), std::plus<>());
      joined.count += other.count;
    }
    columns_[i] = std::move(joined);
  }
  columns_.resize((columns_.size() + 1) / 2);
  column_frames_ *= 2;
  hop_frames_ = std::min(column_frames_, transform_.frames() / 4);
}

// A sound that is shorter than a transform stands in the middle of one, with silence around it.
void Spectrogram::finish() {
  if (frames_ > 0 && frames_ < transform_.frames()) {
    centre_ = frames_ / 2;
    waiting_.insert(waiting_.begin(), (transform_.frames() - waiting_.size()) / 2, 0.0F);
    waiting_.resize(transform_.frames());
    transform_what_is_there();
  }
  first_column_ = std::find_if(columns_.begin(), columns_.end(),
                               [](const Column& column) { return column.count > 0; }) -
                  columns_.begin();
}

double Spectrogram::power(double begin, double end, std::size_t row) const {
  const double columns = static_cast<double>(frames_) / static_cast<double>(column_frames_);
  const auto last = static_cast<std::ptrdiff_t>(columns_.size()) - 1;
  const auto from =
      std::clamp<std::ptrdiff_t>(static_cast<std::ptrdiff_t>(begin * columns), first_column_, last);
  const auto to = std::clamp<std::ptrdiff_t>(
      static_cast<std::ptrdiff_t>(std::ceil(end * columns - 1e-9)) - 1, from, last);
  double sum = 0, count = 0;
  for (std::ptrdiff_t i = from; i <= to; ++i) {
    const Column& column = columns_[static_cast<std::size_t>(i)];
    if (column.count == 0) continue;
    sum += static_cast<double>(column.sums[row]);
    count += column.count;
  }
  return sum / count;
}

}  // namespace ossloop::view
