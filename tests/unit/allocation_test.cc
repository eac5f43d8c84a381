// A conversion at work does not go to the allocator, which may take a lock or a page
// fault in the middle of somebody's sound.
#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <memory>
#include <random>
#include <vector>

#include "audio/converter.h"
#include "audio/pcm_format.h"

// A sanitizer has an allocator of its own.
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

namespace {
std::atomic<std::size_t> allocations{0};
}

extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);

void* malloc(std::size_t bytes) {
  ++allocations;
  return __libc_malloc(bytes);
}
void* calloc(std::size_t count, std::size_t bytes) {
  ++allocations;
  return __libc_calloc(count, bytes);
}
void* realloc(void* old, std::size_t bytes) {
  ++allocations;
  return __libc_realloc(old, bytes);
}
void* aligned_alloc(std::size_t alignment, std::size_t bytes) {
  ++allocations;
  return __libc_memalign(alignment, bytes);
}
int posix_memalign(void** made, std::size_t alignment, std::size_t bytes) {
  ++allocations;
  *made = __libc_memalign(alignment, bytes);
  return *made == nullptr ? 12 : 0;
}
}

using namespace ossloop::audio;

TEST_CASE("the allocations of a test are counted") {
  const std::size_t before = allocations;
  const auto kept = std::make_unique<std::vector<int>>(100);
  CHECK(allocations >= before + 2);
}

TEST_CASE("a conversion allocates nothing once it is at work") {
  const auto [from, to] =
      GENERATE(std::pair{PcmFormat{afmt::kS16Le, 2, 44100}, PcmFormat{afmt::kS16Le, 2, 48000}},
               std::pair{PcmFormat{afmt::kS16Le, 2, 48000}, PcmFormat{afmt::kS24Packed, 2, 44100}},
               std::pair{PcmFormat{afmt::kMuLaw, 1, 8000}, PcmFormat{afmt::kS32Le, 2, 48000}},
               std::pair{PcmFormat{afmt::kFloat, 6, 96000}, PcmFormat{afmt::kS16Be, 2, 44100}},
               std::pair{PcmFormat{afmt::kS32Le, 2, 48000}, PcmFormat{afmt::kU8, 1, 48000}},
               std::pair{PcmFormat{afmt::kS16Le, 64, 48000}, PcmFormat{afmt::kS32Le, 64, 44100}});
  const Quality quality = GENERATE(Quality::kQuick, Quality::kHigh, Quality::kVeryHigh);
  const Blocks blocks = GENERATE(Blocks::kShort, Blocks::kLong);
  int error = 0;
  const auto converter = Converter::create(from, to, {quality, true, blocks}, error);
  REQUIRE(converter != nullptr);
  constexpr std::size_t kLongest = 2000;
  std::vector<std::byte> in(kLongest * static_cast<std::size_t>(from.frame_bytes()));
  std::vector<std::byte> out(16 * kLongest * static_cast<std::size_t>(to.frame_bytes()));
  std::mt19937 random(1);
  const auto run = [&](int times) {
    for (int i = 0; i < times; ++i) {
      const std::size_t frames = i % 8 == 0 ? kLongest : random() % kLongest + 1;
      converter->process(in.data(), frames, out.data(), 16 * kLongest);
    }
  };
  run(100);
  const std::size_t before = allocations;
  converter->glide_gain(0.5, 0.25);
  run(500);
  CHECK(allocations == before);
}

#endif
