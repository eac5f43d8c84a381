// What oss_audioloop.conf says: `name=value` lines, blanks around both ignored,
// empty lines and lines that start with '#' skipped. A line for one instance
// is `loopN.name=value`; it wins over `name=value` wherever it stands. Of equal
// names the last good line wins.
#ifndef OSSLOOP_CONFIG_CONFIG_H_
#define OSSLOOP_CONFIG_CONFIG_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/device_path.h"
#include "config/policy.h"

namespace ossloop::config {

using abi::ClockMode;
using abi::Eof;
using abi::Overrun;
using abi::Underrun;
using abi::Volume;

struct Config {
  int instances = 1;
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

// "pcm0", "server1" or "off".
std::string format_default_device(const DefaultDevice& device);

}  // namespace ossloop::config

#endif  // OSSLOOP_CONFIG_CONFIG_H_
