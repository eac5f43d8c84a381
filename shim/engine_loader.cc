#include "shim/engine_loader.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/signal_mask.h"
#include "shim/abort.h"
#include "shim/stdio_streams.h"

namespace ossloop::shim {

constinit DescriptorTable descriptors{};

namespace {

// The file is there from the start, so each thread has it without asking for memory.
__attribute__((tls_model("initial-exec"))) thread_local constinit base::ThreadNote thread_note;

// The process whose memory this is: all but the child of a vfork().
constinit std::atomic<pid_t> process{0};

Preloaded preloaded{
    .descriptors = &descriptors,
    .own_process = own_process,
    .thread_note = []() -> base::ThreadNote& { return thread_note; },
    .memory_changes = &memory_changes,
};

constexpr long kPipeFs = 0x50495045;

// The text of sndstat lies in a file without a name that is sealed for good; what
// it was called when it was made still stands in /proc.
bool is_sndstat_text(int fd, const struct stat& status) {
  static const char kTarget[] = "/memfd:ossloop-sndstat";
  static const char kFolder[] = "/proc/self/fd/";
  if (!S_ISREG(status.st_mode) || status.st_nlink != 0) return false;
  const int saved = errno;
  char link[sizeof kFolder + 12], target[sizeof kTarget];
  char* digit = link + sizeof link - 1;
  *digit = '\0';
  do {
    *--digit = static_cast<char>('0' + fd % 10);
  } while ((fd /= 10) > 0);
  char* const path = digit - (sizeof kFolder - 1);
  ::memcpy(path, kFolder, sizeof kFolder - 1);
  const bool named =
      ::syscall(SYS_readlinkat, AT_FDCWD, path, target, sizeof target - 1) == sizeof target - 1 &&
      ::memcmp(target, kTarget, sizeof target - 1) == 0;
  errno = saved;
  return named;
}

std::atomic<const EngineApi*> engine_in_use{nullptr};
std::atomic<bool> engine_missing{false};
pthread_mutex_t loading = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

void say(const char* a, const char* b, const char* c) {
  char line[512];
  size_t used = 0;
  for (const char* part : {"ossloop: ", a, b, c, "\n"}) {
    for (; *part != '\0' && used < sizeof line; ++part) line[used++] = *part;
  }
  // Nobody may read it any more.
  constexpr std::uint64_t kPipe = base::signal_bit(SIGPIPE);
  const std::uint64_t before = base::change_signal_mask(SIG_BLOCK, kPipe);
  const std::uint64_t pending = base::pending_signals() & kPipe;
  ::syscall(SYS_write, STDERR_FILENO, line, used);
  if (pending == 0) base::take_signals(kPipe);
  base::set_signal_mask(before);
}

constexpr char kEngineFile[] = "ossloop/libossloop-engine.so";

// Beside the preloaded file, as an absolute path: a name that LD_PRELOAD or
// LD_LIBRARY_PATH gave is seen from where the program began.
char engine_path[PATH_MAX];
bool engine_path_known = false;

void find_engine() {
  Dl_info here;
  if (::dladdr(reinterpret_cast<void*>(&load_engine), &here) == 0) return;
  // Without a folder in it: found by way of an empty word of LD_LIBRARY_PATH.
  const char* const slash = ::strrchr(here.dli_fname, '/');
  size_t used = 0;
  if (*here.dli_fname != '/') {
    const int saved = errno;
    const long bytes = ::syscall(SYS_getcwd, engine_path, sizeof engine_path);
    errno = saved;
    // A folder that is out of reach has no path.
    if (bytes <= 1 || *engine_path != '/') return;
    used = static_cast<size_t>(bytes) - 1;
    if (used + 1 < sizeof engine_path) engine_path[used++] = '/';
  }
  const size_t folder = slash != nullptr ? static_cast<size_t>(slash - here.dli_fname) + 1 : 0;
  if (used + folder + sizeof kEngineFile > sizeof engine_path) return;
  ::memcpy(engine_path + used, here.dli_fname, folder);
  ::memcpy(engine_path + used + folder, kEngineFile, sizeof kEngineFile);
  engine_path_known = true;
}

const EngineApi* open_engine(bool& again) {
  begin_process();
  const char* const path = engine_path;
  if (!engine_path_known) {
    say("the folder of libossloop.so is unknown; preload it by an absolute path", "", "");
    return nullptr;
  }
  // A program at its limit of descriptors or memory may have more later.
  const long fd = ::syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
  if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM)) {
    again = true;
    return nullptr;
  }
  if (fd >= 0) ::syscall(SYS_close, fd);
  void* library = ::dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    say("cannot load the engine: ", ::dlerror(), "");
    return nullptr;
  }
  auto entry = reinterpret_cast<EngineEntry>(::dlsym(library, kEngineEntryName));
  const EngineApi* api = entry != nullptr ? entry(&preloaded) : nullptr;
  if (api == nullptr || api->version != kEngineVersion) {
    say("the engine is of another version: ", path, "");
    return nullptr;
  }
  return api;
}

}  // namespace

