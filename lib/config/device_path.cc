#include "config/device_path.h"

#include <cstring>

namespace ossloop::config {
namespace {

// Splits off the last component: text before it, without its slash, stays in
// `path`. Empty for a trailing slash or a doubled one.
std::string_view take_last(std::string_view& path) {
  std::size_t start = path.size();
  while (start > 0 && path[start - 1] != '/') --start;
  const std::string_view last(path.data() + start, path.size() - start);
  path = std::string_view(path.data(), start > 0 ? start - 1 : 0);
  return last;
}

// Normalises from the right, so that no path is too long and nothing but the
// result needs memory: a ".." cancels the next component found to its left.
class Normaliser {
 public:
  // False once the result cannot be one of ours any more.
  bool prepend(std::string_view path) {
    while (!path.empty()) {
      const std::string_view component = take_last(path);
      if (component.empty() || component == ".") {
        before_name_ |= empty();
      } else if (component == "..") {
        ++cancelled_;
        before_name_ |= empty();
        through_parent_ = true;
      } else if (cancelled_ > 0) {
        --cancelled_;
      } else if (!keep(component)) {
        return false;
      }
    }
    return true;
  }

  std::string_view text() const { return {text_ + start_, sizeof text_ - start_}; }
  bool before_name() const { return before_name_; }
  bool through_parent() const { return through_parent_; }

 private:
  bool empty() const { return start_ == sizeof text_; }

  bool keep(std::string_view component) {
    if (component.size() + 1 > start_) return false;
    start_ -= component.size();
    std::memcpy(text_ + start_, component.data(), component.size());
    text_[--start_] = '/';
    return true;
  }

  char text_[64];  // filled from the end; the longest of our names has 35
  std::size_t start_ = sizeof text_;
  std::size_t cancelled_ = 0;
  bool before_name_ = false;
  bool through_parent_ = false;
};

bool starts_with(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() &&
         std::memcmp(text.data(), prefix.data(), prefix.size()) == 0;
}

// Reads "0" to "99" without leading zeros.
bool parse_number(std::string_view text, int& number) {
  if (text.empty() || text.size() > 2) return false;
  if (text.size() == 2 && text[0] == '0') return false;
  int value = 0;
  for (const char digit : text) {
    if (digit < '0' || digit > '9') return false;
    value = value * 10 + (digit - '0');
  }
  number = value;
  return true;
}

// Whether `text` is the stem of `family` with a number as it wants one;
// `number` is left alone if there is none.
bool matches(const DeviceFamily& family, std::string_view text, int& number) {
  const std::string_view stem(family.stem);
  if (!starts_with(text, stem)) return false;
  text.remove_prefix(stem.size());
  if (text.empty()) return family.numbering != Numbering::kRequired;
  return family.numbering != Numbering::kNone && parse_number(text, number);
}

bool match(const Normaliser& path, DeviceName& name) {
  constexpr std::string_view kDev = "/dev/";
  std::string_view directory = path.text();
  if (!starts_with(directory, kDev)) return false;
  const std::string_view last = take_last(directory);
  directory.remove_prefix(directory.size() < kDev.size() ? directory.size() : kDev.size());
  for (const DeviceFamily& family : kDeviceFamilies) {
    if (last[0] != family.stem[0] || directory != family.directory) continue;
    DeviceName found = family.name;
    if (!matches(family, last, found.instance)) continue;
    found.as_directory = path.before_name();
    found.through_parent = path.through_parent();
    name = found;
    return true;
  }
  return false;
}

}  // namespace

bool parse_device_path(const char* path, DeviceName& name) {
  if (path == nullptr || path[0] != '/') return false;
  // However it is spelled, "dev" must be there between two slashes, and nearly
  // always it is in front or nowhere.
  if (std::strncmp(path, "/dev/", 5) != 0 && std::strstr(path, "/dev/") == nullptr) return false;
  Normaliser normaliser;
  return normaliser.prepend(path) && match(normaliser, name);
}

bool could_name_device(const char* path) {
  if (path == nullptr) return false;
  std::string_view text(path);
  std::string_view last;
  while (last.empty() && !text.empty()) last = take_last(text);
  int number = 0;
  for (const DeviceFamily& family : kDeviceFamilies) {
    if (matches(family, last, number)) return true;
  }
  return false;
}

bool parse_default_device(std::string_view text, DefaultDevice& device) {
  if (text == "off") {
    device = {.off = true};
    return true;
  }
  DefaultDevice found;
  if (starts_with(text, "pcm")) {
    text.remove_prefix(3);
  } else if (starts_with(text, "server")) {
    found.kind = DeviceKind::kServer;
    text.remove_prefix(6);
  } else {
    return false;
  }
  if (!parse_number(text, found.instance) || found.instance >= kMaxInstances) return false;
  device = found;
  return true;
}

}  // namespace ossloop::config
