// ITU-T G.711: mu-law and A-law, on the 16-bit scale.
#pragma once

#include <cstdint>

namespace ossloop::audio {

// The value of a code: -32124..32124 for mu-law (the standard's 14-bit value
// times 4), -32256..32256 for A-law (its 13-bit value times 8).
int mu_law_to_linear(std::uint8_t code);
int a_law_to_linear(std::uint8_t code);

// The code of a value in -32768..32767, by the standard's decision values. One
// that lies exactly on a decision value goes to the greater of its neighbours,
// as in the ITU's own software (G.191). So 0 is the positive zero, and -1 the
// negative one.
std::uint8_t linear_to_mu_law(int sample);
std::uint8_t linear_to_a_law(int sample);

}  // namespace ossloop::audio
