#include "shim/spawn_actions.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "shim/paths/path_lookup.h"

namespace ossloop::shim {
namespace {

// How glibc keeps an action. The structure is not public; opens_device() believes
// it only after a look at one that it made itself.
struct Action {
  enum Kind : int {
    kClose,
    kDup2,
    kOpen,
    kChangeFolder,
    kChangeFolderTo,
    kCloseFrom,
    kTerminal
  } kind;
  union {
    struct {
      int fd;
    } close;
    struct {
      int fd, to;
    } dup2;
    struct {
      int fd;
      char* path;
      int flags;
      mode_t mode;
    } open;
    struct {
      char* path;
    } change_folder;
  };
};

Action& action_of(const posix_spawn_file_actions_t& actions, int index) {
  return reinterpret_cast<Action*>(actions.__actions)[index];
}

bool layout_is_known() {
  static std::atomic<int> known{-1};
  if (known.load() >= 0) return known.load() != 0;
  posix_spawn_file_actions_t sample;
  ::posix_spawn_file_actions_init(&sample);
  bool right = ::posix_spawn_file_actions_adddup2(&sample, 3, 5) == 0 &&
               ::posix_spawn_file_actions_addopen(&sample, 7, "/x", O_WRONLY, 0600) == 0 &&
               sample.__used == 2;
  if (right) {
    const Action &first = action_of(sample, 0), &second = action_of(sample, 1);
    right = first.kind == Action::kDup2 && first.dup2.fd == 3 && first.dup2.to == 5 &&
            second.kind == Action::kOpen && second.open.fd == 7 &&
            ::strcmp(second.open.path, "/x") == 0 && second.open.flags == O_WRONLY &&
            second.open.mode == 0600;
  }
  ::posix_spawn_file_actions_destroy(&sample);
  known.store(right ? 1 : 0);
  return right;
}

bool is_device(const Action& action) {
  if (action.kind != Action::kOpen) return false;
  PathLookup place;
  look_up(AT_FDCWD, action.open.path, FollowLinks::kYes, place);
  if (!place.ours) resolve_after_enoent(AT_FDCWD, action.open.path, FollowLinks::kYes, place);
  return place.ours && folder_of(place.name) == Folder::kNone;
}

// The highest number that it names.
int highest_of(const Action& action) {
  switch (action.kind) {
    case Action::kDup2:
      return action.dup2.fd > action.dup2.to ? action.dup2.fd : action.dup2.to;
    case Action::kOpen:
      return action.open.fd;
    case Action::kChangeFolder:
      return -1;
    default:
      return action.close.fd;
  }
}

// Adds the action as it is. False: one that we do not know.
int add(posix_spawn_file_actions_t* actions, const Action& action) {
  switch (action.kind) {
    case Action::kClose:
      return ::posix_spawn_file_actions_addclose(actions, action.close.fd);
    case Action::kDup2:
      return ::posix_spawn_file_actions_adddup2(actions, action.dup2.fd, action.dup2.to);
    case Action::kOpen:
      return ::posix_spawn_file_actions_addopen(actions, action.open.fd, action.open.path,
                                                action.open.flags, action.open.mode);
    case Action::kChangeFolder:
      return ::posix_spawn_file_actions_addchdir_np(actions, action.change_folder.path);
    case Action::kChangeFolderTo:
      return ::posix_spawn_file_actions_addfchdir_np(actions, action.close.fd);
    case Action::kCloseFrom:
      return ::posix_spawn_file_actions_addclosefrom_np(actions, action.close.fd);
    case Action::kTerminal:
      return ::posix_spawn_file_actions_addtcsetpgrp_np(actions, action.close.fd);
    default:
      return EINVAL;
  }
}

}  // namespace

bool opens_device(const posix_spawn_file_actions_t& actions) {
  const int saved = errno;
  bool found = false;
  if (layout_is_known()) {
    for (int i = 0; i < actions.__used && !found; ++i) found = is_device(action_of(actions, i));
  }
  errno = saved;
  return found;
}

SpawnActions::SpawnActions(const posix_spawn_file_actions_t& original) {
  ::posix_spawn_file_actions_init(&actions_);
  int first_free = 0;
  for (int i = 0; i < original.__used; ++i) {
    const int number = highest_of(action_of(original, i));
    first_free = number >= first_free ? number + 1 : first_free;
  }
  for (int i = 0; i < original.__used && error_ == 0; ++i) {
    const Action& action = action_of(original, i);
    if (is_device(action) && count_ < kMost)
      open_here(i, action.open.path, action.open.flags, first_free);
  }
  int next = 0;
  for (int i = 0; i < original.__used && error_ == 0; ++i) {
    const Action& action = action_of(original, i);
    if (next < count_ && opened_[next].action == i) {
      error_ = ::posix_spawn_file_actions_adddup2(&actions_, opened_[next++].fd, action.open.fd);
    } else if (action.kind == Action::kCloseFrom) {
      close_from(action.close.fd);
    } else {
      error_ = add(&actions_, action);
    }
  }
}

// Under a number that no action touches until it is the one that is asked for.
void SpawnActions::open_here(int action, const char* path, int flags, int first_free) {
  const int low = ::open(path, flags | O_CLOEXEC);
  int fd = low;
  if (low >= 0 && low < first_free) {
    fd = ::fcntl(low, F_DUPFD_CLOEXEC, first_free);
    error_ = fd < 0 ? errno : 0;
    ::close(low);
  }
  if (low < 0) error_ = errno;
  if (fd >= 0) opened_[count_++] = {action, fd};
}

// What is opened here stays; it closes itself when the child becomes its program.
void SpawnActions::close_from(int first) {
  int end = first;
  for (int i = 0; i < count_; ++i) end = opened_[i].fd >= end ? opened_[i].fd + 1 : end;
  for (int fd = first; fd < end && error_ == 0; ++fd) {
    bool stays = false;
    for (int i = 0; i < count_; ++i) stays = stays || opened_[i].fd == fd;
    if (!stays) error_ = ::posix_spawn_file_actions_addclose(&actions_, fd);
  }
  if (error_ == 0) error_ = ::posix_spawn_file_actions_addclosefrom_np(&actions_, end);
}

SpawnActions::~SpawnActions() {
  const int saved = errno;
  for (int i = 0; i < count_; ++i) ::close(opened_[i].fd);
  ::posix_spawn_file_actions_destroy(&actions_);
  errno = saved;
}

}  // namespace ossloop::shim
