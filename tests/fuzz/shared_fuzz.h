// The fuzzer of the shared files: programs play and record through an instance whose
// files a stranger writes garbage into.
//
//   supervisor   starts actors and a scribbler, round by round, ends them by SIGTERM and
//                kill -9, and looks how they ended: shared_fuzz.cc, shared_fuzz_watch.cc
//   actor        an open of the instance, used as a program would: shared_fuzz_actor.cc,
//                shared_fuzz_moves.cc
//   scribbler    the stranger: shared_fuzz_scribbler.cc, shared_fuzz_words.cc
//
// All choices of a round come from its seed, so that a finding can be looked for again;
// the processes' turns do not.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>

#include "config/config.h"
#include "shm/segment.h"

namespace ossloop::fuzz {

class Chance {
 public:
  explicit Chance(std::uint64_t seed) : state_(seed) {}
  std::uint64_t bits() {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
  }
  std::uint64_t below(std::uint64_t limit) { return limit == 0 ? 0 : bits() % limit; }
  std::uint64_t between(std::uint64_t low, std::uint64_t high) {
    return low + below(high - low + 1);
  }
  bool one_in(std::uint64_t count) { return below(count) == 0; }
  template <typename List>
  auto pick(const List& list) {
    return *(std::begin(list) + below(std::size(list)));
  }
  // Small numbers as likely as large ones.
  std::uint64_t up_to(std::uint64_t limit) {
    return below(std::uint64_t{1} << below(64 - static_cast<unsigned>(__builtin_clzll(limit)))) %
               limit +
           1;
  }

 private:
  std::uint64_t state_;
};

// What can be left out (--without) to look for the rest.
enum Part : std::uint32_t {
  kWords = 1,       // of the segment
  kSound = 2,       // in ring, mapped buffers, tails
  kWakes = 4,       // Side::wake
  kTurns = 8,       // Side::lock
  kClaims = 16,     // locks on the nodes
  kNodes = 32,      // bytes in the FIFOs, and their size
  kTruncate = 64,   // files cut off: an actor may die of SIGBUS then
  kHandlers = 128,  // actors with a handler for SIGTERM
  kMixed = 256,     // and with others that have SA_RESTART
  kForks = 512,     // actors that fork or exec in mid-stream
};
inline constexpr struct {
  const char* name;
  Part part;
} kParts[] = {{"words", kWords},       {"sound", kSound},       {"wakes", kWakes},
              {"turns", kTurns},       {"claims", kClaims},     {"nodes", kNodes},
              {"truncate", kTruncate}, {"handlers", kHandlers}, {"mixed", kMixed},
              {"forks", kForks}};

// One round's instance. Made anew from the same arguments by every process of it.
struct World {
  World(std::string folder, std::uint64_t seed, std::uint32_t parts);
  shm::SegmentInit init() const;

  std::string folder;
  std::uint64_t seed;
  std::uint32_t parts;  // all that may be
  bool truncates;
  bool server_reads;
  config::InstancePolicy policy;
};

enum class Kind : std::uint32_t { kServer, kClient, kEither, kViewer, kForked, kScribbler };
inline constexpr const char* kKindNames[] = {"server", "client",       "either side",
                                             "viewer", "forked child", "scribbler"};

// A process of the round, for the supervisor.
struct Post {
  std::atomic<pid_t> pid;  // 0: free
  std::atomic<Kind> kind;
  std::atomic<std::uint64_t> seed;
  std::atomic<bool> ended;  // its parent, an actor, has heard of its end:
  std::atomic<int> status;
  char doing[96];
};
inline constexpr std::size_t kFirstForked = 4;
inline constexpr std::size_t kPosts = 10;

// Memory that all processes of a run share.
struct Board {
  Post post[kPosts];
  std::atomic<bool> truncated;  // in this round
  std::atomic<std::uint32_t> scribbles;
  char scribble[16][112];  // the last ones
};

// The board is a descriptor, so that it outlives an exec.
int make_board();
Board& map_board(int fd);

// A place for a forked child; nullptr if all are taken.
Post* free_post(Board& board);

struct Actor {
  const World& world;
  Board& board;
  int board_fd;
  Post& post;
  int inherited = -1;  // a node's descriptor that was open over an exec
};
// None of them returns.
[[noreturn]] void act(const Actor& actor);
[[noreturn]] void scribble(const World& world, Board& board, std::uint64_t seed);

// From here on every mapping that the library makes lies between pages that nobody may
// touch.
void guard_mappings();
// `bytes` that end where such a page begins.
std::byte* guarded_memory(std::size_t bytes);

}  // namespace ossloop::fuzz
