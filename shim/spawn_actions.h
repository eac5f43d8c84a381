// What posix_spawn() is told to do with descriptors in the child.
#pragma once

#include <spawn.h>

namespace ossloop::shim {

// Would the child open a device of ours?
bool opens_device(const posix_spawn_file_actions_t& actions);

// The same actions, with each device opened by this process, as close-on-exec,
// and handed to the child as a copy. What was opened is closed here again when
// the object goes: by then the child holds it.
class SpawnActions {
 public:
  explicit SpawnActions(const posix_spawn_file_actions_t& original);
  ~SpawnActions();
  SpawnActions(const SpawnActions&) = delete;
  SpawnActions& operator=(const SpawnActions&) = delete;

  // 0, or why a device could not be opened, as posix_spawn() returns it.
  int error() const { return error_; }
  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  static constexpr int kMost = 16;  // devices
  struct Opened {
    int action;  // by its place in the list
    int fd;
  };
  void open_here(int action, const char* path, int flags, int first_free);
  void close_from(int first);

  posix_spawn_file_actions_t actions_;
  Opened opened_[kMost];
  int count_ = 0;
  int error_ = 0;
};

}  // namespace ossloop::shim
