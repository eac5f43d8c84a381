// With a free clock a loop is a pipe that converts: what comes out depends on
// what went in and on nothing else.
#include "free_clock.h"

using namespace ossloop;
using namespace ossloop::property;

TEST_CASE("a free clock: whatever the calls, what is recorded is what was played") {
  run_cases("free clock", [](Rig& rig, Chance& chance) {
    FreeClockPlay(rig, chance, Kills::kBetweenCalls).run();
  });
}

TEST_CASE("a free clock: what a player that is killed within a call had played is recorded") {
  run_cases("killed in a call",
            [](Rig& rig, Chance& chance) { FreeClockPlay(rig, chance, Kills::kInCalls).run(); });
}
