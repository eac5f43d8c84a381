// Starts a program again and again with each of several libraries preloaded, in
// changing order, and tells the CPU and wall time of each in the median of all rounds:
//
//   starts --rounds N --program FILE LIBRARY|none …
#include <spawn.h>
#include <sys/wait.h>

#include <numeric>
#include <random>
#include <string>

#include "measure.h"

namespace {

struct Cost {
  double cpu_us;
  double wall_us;
};

Cost start(const char* program, const char* library) {
  std::string preload = std::string("LD_PRELOAD=") + library;
  char* const words[] = {const_cast<char*>(program), nullptr};
  char* const none[] = {nullptr};
  char* const preloaded[] = {preload.data(), nullptr};
  const std::int64_t before_ns = bench::now_ns();
  pid_t child = 0;
  const bool plain = std::strcmp(library, "none") == 0;
  errno = ::posix_spawn(&child, program, nullptr, nullptr, words, plain ? none : preloaded);
  if (errno != 0) bench::fail(program);
  int status = 0;
  rusage usage{};
  if (::wait4(child, &status, 0, &usage) != child || status != 0) bench::fail("the program failed");
  auto us = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_usec);
  };
  return {us(usage.ru_utime) + us(usage.ru_stime),
          static_cast<double>(bench::now_ns() - before_ns) / 1000};
}

}  // namespace

int main(int count, char** words) {
  const bench::Arguments arguments(count, words);
  const std::int64_t rounds = arguments.number("--rounds", 100);
  const char* program = arguments.text("--program", "/bin/true");
  std::vector<const char*> libraries;
  for (int i = 1; i < count; ++i) {
    if (words[i][0] == '-') {
      ++i;
    } else {
      libraries.push_back(words[i]);
    }
  }
  std::vector<std::vector<double>> cpu(libraries.size()), wall(libraries.size());
  // In any order: whoever comes after the dearest finds the caches cold.
  std::vector<std::size_t> order(libraries.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::mt19937 chance(1);
  for (std::int64_t round = -2; round < rounds; ++round) {
    std::shuffle(order.begin(), order.end(), chance);
    for (const std::size_t i : order) {
      const Cost cost = start(program, libraries[i]);
      if (round < 0) continue;  // the first ones read the files
      cpu[i].push_back(cost.cpu_us);
      wall[i].push_back(cost.wall_us);
    }
  }
  std::printf("[");
  for (std::size_t i = 0; i < libraries.size(); ++i) {
    std::printf("%s{\"cpu_us\": %.1f, \"wall_us\": %.1f}", i == 0 ? "" : ", ",
                bench::quantile(cpu[i], 0.5), bench::quantile(wall[i], 0.5));
  }
  std::printf("]\n");
}
