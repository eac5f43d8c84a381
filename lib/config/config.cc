#include "config/config.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>
#include <type_traits>
#include <utility>

namespace ossloop::config {
namespace {

using Choices = std::array<std::string_view, 5>;

template <std::size_t Size>
constexpr Choices names(const char* const (&list)[Size]) {
  Choices choices{};
  std::copy(std::begin(list), std::end(list), choices.begin());
  return choices;
}

enum class ValueKind : std::uint8_t {
  kInteger,
  kChoice,
  kClock,
  kInstances,
  kDevice,
  kMode,
  kPath
};

// What the table says about the value of a key. A policy is read and written
// as one number: the integer itself, the index of a choice, or the thousandths
// of a clock factor, where 0 stands for `free`.
struct Value {
  ValueKind kind;
  std::int64_t minimum = 0;
  std::int64_t maximum = 0;
  Choices choices = {};
  Choices old_spellings = {};  // of the choices at the same places, still accepted
  std::int64_t (*get)(const InstancePolicy&) = nullptr;
  void (*set)(InstancePolicy&, std::int64_t) = nullptr;
};

struct Key {
  KeyInfo info;
  Value value;
};

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

constexpr std::int64_t kFreeClock = 0;

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

constexpr std::size_t kMaxPathBytes = 1024;

const Key* find_key(std::string_view name) {
  const auto* key = std::find_if(std::begin(kKeys), std::end(kKeys),
                                 [&](const Key& candidate) { return candidate.info.name == name; });
  return key == std::end(kKeys) ? nullptr : key;
}

std::string_view strip(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\v\f";
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

// Reads decimal digits, at least one and at most nine.
bool parse_digits(std::string_view text, std::int64_t& number) {
  if (text.empty() || text.size() > 9) return false;
  std::int64_t value = 0;
  for (const char digit : text) {
    if (digit < '0' || digit > '9') return false;
    value = value * 10 + (digit - '0');
  }
  number = value;
  return true;
}

bool parse_integer(std::string_view text, std::int64_t& number) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (!parse_digits(text, number)) return false;
  if (negative) number = -number;
  return true;
}

// Reads a decimal fraction of at most three places as thousandths. By hand,
// since the library functions follow the program's locale.
bool parse_thousandths(std::string_view text, std::int64_t& number) {
  const std::size_t point = text.find('.');
  std::int64_t whole = 0;
  if (!parse_digits(text.substr(0, point), whole)) return false;
  std::int64_t thousandths = 0;
  if (point != std::string_view::npos) {
    const std::string_view places = text.substr(point + 1);
    if (places.size() > 3 || !parse_digits(places, thousandths)) return false;
    for (std::size_t i = places.size(); i < 3; ++i) thousandths *= 10;
  }
  number = whole * 1000 + thousandths;
  return true;
}

bool parse_clock(std::string_view text, std::int64_t& number) {
  if (text == "realtime") {
    number = 1000;
    return true;
  }
  return parse_thousandths(text, number);
}

std::string format_thousandths(std::int64_t number) {
  std::string text = std::to_string(number / 1000);
  if (number % 1000 == 0) return text;
  std::string places = std::to_string(1000 + number % 1000).substr(1);
  while (places.ends_with('0')) places.pop_back();
  return text + "." + places;
}

bool parse_mode(std::string_view text, std::uint32_t& mode) {
  if (text.starts_with('0')) text.remove_prefix(1);
  if (text != "600" && text != "660") return false;
  mode = text == "600" ? 0600 : 0660;
  return true;
}

bool parse_path(std::string_view text, std::string& path) {
  if (!text.empty() && text[0] != '/') return false;
  if (text.size() > kMaxPathBytes) return false;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < ' ' || byte == 0x7f) return false;
  }
  path = text;
  return true;
}

bool find_choice(const Choices& choices, std::string_view text, std::int64_t& number) {
  const auto found = std::find(choices.begin(), choices.end(), text);
  if (found == choices.end()) return false;
  number = found - choices.begin();
  return true;
}

