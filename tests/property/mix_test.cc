// With a free clock a mix is the sum of what each player's sound is alone, from the frame on
// at which its stream says it joined.
#include "mix.h"

using namespace ossloop;
using namespace ossloop::property;

TEST_CASE("a mix: what is recorded is the sum of what was played") {
  run_cases("mix", [](Rig& rig, Chance& chance) {
    MixPlay(rig, chance, MixPlay::Kills::kBetweenCalls).run();
  });
}

TEST_CASE("a mix: what players had played that are killed within a call is in the sum") {
  run_cases("mix, killed players", [](Rig& rig, Chance& chance) {
    MixPlay(rig, chance, MixPlay::Kills::kOfPlayers).run();
  });
}

TEST_CASE("a mix: a reader that is killed within a call leaves no player stuck") {
  run_cases("mix, killed readers", [](Rig& rig, Chance& chance) {
    MixPlay(rig, chance, MixPlay::Kills::kOfReader).run();
  });
}
