// The programs of tools/soak, whose every frame can be told from every other:
//
//   actor play|record|play_mapped|record_mapped --path DEVICE …
//   actor play_beside_killed|kill_converting|play_interrupted|redirect|start --path DEVICE …
//   actor kill_headsets|kill_players|kill_listeners --path SERVER --other CLIENT …
//
// A recorder says "stream ID FRAMES" at each end. Exit status 1: a fault, told on
// standard error; 3: the other side has gone. What else may be asked for is told beside
// each role (roles.h) and what it shares with others: --format --channels --rate --block
// (../bench/stream.h), --ramp (frames.h), --signals (signals.h), --way (transfer.h),
// --fork --busy (company.h), --journal.
#include "roles.h"

int main(int count, char** words) {
  constexpr struct {
    const char* name;
    int (*act)(const bench::Arguments&);
  } kRoles[] = {{"play", soak::play},
                {"record", soak::record},
                {"play_mapped", soak::play_mapped},
                {"record_mapped", soak::record_mapped},
                {"play_beside_killed", soak::play_beside_killed},
                {"kill_converting", soak::kill_converting},
                {"kill_headsets", soak::kill_headsets},
                {"kill_players", soak::kill_players},
                {"kill_listeners", soak::kill_listeners},
                {"play_interrupted", soak::play_interrupted},
                {"redirect", soak::redirect},
                {"start", soak::start}};
  const bench::Arguments arguments(count, words);
  for (const auto& role : kRoles) {
    if (count > 1 && std::strcmp(words[1], role.name) == 0) return role.act(arguments);
  }
  std::fprintf(stderr, "usage: actor");
  for (const auto& role : kRoles) std::fprintf(stderr, " %s", role.name);
  std::fprintf(stderr, " --path DEVICE\n");
  return 2;
}
