#include "audio/soxr_library.h"

#include <dlfcn.h>

#include <mutex>

#include "base/log.h"

namespace ossloop::audio {
namespace {

SoxrLibrary library;
bool loaded = false;

template <typename Function>
bool find(void* handle, const char* name, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(handle, name));
  return function != nullptr;
}

void load() {
  // Stays loaded: its threads and tables do not like to be unloaded.
  void* handle = ::dlopen("libsoxr.so.0", RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  loaded = handle != nullptr && find(handle, "soxr_create", library.create) &&
           find(handle, "soxr_process", library.process) &&
           find(handle, "soxr_clear", library.clear) &&
           find(handle, "soxr_delete", library.destroy) &&
           find(handle, "soxr_io_spec", library.io_spec) &&
           find(handle, "soxr_num_clips", library.num_clips) &&
           find(handle, "soxr_quality_spec", library.quality_spec) &&
           find(handle, "soxr_runtime_spec", library.runtime_spec);
  if (!loaded) base::log(base::LogLevel::kError, "cannot convert rates: %s", ::dlerror());
}

}  // namespace

const SoxrLibrary* soxr_library() noexcept {
  static std::once_flag once;
  std::call_once(once, load);
  return loaded ? &library : nullptr;
}

}  // namespace ossloop::audio