bool parse_policy(const Value& value, std::string_view text, InstancePolicy& policy) {
  std::int64_t number = 0;
  if (value.kind == ValueKind::kChoice) {
    if (text.empty() || !(find_choice(value.choices, text, number) ||
                          find_choice(value.old_spellings, text, number))) {
      return false;
    }
  } else if (value.kind == ValueKind::kClock && text == "free") {
    number = kFreeClock;
  } else {
    const bool parsed =
        value.kind == ValueKind::kClock ? parse_clock(text, number) : parse_integer(text, number);
    if (!parsed || number < value.minimum || number > value.maximum) return false;
  }
  value.set(policy, number);
  return true;
}

bool parse_global(const Value& value, std::string_view text, Config& config) {
  switch (value.kind) {
    case ValueKind::kInstances: {
      std::int64_t number = 0;
      if (!parse_integer(text, number)) return false;
      if (number < value.minimum || number > value.maximum) return false;
      config.instances = static_cast<int>(number);
      return true;
    }
    case ValueKind::kDevice:
      return parse_default_device(text, config.dsp);
    case ValueKind::kMode:
      return parse_mode(text, config.mode);
    case ValueKind::kPath:
      return parse_path(text, config.runtime_dir);
    default:
      return false;
  }
}

std::string format_policy(const Value& value, const InstancePolicy& policy) {
  const std::int64_t number = value.get(policy);
  switch (value.kind) {
    case ValueKind::kChoice: {
      const bool valid = number >= 0 && static_cast<std::size_t>(number) < value.choices.size();
      return valid ? std::string(value.choices[static_cast<std::size_t>(number)]) : std::string();
    }
    case ValueKind::kClock:
      if (number == kFreeClock) return "free";
      return number == 1000 ? "realtime" : format_thousandths(number);
    default:
      return std::to_string(number);
  }
}

std::string accepted(const Value& value) {
  const auto range = [&] {
    return std::to_string(value.minimum) + " to " + std::to_string(value.maximum);
  };
  switch (value.kind) {
    case ValueKind::kInteger:
    case ValueKind::kInstances:
      return "an integer from " + range();
    case ValueKind::kClock:
      return "realtime, free or a factor from " + format_thousandths(value.minimum) + " to " +
             format_thousandths(value.maximum);
    case ValueKind::kDevice: {
      const std::string last = std::to_string(kMaxInstances - 1);
      return "pcm0 to pcm" + last + ", server0 to server" + last + " or off";
    }
    case ValueKind::kMode:
      return "0600 or 0660";
    case ValueKind::kPath:
      return "an absolute path of at most " + std::to_string(kMaxPathBytes) + " bytes, or nothing";
    case ValueKind::kChoice:
      break;
  }
  std::string text;
  for (std::size_t i = 0; i < value.choices.size() && !value.choices[i].empty(); ++i) {
    const bool last = i + 1 == value.choices.size() || value.choices[i + 1].empty();
    text += i == 0 ? "" : last ? " or " : ", ";
    text += value.choices[i];
  }
  return text;
}

std::string known_keys(bool with_globals) {
  std::string text;
  for (const Key& key : kKeys) {
    if (key.info.scope == Scope::kGlobal && !with_globals) continue;
    text += (text.empty() ? "" : ", ") + std::string(key.info.name);
  }
  return text;
}

std::string bad_value(const Key& key, std::string_view value) {
  return "bad value " + quote(value) + " for " + std::string(key.info.name) + "; expected " +
         accepted(key.value);
}

std::string unknown_key(std::string_view name, bool with_globals) {
  return "unknown key " + quote(name) + "; expected one of " + known_keys(with_globals);
}

// A good `loopN.key=value`, applied when the common policies are known.
struct Override {
  int instance;
  const Key* key;
  std::string_view value;
};

