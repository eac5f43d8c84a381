#include "device/sync_group.h"

#include <errno.h>

#include <new>

#include "base/sys.h"
#include "device/endpoint.h"

namespace ossloop::device {

SyncGroups& SyncGroups::instance() {
  // Never destroyed: the program's other threads run until the very end.
  alignas(SyncGroups) static unsigned char place[sizeof(SyncGroups)];
  static SyncGroups* const groups = new (place) SyncGroups;
  return *groups;
}

int SyncGroups::join(int id, Endpoint& endpoint, int fd, std::uint32_t directions) {
  directions &= kReadWrite;
  if (directions == 0) return -EINVAL;
  if ((directions & ~endpoint.access()) != 0) return -ENOTSUP;
  std::lock_guard lock(mutex_);
  if (id != 0 && std::ranges::find(members_, id, &Member::group) == members_.end()) return -EINVAL;
  const auto known = std::ranges::find(members_, &endpoint, &Member::endpoint);
  if (known != members_.end()) {
    if (known->group != id) return -EBUSY;
    known->directions |= directions;
  } else {
    if (id == 0) id = last_id_ = last_id_ % 0x7fffffff + 1;
    members_.push_back({id, &endpoint, fd, directions});
  }
  endpoint.hold(fd, directions);
  return id;
}

int SyncGroups::start(int id) {
  std::lock_guard lock(mutex_);
  const auto first = std::partition(members_.begin(), members_.end(),
                                    [&](const Member& member) { return member.group != id; });
  if (first == members_.end()) return -EINVAL;
  const std::int64_t now_ns = base::sys().now_ns();
  std::for_each(first, members_.end(), [&](const Member& member) {
    member.endpoint->release(member.fd, member.directions, now_ns);
  });
  members_.erase(first, members_.end());
  return 0;
}

void SyncGroups::forget(const Endpoint& endpoint) {
  std::lock_guard lock(mutex_);
  std::erase_if(members_, [&](const Member& member) { return member.endpoint == &endpoint; });
}

}  // namespace ossloop::device
