// libsoxr alone on the blocks that a program would write: the yardstick of the
// rate conversion.
//
//   convert --block FRAMES --blocks N --rate HZ --to HZ --channels N --quality 0…4
#include <soxr.h>

#include "measure.h"

int main(int count, char** words) {
  const bench::Arguments arguments(count, words);
  const auto channels = static_cast<unsigned>(arguments.number("--channels", 2));
  const auto block = static_cast<std::size_t>(arguments.number("--block", 480));
  const std::int64_t blocks = arguments.number("--blocks", 1000);
  const double from_hz = static_cast<double>(arguments.number("--rate", 44100));
  const double to_hz = static_cast<double>(arguments.number("--to", 48000));
  constexpr unsigned long kRecipes[] = {SOXR_QQ, SOXR_LQ, SOXR_MQ, SOXR_HQ, SOXR_VHQ};
  const auto quality = static_cast<std::size_t>(arguments.number("--quality", 3));
  if (quality >= std::size(kRecipes)) bench::fail("--quality");

  // 16 bits in and out as the stream has them; all else as the loop asks for it.
  soxr_io_spec_t io = soxr_io_spec(SOXR_INT16_I, SOXR_INT16_I);
  io.flags = SOXR_NO_DITHER;
  const soxr_quality_spec_t spec = soxr_quality_spec(kRecipes[quality], SOXR_HI_PREC_CLOCK);
  const soxr_runtime_spec_t runtime = soxr_runtime_spec(1);
  soxr_error_t error = nullptr;
  const soxr_t soxr = soxr_create(from_hz, to_hz, channels, &error, &io, &spec, &runtime);
  if (soxr == nullptr) bench::fail("soxr_create");

  std::vector<std::int16_t> in(block * channels);
  bench::Noise noise;
  for (std::int16_t& sample : in) sample = noise.next();
  std::vector<std::int16_t> out((block * 16 + 4096) * channels);
  std::int64_t frames = 0;
  const std::int64_t start_ns = bench::cpu_ns();
  for (std::int64_t number = 0; number <= blocks; ++number) {
    const bool last = number == blocks;
    std::size_t made = 0;
    if (soxr_process(soxr, last ? nullptr : in.data(), last ? 0 : block, nullptr, out.data(),
                     out.size() / channels, &made) != nullptr) {
      bench::fail("soxr_process");
    }
    frames += static_cast<std::int64_t>(made);
  }
  const std::int64_t cpu_ns = bench::cpu_ns() - start_ns;
  soxr_delete(soxr);
  std::printf("{\"frames\": %lld, \"cpu_ns\": %lld}\n", static_cast<long long>(frames),
              static_cast<long long>(cpu_ns));
}
