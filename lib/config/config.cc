#include "config/config.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <utility>

#include "config/value_text.h"

namespace ossloop::config {
namespace {

std::string known_keys(bool with_globals) {
  std::string text;
  for (const Key& key : kKeys) {
    if (key.scope == Scope::kGlobal && !with_globals) continue;
    text += (text.empty() ? "" : ", ") + std::string(key.name);
  }
  return text;
}

std::string bad_value(const Key& key, std::string_view value) {
  return "bad value " + quote(value) + " for " + std::string(key.name) + "; expected " +
         accepted(key);
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
      parse_policy(*override.key, override.value, config_.policy[override.instance]);
    }
    return std::move(config_);
  }

 private:
  std::string common_line(std::string_view name, std::string_view value) {
    const Key* key = find_key(name);
    if (key == nullptr) return unknown_key(name, true);
    const bool good = key->scope == Scope::kInstance ? parse_policy(*key, value, common_)
                                                     : parse_global(*key, value, config_);
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
    if (key->scope == Scope::kGlobal) {
      return quote(name) + " is the same for all instances; expected it without loopN";
    }
    InstancePolicy scratch;
    if (!parse_policy(*key, value, scratch)) return bad_value(*key, value);
    overrides_.push_back({static_cast<int>(instance), key, value});
    return {};
  }

  Config config_;
  InstancePolicy common_;
  std::vector<Override> overrides_;
};

}  // namespace

std::string accepted_values(std::string_view key) {
  const Key* found = find_key(key);
  return found == nullptr ? std::string() : accepted(*found);
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
  if (found->scope == Scope::kGlobal) {
    why = quote(key) + " is the same for all instances; set it in the configuration file";
    return false;
  }
  if (parse_policy(*found, strip(value), policy)) return true;
  why = bad_value(*found, value);
  return false;
}

std::string format_policy_value(const InstancePolicy& policy, std::string_view key) {
  const Key* found = find_key(key);
  if (found == nullptr || found->scope == Scope::kGlobal) return {};
  return format_policy(*found, policy);
}

}  // namespace ossloop::config