class Parser {
 public:
  // Takes one line; empty, or what is wrong with it.
  std::string line(std::string_view text) {
    text = strip(text);
    if (text.empty() || text[0] == '#') return {};
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos) {
      return "no '=' in " + quote(text) + "; expected name=value";
    }
    const std::string_view name = strip(text.substr(0, equals));
    const std::string_view value = strip(text.substr(equals + 1));
    const std::size_t dot = name.find('.');
    if (name.starts_with("loop") && dot != std::string_view::npos) {
      return override_line(name.substr(4, dot - 4), name.substr(dot + 1), value);
    }
    return common_line(name, value);
  }

  Config finish() {
    std::fill(std::begin(config_.policy), std::end(config_.policy), common_);
    for (const Override& override : overrides_) {
      parse_policy(override.key->value, override.value, config_.policy[override.instance]);
    }
    return std::move(config_);
  }

 private:
  std::string common_line(std::string_view name, std::string_view value) {
    const Key* key = find_key(name);
    if (key == nullptr) return unknown_key(name, true);
    const bool good = key->info.scope == Scope::kInstance
                          ? parse_policy(key->value, value, common_)
                          : parse_global(key->value, value, config_);
    return good ? std::string() : bad_value(*key, value);
  }

  std::string override_line(std::string_view number, std::string_view name,
                            std::string_view value) {
    std::int64_t instance = 0;
    const bool canonical = number.size() == 1 || !number.starts_with('0');
    if (!canonical || !parse_digits(number, instance) || instance >= kMaxInstances) {
      return "no instance " + quote(number) + "; expected loopN.key=value with N from 0 to " +
             std::to_string(kMaxInstances - 1);
    }
    const Key* key = find_key(name);
    if (key == nullptr) return unknown_key(name, false);
    if (key->info.scope == Scope::kGlobal) {
      return quote(name) + " is the same for all instances; expected it without loopN";
    }
    InstancePolicy scratch;
    if (!parse_policy(key->value, value, scratch)) return bad_value(*key, value);
    overrides_.push_back({static_cast<int>(instance), key, value});
    return {};
  }

  Config config_;
  InstancePolicy common_;
  std::vector<Override> overrides_;
};

}  // namespace

std::string quote(std::string_view text) {
  constexpr std::size_t kMaxShown = 40;
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string quoted = "'";
  for (const char c : text.substr(0, kMaxShown)) {
    if (c >= ' ' && c <= '~') {
      quoted += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      quoted += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return quoted + (text.size() > kMaxShown ? "...'" : "'");
}

std::span<const KeyInfo> keys() { return kKeyInfos; }

std::string accepted_values(std::string_view key) {
  const Key* found = find_key(key);
  return found == nullptr ? std::string() : accepted(found->value);
}

Config parse_config(std::string_view text, std::string_view file_name,
                    std::vector<Diagnostic>& diagnostics) {
  Parser parser;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string wrong = parser.line(text.substr(0, end));
    if (!wrong.empty()) {
      diagnostics.push_back({std::string(file_name) + ":" + std::to_string(number) + ": " + wrong});
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parser.finish();
}

bool set_policy(InstancePolicy& policy, std::string_view key, std::string_view value,
                std::string& why) {
  const Key* found = find_key(strip(key));
  if (found == nullptr) {
    why = unknown_key(key, false);
    return false;
  }
  if (found->info.scope == Scope::kGlobal) {
    why = quote(key) + " is the same for all instances; set it in the configuration file";
    return false;
  }
  if (parse_policy(found->value, strip(value), policy)) return true;
  why = bad_value(*found, value);
  return false;
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

std::string format_policy_value(const InstancePolicy& policy, std::string_view key) {
  const Key* found = find_key(key);
  if (found == nullptr || found->info.scope == Scope::kGlobal) return {};
  return format_policy(found->value, policy);
}

std::string format_default_device(const DefaultDevice& device) {
  if (device.off) return "off";
  return (device.kind == DeviceKind::kServer ? "server" : "pcm") + std::to_string(device.instance);
}

std::string format_value(const Config& config, std::string_view key, int instance) {
  const Key* found = find_key(key);
  if (found == nullptr || instance < 0 || instance >= kMaxInstances) return {};
  switch (found->value.kind) {
    case ValueKind::kInstances:
      return std::to_string(config.instances);
    case ValueKind::kDevice:
      return format_default_device(config.dsp);
    case ValueKind::kMode:
      return config.mode == 0660 ? "0660" : "0600";
    case ValueKind::kPath:
      return config.runtime_dir;
    default:
      return format_policy(found->value, config.policy[instance]);
  }
}

}  // namespace ossloop::config
