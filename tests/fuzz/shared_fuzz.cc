// Runs the rounds: shared_fuzz --seconds=60 [--seed=N [--round=N]] [--without=PART,…]
// [--findings=FOLDER]. Exit status 1 if anything was found.
#include "shared_fuzz.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <new>
#include <string_view>

#include "base/sys.h"
#include "shared_fuzz_watch.h"
#include "stream/format_word.h"
#include "stream/new_segment.h"

namespace ossloop::fuzz {
namespace {

constexpr std::int64_t kRoundNs = 4'000'000'000;

struct Options {
  std::int64_t seconds = 60;
  std::uint64_t seed = 0;
  std::int64_t only = -1;  // the one round, or all
  std::uint32_t parts = ~0U;
  std::string findings;
};

std::uint64_t mixed(std::uint64_t seed, std::uint64_t number) {
  return Chance(Chance(seed).bits() + number).bits();
}

std::int64_t now_ns() { return base::sys().now_ns(); }

void one_round(const World& world, Board& board, int board_fd, Findings& findings, Counts& counts,
               const std::string& name) {
  constexpr Kind kKinds[kFirstForked] = {Kind::kServer, Kind::kClient, Kind::kEither,
                                         Kind::kViewer};
  Watch watch(world, board, board_fd, findings, counts, name);
  Chance chance(world.seed);
  std::uint64_t starts = 0;
  std::int64_t strike_ns = 0;
  const std::int64_t end_ns = now_ns() + kRoundNs;
  while (now_ns() < end_ns) {
    for (std::size_t i = 0; i < kFirstForked; ++i) {
      if (watch.free(i)) watch.start(i, kKinds[i], mixed(world.seed, ++starts));
    }
    if (now_ns() > strike_ns) {
      strike_ns = now_ns() + static_cast<std::int64_t>(chance.between(100, 800)) * 1'000'000;
      watch.end(chance.below(kPosts), chance.one_in(3));
    }
    const timespec moment{0, 20'000'000};
    ::nanosleep(&moment, nullptr);
    watch.look();
  }
  watch.end_all();
}

bool take_option(Options& options, std::string_view word) {
  const auto value = [&](std::string_view name) -> const char* {
    return word.starts_with(name) ? word.data() + name.size() : nullptr;
  };
  if (const char* text = value("--seconds="); text != nullptr) {
    options.seconds = ::atoll(text);
  } else if ((text = value("--seed=")) != nullptr) {
    options.seed = ::strtoull(text, nullptr, 0);
  } else if ((text = value("--round=")) != nullptr) {
    options.only = ::atoll(text);
  } else if ((text = value("--findings=")) != nullptr) {
    options.findings = text;
  } else if ((text = value("--without=")) != nullptr) {
    std::string_view rest = text;
    while (!rest.empty()) {
      const std::string_view name = rest.substr(0, rest.find(','));
      const auto* const part = std::find_if(std::begin(kParts), std::end(kParts),
                                            [&](const auto& row) { return row.name == name; });
      if (part == std::end(kParts)) return false;
      options.parts &= ~part->part;
      rest.remove_prefix(std::min(name.size() + 1, rest.size()));
    }
  } else {
    return false;
  }
  return true;
}

int run(const Options& options) {
  const char* const given = ::getenv("OSSLOOP_DIR");
  const std::string folder = given != nullptr ? given : "/dev/shm";
  // Loaded once for all actors.
  ::dlopen("libsoxr.so.0", RTLD_NOW);
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  const int board_fd = make_board();
  Board& board = map_board(board_fd);
  Findings findings(options.findings);
  Counts counts;
  std::printf("seed %llu\n", static_cast<unsigned long long>(options.seed));
  std::fflush(stdout);
  const std::int64_t end_ns = now_ns() + options.seconds * 1'000'000'000;
  std::int64_t round = std::max<std::int64_t>(options.only, 0);
  int rounds = 0;
  for (; now_ns() < end_ns; ++rounds) {
    const World world(folder + "/round-" + std::to_string(::getpid()),
                      mixed(options.seed, static_cast<std::uint64_t>(round)), options.parts);
    one_round(world, board, board_fd, findings, counts,
              "--seed=" + std::to_string(options.seed) + " --round=" + std::to_string(round));
    if (options.only < 0) ++round;
  }
  std::printf(
      "seed %llu: %d rounds, %d processes; %d asked to end (the slowest took %.1f s), %d killed, "
      "%d died of a file cut off\n",
      static_cast<unsigned long long>(options.seed), rounds, counts.started, counts.asked,
      static_cast<double>(counts.slowest_ns) / 1e9, counts.killed, counts.cut_off);
  findings.summarize();
  std::printf(findings.any() ? "FAILED\n" : "nothing found\n");
  return findings.any() ? 1 : 0;
}

}  // namespace

World::World(std::string in, std::uint64_t number, std::uint32_t may)
    : folder(std::move(in)), seed(number), parts(may) {
  Chance chance(seed);
  truncates = chance.one_in(4) && (parts & kTruncate) != 0;
  server_reads = chance.one_in(2);
  constexpr std::int64_t kFactors[] = {1000, 1000, 1000, 4000, 200};
  config::set<"clock">(policy, chance.one_in(2) ? config::kFreeClock : chance.pick(kFactors));
  config::set<"eof">(policy, static_cast<abi::Eof>(chance.below(4)));
  config::set<"underrun">(policy, static_cast<abi::Underrun>(chance.below(2)));
  config::set<"overrun">(policy, static_cast<abi::Overrun>(chance.below(2)));
  config::set<"quality">(policy, static_cast<std::uint32_t>(chance.below(5)));
  config::set<"dither">(policy, chance.one_in(4));
  constexpr std::uint32_t kBuffers[] = {20, 40, 100};
  config::set<"buffer_ms">(policy, chance.pick(kBuffers));
}

shm::SegmentInit World::init() const {
  return [stored = policy](abi::Segment& segment) { device::fill_segment(segment, stored); };
}

int make_board() {
  const int fd = base::sys().memory_file("fuzz-board", false);
  if (fd < 0 || base::sys().ftruncate(fd, sizeof(Board)) != 0) ::abort();
  // Out of the way of the devices' descriptors.
  return ::dup2(fd, 200);
}

Board& map_board(int fd) {
  int error = 0;
  void* const at = base::sys().map(fd, 0, sizeof(Board), true, error);
  if (at == nullptr) ::abort();
  return *static_cast<Board*>(at);
}

Post* free_post(Board& board) {
  for (std::size_t i = kFirstForked; i < kPosts; ++i) {
    pid_t none = 0;
    if (board.post[i].pid.compare_exchange_strong(none, -1)) return &board.post[i];
  }
  return nullptr;
}

}  // namespace ossloop::fuzz

using namespace ossloop::fuzz;

int main(int count, char** words) {
  if (count == 8 && std::strcmp(words[1], "--exec") == 0) {
    // An actor that has called exec: see shared_fuzz_actor.cc.
    static const World world(words[2], ::strtoull(words[3], nullptr, 10),
                             static_cast<std::uint32_t>(::strtoul(words[4], nullptr, 10)));
    Board& board = map_board(::atoi(words[5]));
    act({world, board, ::atoi(words[5]), board.post[::atoi(words[6]) % kPosts], ::atoi(words[7])});
  }
  Options options;
  options.seed = static_cast<std::uint64_t>(now_ns());
  for (int i = 1; i < count; ++i) {
    if (!take_option(options, words[i])) {
      std::fprintf(stderr, "%s: %s: not understood\n", words[0], words[i]);
      return 2;
    }
  }
  return run(options);
}
