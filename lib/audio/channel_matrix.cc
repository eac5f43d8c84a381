#include "audio/channel_matrix.h"

#include <algorithm>
#include <array>

namespace ossloop::audio {
namespace {

// The places of the largest known layout, in its order; the LFE needs no name.
enum Place { kL, kR, kC, kLs = 4, kRs, kLr, kRr, kPlaces };
constexpr double kFold = 0.70710678118654752440;

bool known(int channels) {
  return channels == 1 || channels == 2 || channels == 4 || channels == 6 || channels == 8;
}

// Where a channel of a known layout of two or more stands.
int place_of(int channel, int channels) {
  return channels == 4 && channel >= 2 ? channel + 2 : channel;
}

// The channel at a place, or -1.
int channel_at(int place, int channels) {
  for (int channel = 0; channel < channels; ++channel) {
    if (place_of(channel, channels) == place) return channel;
  }
  return -1;
}

using Row = std::array<double, kPlaces>;

// Adds what stands at `place` to the rows of the outputs that shall carry it.
void route(int place, int input, double weight, int outputs, std::array<Row, kPlaces>& rows) {
  const int output = channel_at(place, outputs);
  if (output >= 0) {
    rows[static_cast<std::size_t>(output)][static_cast<std::size_t>(input)] += weight;
  } else if (place == kC) {
    route(kL, input, weight * kFold, outputs, rows);
    route(kR, input, weight * kFold, outputs, rows);
  } else if (place == kLs || place == kRs) {
    route(place - kLs + kL, input, weight * kFold, outputs, rows);
  } else if (place == kLr || place == kRr) {
    // A rear that passes by absent surrounds is folded once, not twice.
    const bool surrounds = channel_at(kLs, outputs) >= 0;
    route(place - kLr + (surrounds ? kLs : kL), input, weight * kFold, outputs, rows);
  }
}

}  // namespace

ChannelMatrix::ChannelMatrix(int inputs, int outputs) : inputs_(inputs), outputs_(outputs) {
  const int common = std::min(inputs, outputs);
  if (inputs == outputs) {
    for (int i = 0; i < common; ++i) add(i, i, 1);
  } else if (inputs == 1) {
    add(0, 0, 1);
    add(1, 0, 1);
  } else if (!known(inputs) && outputs == 1) {
    for (int i = 0; i < inputs; ++i) add(0, i, 1.0 / inputs);
  } else if (!known(inputs) && outputs == 2) {
    const int right = inputs / 2, left = inputs - right;
    for (int i = 0; i < inputs; i += 2) add(0, i, 1.0 / left);
    for (int i = 1; i < inputs; i += 2) add(1, i, 1.0 / right);
  } else if (!known(inputs) || !known(outputs)) {
    for (int i = 0; i < common; ++i) add(i, i, 1);
  } else {
    std::array<Row, kPlaces> rows{};
    const int places = std::max(outputs, 2);
    for (int i = 0; i < inputs; ++i) route(place_of(i, inputs), i, 1, places, rows);
    double loudest = 0;
    for (const Row& row : rows) {
      double sum = 0;
      for (const double weight : row) sum += weight;
      loudest = std::max(loudest, sum);
    }
    for (std::size_t i = 0; i < static_cast<std::size_t>(inputs); ++i) {
      if (outputs == 1) rows[0][i] = (rows[0][i] + rows[1][i]) / 2;
    }
    for (int o = 0; o < outputs; ++o) {
      for (int i = 0; i < inputs; ++i) {
        const double weight = rows[static_cast<std::size_t>(o)][static_cast<std::size_t>(i)];
        if (weight != 0) add(o, i, weight / loudest);
      }
    }
  }
}

void ChannelMatrix::add(int output, int input, double weight) {
  terms_.push_back({output, input, weight});
}

double ChannelMatrix::weight(int output, int input) const {
  for (const Term& term : terms_) {
    if (term.output == output && term.input == input) return term.weight;
  }
  return 0;
}

bool ChannelMatrix::identity() const { return inputs_ == outputs_; }

bool ChannelMatrix::copies_only() const {
  const auto unlike = [](const Term& a, const Term& b) { return a.output == b.output; };
  return std::ranges::all_of(terms_, [](const Term& term) { return term.weight == 1; }) &&
         std::ranges::adjacent_find(terms_, unlike) == terms_.end();
}

void ChannelMatrix::apply(const double* in, double* out, std::size_t frames) const {
  if (inputs_ == 1 && outputs_ == 2) {
    const double left = weight(0, 0), right = weight(1, 0);
    for (std::size_t i = 0; i < frames; ++i) {  // vectorized: 1
      out[2 * i] = left * in[i];
      out[2 * i + 1] = right * in[i];
    }
    return;
  }
  if (inputs_ == 2 && outputs_ == 1) {
    const double left = weight(0, 0), right = weight(0, 1);
    for (std::size_t i = 0; i < frames; ++i) {  // vectorized: 1
      out[i] = left * in[2 * i] + right * in[2 * i + 1];
    }
    return;
  }
  const auto from_stride = static_cast<std::size_t>(inputs_);
  const auto to_stride = static_cast<std::size_t>(outputs_);
  auto term = terms_.begin();
  for (int output = 0; output < outputs_; ++output) {
    double* const to = out + output;
    if (term == terms_.end() || term->output != output) {
      for (std::size_t i = 0; i < frames; ++i) to[i * to_stride] = 0;
      continue;
    }
    for (bool first = true; term != terms_.end() && term->output == output; ++term) {
      const double* const from = in + term->input;
      const double weight = term->weight;
      if (first) {
        for (std::size_t i = 0; i < frames; ++i) to[i * to_stride] = weight * from[i * from_stride];
      } else {
        for (std::size_t i = 0; i < frames; ++i) {
          to[i * to_stride] += weight * from[i * from_stride];
        }
      }
      first = false;
    }
  }
}

}  // namespace ossloop::audio
