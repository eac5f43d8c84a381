#include "shim/engine/engine.h"

#include <stdlib.h>

#include <new>
#include <string>
#include <vector>

#include "base/host.h"
#include "base/log.h"
#include "device/device_thread.h"
#include "device/endpoint.h"

namespace ossloop::shim {

Engine* engine = nullptr;
const std::atomic<unsigned>* memory_changes = nullptr;

namespace {

config::Runtime start_runtime() {
  std::vector<config::Diagnostic> diagnostics;
  config::Runtime runtime;
  device::DeviceThread::instance().run([&] {
    base::start_log(::getenv("OSSLOOP_LOG"));
    runtime = config::load_runtime(diagnostics);
  });
  for (const auto& diagnostic : diagnostics) {
    base::log(base::LogLevel::kError, "%s", diagnostic.text.c_str());
  }
  return runtime;
}

bool holds(int fd, const device::Endpoint* endpoint) {
  Handle* handle = engine->open_files().find(fd);
  return handle != nullptr && handle->file != nullptr && handle->file->endpoint() == endpoint;
}

}  // namespace

Engine::Engine(DescriptorTable& table)
    : runtime_(start_runtime()),
      instances_({runtime_.folder, static_cast<mode_t>(runtime_.config.mode)},
                 runtime_.config.instances, [this](int instance) { return init(instance); }),
      open_files_(table) {
  device::DeviceThread::instance().stop_if_idle();
}

}  // namespace ossloop::shim

extern "C" __attribute__((visibility("default"))) const ossloop::shim::EngineApi* ossloop_engine(
    const ossloop::shim::Preloaded* preloaded) {
  using namespace ossloop::shim;
  ossloop::base::set_host({preloaded->own_process, preloaded->thread_note});
  memory_changes = preloaded->memory_changes;
  try {
    engine = new Engine(*preloaded->descriptors);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
  ossloop::device::Endpoint::set_holder(holds);
  ossloop::base::set_log_guard([](int fd) { return engine->open_files().find(fd) == nullptr; });
  return &kEngineCalls;
}
