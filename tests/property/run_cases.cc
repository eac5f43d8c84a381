#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "rig.h"

namespace ossloop::property {
namespace {

std::uint64_t setting(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::strtoull(text, nullptr, 0) : otherwise;
}

// One case of so many maps and unmaps every ring.
constexpr std::uint64_t kPlain = 16;

// Empty when it holds.
std::string outcome(Rig& rig, Case body, std::uint64_t seed, int size) {
  Chance chance(seed, size);
  rig.keep_memory(seed % kPlain != 1);
  try {
    body(rig, chance);
  } catch (const Broken& broken) {
    return broken.what();
  }
  return {};
}

}  // namespace

void run_cases(const char* name, Case body) {
  using Clock = std::chrono::steady_clock;
  const std::uint64_t only = setting("OSSLOOP_PROPERTY_SEED", 0);
  const auto start = Clock::now();
  const auto end = start + std::chrono::milliseconds(static_cast<std::int64_t>(
                               1000 * setting("OSSLOOP_PROPERTY_SECONDS", 3)));
  // Another run looks at other cases; the seed of a failing one is told.
  std::uint64_t seed =
      only != 0 ? only : static_cast<std::uint64_t>(start.time_since_epoch().count()) | 1;
  Rig rig;
  std::uint64_t cases = 0;
  do {
    int size = static_cast<int>(setting("OSSLOOP_PROPERTY_SIZE", 1 + cases % 64));
    std::string why = outcome(rig, body, seed, size);
    if (!why.empty()) {
      for (int smaller = 1; smaller < size; ++smaller) {
        const std::string again = outcome(rig, body, seed, smaller);
        if (again.empty()) continue;
        size = smaller;
        why = again;
      }
      FAIL(name << ": " << why << "\n  again with OSSLOOP_PROPERTY_SEED=" << seed
                << " OSSLOOP_PROPERTY_SIZE=" << size);
    }
    ++cases;
    seed = seed * 6364136223846793005U + 1442695040888963407U;
  } while (only == 0 && Clock::now() < end);
  const std::chrono::duration<double> took = Clock::now() - start;
  std::printf("%s: %llu cases, %.0f a second\n", name, static_cast<unsigned long long>(cases),
              static_cast<double>(cases) / took.count());
  CHECK(cases > 0);
}

}  // namespace ossloop::property
