// Which input channels an output channel is made of.
#pragma once

#include <cstddef>
#include <vector>

namespace ossloop::audio {

// The standard way from one number of channels to another. Layouts are those of
// OSS: 1 mono, 2 L R, 4 L R LS RS, 6 L R C LFE LS RS, 8 L R C LFE LS RS LR RR;
// any other number is just so many channels.
//
//   equal numbers                one to one
//   mono to more                 both fronts, at unity, so mono is exact again
//   stereo to more               fronts, the others silent
//   known layout to a known one  by name, at unity; a channel the output has not
//                                is mixed in at 0.707 as ITU-R BS.775 does: C to
//                                L and R, rears to surrounds, surrounds to fronts
//                                of their side; LFE is dropped. Then all is made
//                                softer, so that full scale everywhere fits
//   to mono                      the mean of the above for stereo
//   unknown to stereo            mean of the even channels left, of the odd right
//   unknown to mono              mean of all
//   else, one side unknown       as many channels as both have, one to one
class ChannelMatrix {
 public:
  // Both 1 to 64. Throws std::bad_alloc.
  ChannelMatrix(int inputs, int outputs);

  double weight(int output, int input) const;

  // Each output is that input.
  bool identity() const;

  // Each output is one input unchanged, or silent: nothing is computed.
  bool copies_only() const;

  // Interleaved; `in` and `out` must not overlap.
  void apply(const double* in, double* out, std::size_t frames) const;

 private:
  struct Term {
    int output;
    int input;
    double weight;
  };

  void add(int output, int input, double weight);

  int inputs_;
  int outputs_;
  std::vector<Term> terms_;  // by output
};

}  // namespace ossloop::audio
