// The table of configuration keys: all that is known of each. Parser, help texts and
// status are made from it, and a test compares the documents with it.
//
// A new policy is a row here, in the end, since a row's place is its bit in
// abi::Policy::pinned, and takes the next word of abi::Policy::further. What acts on it
// reads it by its name: config::get<"tick_ms">(segment.policy).
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string_view>
#include <type_traits>

#include "abi/layout.h"
#include "abi/policy.h"

namespace ossloop::config {

using abi::kMaxInstances;

enum class Scope : std::uint8_t { kGlobal, kInstance };
enum class ValueKind : std::uint8_t { kInteger, kChoice, kClock, kDevice, kMode, kPath };
// When a change of a policy is heard: at once; by who next opens a side or chooses its
// format; or never, since the ring was made for it.
enum class Effect : std::uint8_t { kAtOnce, kAtOpen, kAtCreation };

using Choices = std::array<std::string_view, 8>;

// A policy's value is one number: the integer itself, the index of a choice, or the
// thousandths of a clock factor.
inline constexpr std::int64_t kFreeClock = -1;
inline constexpr std::int64_t kRealtimeClock = 1000;

struct Key {
  std::string_view name;
  std::string_view help;  // one line, without a full stop
  Scope scope = Scope::kGlobal;
  ValueKind kind = ValueKind::kInteger;
  std::int64_t minimum = 0;
  std::int64_t maximum = 0;
  // The rest of policies alone. What the segment holds may be out of range.
  std::int64_t initial = 0;
  std::int64_t (*load)(const abi::Policy&) = nullptr;
  void (*store)(abi::Policy&, std::int64_t) = nullptr;
  Effect effect = Effect::kAtOnce;
  Choices choices = {};
  Choices old_spellings = {};  // of the choices at the same places, still accepted

  constexpr bool in_range(std::int64_t number) const {
    return (number >= minimum && number <= maximum) ||
           (kind == ValueKind::kClock && number == kFreeClock);
  }
};

// A field of abi::Policy, or a number: that word of `further`.
template <auto Word>
constexpr auto& word_of(auto& policy) {
  if constexpr (std::is_integral_v<decltype(Word)>) {
    static_assert(Word >= 0 && std::size_t{Word} < std::extent_v<decltype(abi::Policy::further)>);
    return policy.further[Word];
  } else {
    return policy.*Word;
  }
}
template <auto Word>
std::int64_t load_word(const abi::Policy& policy) {
  return word_of<Word>(policy).load(std::memory_order_relaxed);
}
template <auto Word>
void store_word(abi::Policy& policy, std::int64_t number) {
  auto& word = word_of<Word>(policy);
  word.store(static_cast<decltype(word.load())>(number), std::memory_order_relaxed);
}

template <auto Word>
constexpr Key integer(std::string_view name, std::int64_t minimum, std::int64_t maximum,
                      std::int64_t initial, std::string_view help,
                      Effect effect = Effect::kAtOnce) {
  return {name,    help,    Scope::kInstance, ValueKind::kInteger, minimum,
          maximum, initial, load_word<Word>,  store_word<Word>,    effect};
}

template <auto Word>
constexpr Key choice(std::string_view name, Choices choices, std::string_view initial,
                     std::string_view help, Effect effect = Effect::kAtOnce,
                     Choices old_spellings = {}) {
  const auto index = [&](std::string_view text) {
    return std::find(choices.begin(), choices.end(), text) - choices.begin();
  };
  return {name,          help,           Scope::kInstance, ValueKind::kChoice, 0,
          index({}) - 1, index(initial), load_word<Word>,  store_word<Word>,   effect,
          choices,       old_spellings};
}

// `free` and the factors have a word each.
inline std::int64_t load_clock(const abi::Policy& policy) {
  const bool free = load_word<&abi::Policy::clock_mode>(policy) ==
                    static_cast<std::int64_t>(abi::ClockMode::kFree);
  return free ? kFreeClock : load_word<&abi::Policy::clock_factor_milli>(policy);
}
inline void store_clock(abi::Policy& policy, std::int64_t number) {
  const bool free = number == kFreeClock;
  const auto mode = free ? abi::ClockMode::kFree : abi::ClockMode::kRealtime;
  store_word<&abi::Policy::clock_mode>(policy, static_cast<std::int64_t>(mode));
  store_word<&abi::Policy::clock_factor_milli>(policy, free ? kRealtimeClock : number);
}

// In the order in which people should read them.
inline constexpr Key kKeys[] = {
    {.name = "audioloop_instances",
     .help = "how many pairs of a client and a server device there are from the start",
     .minimum = 1,
     .maximum = kMaxInstances},
    {.name = "dsp",
     .help = "the device that /dev/dsp and other names without a number stand for",
     .kind = ValueKind::kDevice},
    {.name = "mode",
     .help = "who may open the devices: 0600 their owner alone, 0660 the group of the runtime "
             "folder too",
     .kind = ValueKind::kMode},
    {.name = "runtime_dir",
     .help = "the folder shared by the programs of a loop; empty for /dev/shm/ossloop-UID",
     .kind = ValueKind::kPath},
    choice<&abi::Policy::eof>(
        "eof", {"reset", "eof", "silence", "wait"}, "reset",
        "what the server reads at the end of a stream: an error, an end of file, silence, nothing"),
    choice<&abi::Policy::underrun>(
        "underrun", {"silence", "stall"}, "silence",
        "when the producer is late, the consumer gets silence or stalls until data comes"),
    choice<&abi::Policy::overrun>(
        "overrun", {"wait", "drop"}, "wait",
        "when the consumer is late, the producer waits or the oldest data is dropped"),
    {"clock", "the pace: that of the real time, none (as fast as both programs go), or a multiple",
     Scope::kInstance, ValueKind::kClock, 1, 1'000'000, kRealtimeClock, load_clock, store_clock},
    integer<&abi::Policy::ppm>("ppm", -200'000, 200'000, 0,
                               "how much faster than its clock the loop runs, in millionths"),
    choice<&abi::Policy::quality>("quality", {"quick", "low", "medium", "high", "very-high"},
                                  "high", "the quality of sample rate conversion", Effect::kAtOpen),
    choice<&abi::Policy::dither>(
        "dither", {"none", "tpdf"}, "none",
        "the noise that hides the rounding when samples lose bits: none, or triangular",
        Effect::kAtOpen, {"off", "on"}),
    choice<&abi::Policy::volume>(
        "volume", {"free", "lock"}, "free",
        "whether programs may change the levels of the mixer and their own, or find them locked"),
    integer<&abi::Policy::tick_ms>("tick_ms", 1, 100, 10,
                                   "the period of the timer, in milliseconds"),
    integer<&abi::Policy::buffer_ms>(
        "buffer_ms", 20, 5000, 340,
        "the size of each side's buffer unless the program asks for another, in milliseconds",
        Effect::kAtCreation),
    integer<0>(
        "linger_ms", 0, 60'000, 500,
        "how long a player that closed may stay away before its stream ends, in milliseconds"),
    choice<1>("duplex", {"off", "on"}, "off",
              "whether a side may play and record at once, by one program or by two",
              Effect::kAtOpen),
    integer<2>("clients", 1, abi::kClients, 1,
               "how many clients at once may play, mixed together, or record", Effect::kAtOpen),
    choice<3>("open", {"server", "always"}, "server",
              "whether a client opens only with a server, or always: it plays to nobody then",
              Effect::kAtOpen),
};

}  // namespace ossloop::config
