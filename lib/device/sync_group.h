// SNDCTL_DSP_SYNCGROUP: opens of this process that wait to start together.
#pragma once

#include <cstdint>
#include <mutex>
#include <vector>

namespace ossloop::device {

class Endpoint;

class SyncGroups {
 public:
  static SyncGroups& instance();

  // Holds the directions of an open back until the group starts. `id` 0 makes a
  // group. The group's number; -EINVAL: no such group, or no direction; -ENOTSUP: a
  // direction the open has not; -EBUSY: it waits in another one.
  int join(int id, Endpoint& endpoint, int fd, std::uint32_t directions);
  // Starts all members at one moment and dissolves the group. -EINVAL: no such.
  int start(int id);
  // The open ends; so does a group that nobody is left in.
  void forget(const Endpoint& endpoint);

  void before_fork() { mutex_.lock(); }
  void after_fork() { mutex_.unlock(); }

 private:
  struct Member {
    int group;
    Endpoint* endpoint;
    int fd;
    std::uint32_t directions;
  };

  std::mutex mutex_;
  std::vector<Member> members_;
  int last_id_ = 0;
};

}  // namespace ossloop::device
