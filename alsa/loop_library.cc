#include "alsa/loop_library.h"

#include <alsa/asoundlib.h>
#include <dlfcn.h>

#include <cstring>
#include <mutex>
#include <string>

namespace ossloop::alsa {
namespace {

constexpr const char* kName = "libossloop.so";

std::string file_of(const void* address) {
  Dl_info info{};
  if (::dladdr(address, &info) == 0 || info.dli_fname == nullptr) return {};
  return info.dli_fname;
}

// Whose ioctl() is the program's? A preloaded copy may be another file than that beside us.
std::string preloaded() {
  std::string file = file_of(::dlsym(RTLD_DEFAULT, "ioctl"));
  return file.substr(file.rfind('/') + 1) == kName ? file : std::string();
}

std::string beside_the_plugin() {
  const std::string own = file_of(reinterpret_cast<const void*>(&LoopLibrary::find));
  return own.substr(0, own.rfind('/') + 1) + "../" + kName;
}

template <typename Function>
bool take(void* library, const char* name, Function*& function) {
  function = reinterpret_cast<Function*>(::dlsym(library, name));
  return function != nullptr;
}

// It stays: its engine has a thread and answers at fork() and exit.
bool load(LoopLibrary& calls) {
  const std::string first = preloaded();
  const std::string path = first.empty() ? beside_the_plugin() : first;
  void* const library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (library == nullptr) {
    SNDERR("ossloop: %s", ::dlerror());
    return false;
  }
  return take(library, "open", calls.open) && take(library, "close", calls.close) &&
         take(library, "ioctl", calls.ioctl) && take(library, "read", calls.read) &&
         take(library, "write", calls.write) && take(library, "poll", calls.poll);
}

}  // namespace

const LoopLibrary* LoopLibrary::find() {
  static std::mutex mutex;
  static LoopLibrary calls;
  static bool loaded = false;
  const std::lock_guard lock(mutex);
  loaded = loaded || load(calls);
  return loaded ? &calls : nullptr;
}

}  // namespace ossloop::alsa