[[noreturn]] void die_without(const char* name) {
  say("libc has no ", name, "");
  ::abort();
}

// Around fork(): a child that came while another thread loads the engine would wait for
// that thread for ever.
void before_fork() {
  ::pthread_mutex_lock(&loading);
  if (const EngineApi* engine = loaded_engine(); engine != nullptr) engine->before_fork();
}
void after_fork_in_parent() {
  if (const EngineApi* engine = loaded_engine(); engine != nullptr) engine->after_fork(false);
  ::pthread_mutex_unlock(&loading);
}
void after_fork_in_child() {
  process.store(::getpid());
  thread_note.id = 0;
  thread_note.borrowed = 0;
  descriptors.forget_changes();
  if (const EngineApi* engine = loaded_engine(); engine != nullptr) engine->after_fork(true);
  // Its owner, as the lock knows it, is the parent's thread.
  loading = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
}

void begin_process() {
  static std::atomic<bool> begun{false};
  if (begun.exchange(true)) return;
  process.store(::getpid());
  find_engine();
  ::pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}

bool own_process() {
  const pid_t known = process.load(std::memory_order_relaxed);
  return known == 0 || known == ::getpid();
}

base::ThreadNote& own_note() { return thread_note; }

bool in_device_thread() { return thread_note.device_thread; }

const EngineApi* loaded_engine() { return engine_in_use.load(std::memory_order_acquire); }

const EngineApi* load_engine() {
  if (const EngineApi* api = loaded_engine(); api != nullptr) return api;
  if (engine_missing.load()) return nullptr;
  const int saved = errno;
  // No handler may jump out of it, or it would be begun and never ended.
  const std::uint64_t mask = base::hold_signals();
  // Recursive: what the loader and the engine's libraries open comes back here.
  ::pthread_mutex_lock(&loading);
  static bool inside = false;
  const EngineApi* api = loaded_engine();
  if (api == nullptr && !inside && !engine_missing.load()) {
    inside = true;
    bool again = false;
    api = open_engine(again);
    inside = false;
    if (api != nullptr) {
      engine_in_use.store(api, std::memory_order_release);
      api->inspect_handlers();
    } else if (!again) {
      engine_missing.store(true);
    }
  }
  ::pthread_mutex_unlock(&loading);
  base::set_signal_mask(mask);
  errno = saved;
  return api;
}

int drop_stale(int fd) {
  // What the child of a vfork() opens is no number of its parent's.
  if (in_device_thread() || !own_process()) return fd;
  if (descriptors.ours(fd)) {
    loaded_engine()->lost(fd);
    number_changed(fd);
  } else {
    descriptors.set_foreign(fd);
  }
  return fd;
}

int reclassify(int fd) {
  if (fd < 0 || in_device_thread() || !own_process()) return fd;
  register_foreign(fd);
  descriptors.forget(fd);
  if (fd <= 2 && is_ours(fd)) number_changed(fd);
  return fd;
}

bool classify(int fd) {
  if (in_device_thread()) return false;
  descriptors.await_change(fd);
  if (descriptors.ours(fd)) return true;
  if (!descriptors.unknown(fd)) return false;
  struct stat status;
  if (::syscall(SYS_newfstatat, fd, "", &status, AT_EMPTY_PATH) != 0) {
    // Not open; what will make it so tells us. Closing every number costs no more.
    if (own_process()) descriptors.found_foreign(fd);
    return descriptors.ours(fd);
  }
  struct statfs system;
  // Anonymous pipes are FIFOs too, and common; named ones are rare.
  const bool candidate = is_sndstat_text(fd, status) ||
                         (S_ISFIFO(status.st_mode) && ::syscall(SYS_fstatfs, fd, &system) == 0 &&
                          system.f_type != kPipeFs);
  if (candidate) {
    const int saved = errno;
    const EngineApi* engine = load_engine();
    const bool ours = engine != nullptr && engine->adopt(fd);
    errno = saved;
    if (ours) return true;
  }
  // What the child of a vfork() has there is not what its parent has.
  if (!own_process()) return false;
  descriptors.found_foreign(fd);
  return descriptors.ours(fd);
}

}  // namespace ossloop::shim
