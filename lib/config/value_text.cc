#include "config/value_text.h"

#include <algorithm>
#include <cstddef>

namespace ossloop::config {
namespace {

constexpr std::size_t kMaxPathBytes = 1024;

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
    number = kRealtimeClock;
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

}  // namespace

std::string_view strip(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\v\f";
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

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

bool parse_policy(const Key& key, std::string_view text, InstancePolicy& policy) {
  std::int64_t number = 0;
  if (key.kind == ValueKind::kChoice) {
    if (text.empty() ||
        !(find_choice(key.choices, text, number) || find_choice(key.old_spellings, text, number))) {
      return false;
    }
  } else if (key.kind == ValueKind::kClock && text == "free") {
    number = kFreeClock;
  } else {
    const bool parsed =
        key.kind == ValueKind::kClock ? parse_clock(text, number) : parse_integer(text, number);
    if (!parsed || !key.in_range(number)) return false;
  }
  policy[key] = number;
  return true;
}

bool parse_global(const Key& key, std::string_view text, Config& config) {
  switch (key.kind) {
    case ValueKind::kInteger: {
      std::int64_t number = 0;
      if (!parse_integer(text, number)) return false;
      if (!key.in_range(number)) return false;
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

std::string format_policy(const Key& key, const InstancePolicy& policy) {
  const std::int64_t number = policy[key];
  switch (key.kind) {
    case ValueKind::kChoice: {
      const bool valid = number >= 0 && static_cast<std::size_t>(number) < key.choices.size();
      return valid ? std::string(key.choices[static_cast<std::size_t>(number)]) : std::string();
    }
    case ValueKind::kClock:
      if (number == kFreeClock) return "free";
      return number == kRealtimeClock ? "realtime" : format_thousandths(number);
    default:
      return std::to_string(number);
  }
}

std::string accepted(const Key& key) {
  const auto range = [&] {
    return std::to_string(key.minimum) + " to " + std::to_string(key.maximum);
  };
  switch (key.kind) {
    case ValueKind::kInteger:
      return "an integer from " + range();
    case ValueKind::kClock:
      return "realtime, free or a factor from " + format_thousandths(key.minimum) + " to " +
             format_thousandths(key.maximum);
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
  for (std::size_t i = 0; i < key.choices.size() && !key.choices[i].empty(); ++i) {
    const bool last = i + 1 == key.choices.size() || key.choices[i + 1].empty();
    text += i == 0 ? "" : last ? " or " : ", ";
    text += key.choices[i];
  }
  return text;
}

std::string format_default_device(const DefaultDevice& device) {
  if (device.off) return "off";
  return (device.kind == DeviceKind::kServer ? "server" : "pcm") + std::to_string(device.instance);
}

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

}  // namespace ossloop::config
