#include "config/runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <cstring>

#include "base/error_text.h"
#include "base/fd.h"
#include "base/log.h"

namespace ossloop::config {
namespace {

using base::sys;

// A configuration is a page or two; more is somebody's mistake.
constexpr std::size_t kLargestFile = 1 << 20;

const char* environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0' ? value : nullptr;
}

constexpr double kLongestWaitSeconds = 1e9;

std::string bad_variable(const char* name, std::string_view value, const std::string& accepted) {
  return "bad value " + quote(value) + " for " + name + "; expected " + accepted;
}

int read_file(const char* path, std::string& text) {
  base::Fd fd(sys().open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0));
  if (!fd) return fd.get();
  char block[4096];
  while (text.size() < kLargestFile) {
    const ssize_t bytes = sys().read(fd.get(), block, sizeof block);
    if (bytes == -EINTR) continue;
    if (bytes <= 0) return static_cast<int>(bytes);
    text.append(block, static_cast<std::size_t>(bytes));
  }
  return -EFBIG;
}

// Somebody else has made the folder that is ours by default. Root may have, to share it.
bool taken(const std::string& folder, const Config& config) {
  struct stat status {};
  if (sys().fstatat(AT_FDCWD, folder.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) return false;
  const bool shared = (config.mode & 0060) != 0;
  return status.st_uid != ::geteuid() && !(shared && status.st_uid == 0);
}

// The place that a login session has for such files, where nobody else can make any.
std::string session_folder() {
  const char* place = environment("XDG_RUNTIME_DIR");
  struct stat status {};
  if (place == nullptr || *place != '/') return {};
  if (sys().fstatat(AT_FDCWD, place, &status, 0) != 0 || !S_ISDIR(status.st_mode)) return {};
  if (status.st_uid != ::geteuid() || (status.st_mode & 0002) != 0) return {};
  return std::string(place) + "/ossloop";
}

std::string default_folder(const Config& config) {
  std::string folder = "/dev/shm/ossloop-" + std::to_string(::geteuid());
  if (!taken(folder, config)) return folder;
  std::string session = session_folder();
  // Who then uses the first is told why it is refused.
  if (session.empty()) return folder;
  base::log(base::LogLevel::kWarning, "runtime folder %s: belongs to another user; %s is used",
            folder.c_str(), session.c_str());
  return session;
}

}  // namespace

Runtime load_runtime(std::vector<Diagnostic>& diagnostics) {
  const char* chosen = environment("OSSLOOP_CONF");
  const char* path = chosen != nullptr ? chosen : kConfigFile;
  std::string text;
  const int result = read_file(path, text);
  Runtime runtime;
  if (result == 0) {
    runtime.config = parse_config(text, path, diagnostics);
  } else if (chosen != nullptr || result != -ENOENT) {
    diagnostics.push_back(
        {"configuration file " + std::string(path) + ": " + base::error_text(-result)});
  }
  if (const char* folder = environment("OSSLOOP_DIR"); folder != nullptr) {
    if (*folder == '/') {
      runtime.folder = folder;
    } else {
      diagnostics.push_back({bad_variable("OSSLOOP_DIR", folder, "an absolute path")});
    }
  }
  if (runtime.folder.empty()) runtime.folder = runtime.config.runtime_dir;
  if (runtime.folder.empty()) runtime.folder = default_folder(runtime.config);
  while (runtime.folder.size() > 1 && runtime.folder.back() == '/') runtime.folder.pop_back();
  return runtime;
}

DefaultDevice default_device(const Config& config, std::string& why) {
  DefaultDevice device = config.dsp;
  const char* text = environment("OSSLOOP_DSP");
  if (text != nullptr && !parse_default_device(text, device)) {
    why = bad_variable("OSSLOOP_DSP", text, accepted_values("dsp"));
  }
  return device;
}

std::int64_t open_wait_ns(std::string& why) {
  const char* text = environment("OSSLOOP_OPEN_WAIT");
  if (text == nullptr) return 0;
  // Not strtod(): it follows the program's locale.
  const char* const end = text + std::strlen(text);
  double seconds = 0;
  const auto [rest, error] = std::from_chars(text, end, seconds);
  if (error != std::errc{} || rest != end || !(seconds >= 0 && seconds <= kLongestWaitSeconds)) {
    why = bad_variable("OSSLOOP_OPEN_WAIT", text, "seconds, from 0 to 1000000000");
    return 0;
  }
  return static_cast<std::int64_t>(seconds * 1e9);
}

}  // namespace ossloop::config
