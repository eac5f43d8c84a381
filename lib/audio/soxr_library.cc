#include "audio/soxr_library.h"

#include <dlfcn.h>

#include <atomic>
#include <cerrno>
#include <mutex>

#include "base/log.h"
#include "base/mutex.h"

namespace ossloop::audio {
namespace {

SoxrLibrary library;

enum class State { kUntried, kLoaded, kMissing };
std::atomic<State> state{State::kUntried};
base::Mutex loading;

template <typename Function>
bool find(void* handle, const char* name, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(handle, name));
  return function != nullptr;
}

bool load() {
  // Stays loaded: its threads and tables do not like to be unloaded.
  void* handle = ::dlopen("libsoxr.so.0", RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  return handle != nullptr && find(handle, "soxr_create", library.create) &&
         find(handle, "soxr_process", library.process) &&
         find(handle, "soxr_clear", library.clear) &&
         find(handle, "soxr_delete", library.destroy) &&
         find(handle, "soxr_io_spec", library.io_spec) &&
         find(handle, "soxr_num_clips", library.num_clips) &&
         find(handle, "soxr_quality_spec", library.quality_spec) &&
         find(handle, "soxr_runtime_spec", library.runtime_spec);
}

// Without memory the loader fails too, and its message cannot tell it: errno does.
State try_to_load() {
  const std::lock_guard lock(loading);
  if (const State now = state.load(); now != State::kUntried) return now;
  errno = 0;
  if (load()) {
    state = State::kLoaded;
  } else if (errno != ENOMEM) {
    state = State::kMissing;
    base::log(base::LogLevel::kError, "cannot convert rates: %s", ::dlerror());
  }
  return state;
}

}  // namespace

const SoxrLibrary* soxr_library(int& error) noexcept {
  State now = state;
  if (now == State::kUntried) now = try_to_load();
  if (now == State::kLoaded) return &library;
  error = now == State::kMissing ? -ENOSYS : -ENOMEM;
  return nullptr;
}

const SoxrLibrary& loaded_soxr_library() noexcept { return library; }

}  // namespace ossloop::audio
