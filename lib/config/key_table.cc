#include <algorithm>
#include <iterator>
#include <type_traits>

#include "config/key.h"
#include "config/value_text.h"

namespace ossloop::config {
namespace {

template <std::size_t Size>
constexpr Choices names(const char* const (&list)[Size]) {
  Choices choices{};
  std::copy(std::begin(list), std::end(list), choices.begin());
  return choices;
}

template <auto Member>
constexpr auto kGet =
    [](const InstancePolicy& policy) { return static_cast<std::int64_t>(policy.*Member); };

template <auto Member>
constexpr auto kSet = [](InstancePolicy& policy, std::int64_t value) {
  using Field = std::remove_reference_t<decltype(policy.*Member)>;
  policy.*Member = static_cast<Field>(value);
};

template <auto Member>
constexpr Value integer(std::int64_t minimum, std::int64_t maximum) {
  return {ValueKind::kInteger, minimum, maximum, {}, {}, kGet<Member>, kSet<Member>};
}

template <auto Member>
constexpr Value choice(Choices choices, Choices old_spellings = {}) {
  return {ValueKind::kChoice, 0, 0, choices, old_spellings, kGet<Member>, kSet<Member>};
}

std::int64_t get_clock(const InstancePolicy& policy) {
  return policy.clock_mode == ClockMode::kFree ? kFreeClock : policy.clock_factor_milli;
}

void set_clock(InstancePolicy& policy, std::int64_t value) {
  const bool free = value == kFreeClock;
  policy.clock_mode = free ? ClockMode::kFree : ClockMode::kRealtime;
  policy.clock_factor_milli = free ? 1000 : static_cast<std::uint32_t>(value);
}

using P = InstancePolicy;

constexpr Key kKeys[] = {
    {{"audioloop_instances", Scope::kGlobal,
      "how many pairs of a client and a server device there are from the start"},
     {ValueKind::kInstances, 1, kMaxInstances}},
    {{"dsp", Scope::kGlobal, "the device that /dev/dsp and other names without a number stand for"},
     {ValueKind::kDevice}},
    {{"mode", Scope::kGlobal,
      "who may open the devices: 0600 their owner alone, 0660 the group of the runtime folder too"},
     {ValueKind::kMode}},
    {{"runtime_dir", Scope::kGlobal,
      "the folder shared by the programs of a loop; empty for /dev/shm/ossloop-UID"},
     {ValueKind::kPath}},
    {{"eof", Scope::kInstance,
      "what the server reads at the end of a stream: an error, an end of file, silence, nothing"},
     choice<&P::eof>(names(abi::kEofNames))},
    {{"underrun", Scope::kInstance,
      "when the producer is late, the consumer gets silence or stalls until data comes"},
     choice<&P::underrun>(names(abi::kUnderrunNames))},
    {{"overrun", Scope::kInstance,
      "when the consumer is late, the producer waits or the oldest data is dropped"},
     choice<&P::overrun>(names(abi::kOverrunNames))},
    {{"clock", Scope::kInstance,
      "the pace: that of the real time, none (as fast as both programs go), or a multiple"},
     {ValueKind::kClock, 1, 1000000, {}, {}, get_clock, set_clock}},
    {{"ppm", Scope::kInstance, "how much faster than its clock the loop runs, in millionths"},
     integer<&P::ppm>(-200000, 200000)},
    {{"quality", Scope::kInstance, "the quality of sample rate conversion"},
     choice<&P::quality>(names(abi::kQualityNames))},
    {{"dither", Scope::kInstance,
      "the noise that hides the rounding when samples lose bits: none, or triangular"},
     choice<&P::dither>({"none", "tpdf"}, {"off", "on"})},
    {{"volume", Scope::kInstance,
      "whether programs may change the levels of the mixer and their own, or find them locked"},
     choice<&P::volume>(names(abi::kVolumeNames))},
    {{"tick_ms", Scope::kInstance, "the period of the timer, in milliseconds"},
     integer<&P::tick_ms>(1, 100)},
    {{"buffer_ms", Scope::kInstance,
      "the size of each side's buffer unless the program asks for another, in milliseconds"},
     integer<&P::buffer_ms>(20, 5000)},
};

constexpr auto kKeyInfos = [] {
  std::array<KeyInfo, std::size(kKeys)> infos{};
  for (std::size_t i = 0; i < infos.size(); ++i) infos[i] = kKeys[i].info;
  return infos;
}();

}  // namespace

std::span<const KeyInfo> keys() { return kKeyInfos; }
std::span<const Key> key_table() { return kKeys; }

const Key* find_key(std::string_view name) {
  const auto* key = std::find_if(std::begin(kKeys), std::end(kKeys),
                                 [&](const Key& candidate) { return candidate.info.name == name; });
  return key == std::end(kKeys) ? nullptr : key;
}

std::uint32_t policy_bit(std::string_view key) {
  const Key* found = find_key(strip(key));
  if (found == nullptr || found->info.scope == Scope::kGlobal) return 0;
  static_assert(std::size(kKeys) <= 32);
  return 1U << (found - kKeys);
}

void refresh_policy(const InstancePolicy& configured, abi::Policy& segment) {
  const std::uint32_t pinned = segment.pinned.load(std::memory_order_relaxed);
  InstancePolicy policy = load_policy(segment);
  for (const Key& key : kKeys) {
    if (key.info.scope == Scope::kGlobal || (pinned & policy_bit(key.info.name)) != 0) continue;
    if (key.info.name != "buffer_ms") key.value.set(policy, key.value.get(configured));
  }
  store_policy(policy, segment);
}

}  // namespace ossloop::config
