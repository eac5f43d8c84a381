// Calls of libc that open, exchange and close descriptors inside, on the way to
// another process.
#include <fcntl.h>
#include <pty.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <utmp.h>

#include "shim/paths/path_lookup.h"
#include "shim/real.h"
#include "shim/spawn_actions.h"

namespace {

using namespace ossloop::shim;

// The three stand for something else now.
void standard_numbers_replaced() {
  for (int fd = 0; fd < 3; ++fd) reclassify(fd);
}

// What the child would open is opened here, where we see it, and handed down.
template <typename Next>
int spawn_or(const posix_spawn_file_actions_t* actions, Next next) {
  if (actions == nullptr || !opens_device(*actions)) return next(actions);
  SpawnActions changed(*actions);
  const int error = changed.error();
  return error != 0 ? error : next(changed.get());
}

}  // namespace

OSSLOOP_EXPORT int daemon(int keep_folder, int keep_streams) noexcept {
  const int result = OSSLOOP_REAL(daemon)(keep_folder, keep_streams);
  if (result == 0 && keep_folder == 0) working_folder_changed();
  if (result == 0 && keep_streams == 0) standard_numbers_replaced();
  return result;
}
OSSLOOP_EXPORT int login_tty(int fd) noexcept {
  const bool ours = is_ours(fd);
  const int result = OSSLOOP_REAL(login_tty)(fd);
  if (result == 0 && !ours) standard_numbers_replaced();
  return result;
}
OSSLOOP_EXPORT int forkpty(int* master, char* name, const termios* settings,
                           const winsize* size) noexcept {
  const int child = OSSLOOP_REAL(forkpty)(master, name, settings, size);
  if (child == 0) standard_numbers_replaced();
  if (child > 0) register_foreign(*master);
  return child;
}

OSSLOOP_EXPORT pid_t _Fork() noexcept {
  begin_process();
  before_fork();
  const pid_t child = OSSLOOP_REAL(_Fork)();
  child == 0 ? after_fork_in_child() : after_fork_in_parent();
  return child;
}

OSSLOOP_EXPORT int posix_spawn(pid_t* child, const char* path,
                               const posix_spawn_file_actions_t* actions,
                               const posix_spawnattr_t* attributes, char* const* words,
                               char* const* environment) {
  return spawn_or(actions, [&](const posix_spawn_file_actions_t* with) {
    return OSSLOOP_REAL(posix_spawn)(child, path, with, attributes, words, environment);
  });
}
OSSLOOP_EXPORT int posix_spawnp(pid_t* child, const char* file,
                                const posix_spawn_file_actions_t* actions,
                                const posix_spawnattr_t* attributes, char* const* words,
                                char* const* environment) {
  return spawn_or(actions, [&](const posix_spawn_file_actions_t* with) {
    return OSSLOOP_REAL(posix_spawnp)(child, file, with, attributes, words, environment);
  });
}
