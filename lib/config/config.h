// What oss_audioloop.conf says: `name=value` lines, blanks around both ignored,
// empty lines and lines that start with '#' skipped. A line for one instance
// is `loopN.name=value`; it wins over `name=value` wherever it stands. Of equal
// names the last good line wins.
#ifndef OSSLOOP_CONFIG_CONFIG_H_
#define OSSLOOP_CONFIG_CONFIG_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "abi/layout.h"
#include "abi/policy.h"
#include "config/device_path.h"

namespace ossloop::config {

using abi::ClockMode;
using abi::Eof;
using abi::Overrun;
using abi::Underrun;
using abi::Volume;

// How one instance behaves. The initial values are the defaults.
struct InstancePolicy {
  Eof eof = Eof::kReset;
  Underrun underrun = Underrun::kSilence;
  Overrun overrun = Overrun::kWait;
  ClockMode clock_mode = ClockMode::kRealtime;
  std::uint32_t clock_factor_milli = 1000;  // 1 to 1000000; 1000 when kFree
  std::int32_t ppm = 0;                     // -200000 to 200000
  std::uint32_t quality = 3;                // 0 (quick) to 4 (very high)
  std::uint32_t tick_ms = 10;               // 1 to 100
  std::uint32_t buffer_ms = 340;            // 20 to 5000
  bool dither = false;
  Volume volume = Volume::kFree;

  bool operator==(const InstancePolicy&) const = default;
};

// To and from the segment of an instance; what is out of range there comes back
// as the default.
void store_policy(const InstancePolicy& policy, abi::Policy& segment);
InstancePolicy load_policy(const abi::Policy& segment);

struct Config {
  int instances = 1;  // 1 to kMaxInstances
  InstancePolicy policy[kMaxInstances];
  DefaultDevice dsp;
  std::uint32_t mode = 0600;  // or 0660
  std::string runtime_dir;    // absolute, or empty: the default place

  bool operator==(const Config&) const = default;
};

// One bad line: "FILE:LINE: what was wrong; what is accepted".
struct Diagnostic {
  std::string text;
};

enum class Scope : std::uint8_t { kGlobal, kInstance };

// One row of the table of keys, for help texts and lists.
struct KeyInfo {
  std::string_view name;
  Scope scope;
  std::string_view help;  // one line, without a full stop
};

// Every key, in the order in which people should read them.
std::span<const KeyInfo> keys();

// A word of the user's between quotes, short and printable whatever it is.
std::string quote(std::string_view text);

// What may stand behind the '=' of `key`, in words; empty if there is no such key.
std::string accepted_values(std::string_view key);

// Parses the text of a configuration file. Every bad line adds one diagnostic
// that begins with `file_name` and changes nothing else.
Config parse_config(std::string_view text, std::string_view file_name,
                    std::vector<Diagnostic>& diagnostics);

// Sets one policy by its key. False, with the policy untouched and one line in
// `why`, if there is no such key or the value is not accepted.
bool set_policy(InstancePolicy& policy, std::string_view key, std::string_view value,
                std::string& why);

// The value as set_policy would accept it; empty if there is no such key.
std::string format_policy_value(const InstancePolicy& policy, std::string_view key);

// The bit of a policy in abi::Policy::pinned; 0 if there is no such key.
std::uint32_t policy_bit(std::string_view key);

// Takes over from the configuration what is not pinned; all but `buffer_ms`, which
// the ring was made for.
void refresh_policy(const InstancePolicy& configured, abi::Policy& segment);

// The value of any key; of a policy key, that of `instance`.
std::string format_value(const Config& config, std::string_view key, int instance = 0);

// "pcm0", "server1" or "off".
std::string format_default_device(const DefaultDevice& device);

}  // namespace ossloop::config

#endif  // OSSLOOP_CONFIG_CONFIG_H_
