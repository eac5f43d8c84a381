#include "shim/engine/open_files.h"

#include <errno.h>
#include <fcntl.h>

#include <algorithm>
#include <functional>
#include <new>
#include <utility>

#include "base/host.h"
#include "base/scoped_block.h"
#include "base/signal_mask.h"
#include "base/signals.h"
#include "base/sys.h"
#include "device/device_thread.h"
#include "device/sync_group.h"
#include "device/unsettled_fd.h"
#include "shim/engine/engine_heap.h"

namespace ossloop::shim {

using base::sys;

namespace {

// To have a number to ourselves, of which other threads make something else all the time.
constexpr int kMostAttempts = 1000;

}  // namespace

Call::Call(const OpenFiles& open_files, int fd) {
  for (;;) {
    handle_ = open_files.find(fd);
    if (handle_ == nullptr && open_files.await_change(fd)) continue;
    if (handle_ == nullptr) return;
    handle_->calls.fetch_add(1);
    const bool still = open_files.find(fd) == handle_;
    if (still && handle_->file != nullptr) {
      if (base::has_had_handlers.load(std::memory_order_relaxed)) base::set_kept(handle_);
      return;
    }
    handle_->calls.fetch_sub(1);
    handle_ = nullptr;
    if (still) return;
  }
}

Call::Call(Handle& handle) {
  handle.calls.fetch_add(1);
  if (handle.descriptors.load() == 0 || handle.file == nullptr) {
    handle.calls.fetch_sub(1);
    return;
  }
  handle_ = &handle;
  if (base::has_had_handlers.load(std::memory_order_relaxed)) base::set_kept(handle_);
}

Call::~Call() {
  if (handle_ == nullptr) return;
  if (base::has_had_handlers.load(std::memory_order_relaxed)) base::set_kept(nullptr);
  handle_->calls.fetch_sub(1);
}

OpenFiles::OpenFiles(DescriptorTable& table) : table_(table) {}

// What the opens held that have ended and that no call is inside of any more.
std::vector<std::unique_ptr<OpenFile>> OpenFiles::take_ended() {
  std::vector<std::unique_ptr<OpenFile>> ended;
  std::lock_guard lock(mutex_);
  for (Handle& handle : handles_) {
    if (handle.descriptors.load() != 0 || handle.file == nullptr) continue;
    if (handle.file->settled() && handle.end()) ended.push_back(std::move(handle.file));
  }
  return ended;
}

void OpenFiles::add(int fd, std::unique_ptr<OpenFile> file) {
  if (!base::own_process()) return;
  for (const auto& ended : take_ended()) mapped_ranges_.forget(*ended);
  std::lock_guard lock(mutex_);
  const auto is_free = [](const Handle& handle) {
    return handle.descriptors.load() == 0 && handle.calls.load() == 0 && handle.file == nullptr;
  };
  const auto found = std::ranges::find_if(handles_, is_free);
  Handle& free = found != handles_.end() ? *found : handles_.emplace_back();
  free.file = std::move(file);
  free.file->lend_by(free.played, free.recorded);
  free.descriptors.store(1);  // taken, before anybody else looks for a free one
  table_.set(fd, &free);
}

bool OpenFiles::add_to(int fd, const std::function<bool(OpenFile&)>& same) {
  if (!base::own_process()) return false;
  std::lock_guard lock(mutex_);
  for (Handle& handle : handles_) {
    if (handle.descriptors.load() == 0 || handle.file == nullptr || !same(*handle.file)) continue;
    handle.descriptors.fetch_add(1);
    table_.set(fd, &handle);
    return true;
  }
  return false;
}

// Has the kernel put something else at `fd`, in the way given, or nothing. Calls of other threads
// on it come before, or wait until it is done. `next`: what the kernel finds there then, if ours.
// One that has been left meanwhile is found again by its descriptor.
int OpenFiles::change(int fd, const std::function<int()>& change_number, Handle* next,
                      bool still_open) {
  const base::ScopedCancelDisable whole;
  // In a child of vfork() the table is the parent's: only the kernel's changes.
  if (!base::own_process()) return change_number();
  // As long as another thread is here first.
  for (int attempt = 0; attempt < kMostAttempts; ++attempt) {
    std::uintptr_t before = 0;
    Call call(*this, fd);
    if (!table_.begin_change(fd, call.handle(), before)) continue;
    if (call && call.handle() != next) return leave(call, fd, change_number, next, still_open);
    const int result = change_number();
    if (result < 0 || call) {
      table_.undo_change(fd, before);
    } else {
      end_change(fd, next);
    }
    return result;
  }
  return change_number();
}

// Who waited too long has found `next` there by itself.
void OpenFiles::end_change(int fd, Handle* next) {
  const bool kept = next != nullptr && next->keep();
  if (!table_.end_change(fd, kept ? next : nullptr) && kept) next->descriptors.fetch_sub(1);
}

// The change has begun. With the last descriptor the open is left.
int OpenFiles::leave(Call& call, int fd, const std::function<int()>& change_number, Handle* next,
                     bool still_open) {
  int result = 0;
  bool closed = false;
  const auto close_it = [&] {
    closed = true;
    result = change_number();
    end_change(fd, result >= 0 ? next : nullptr);
  };
  try {
    // By reference: a copy of it would be allocated.
    if (call.handle()->descriptors.fetch_sub(1) > 1) {
      call.file().close_one(std::ref(close_it));
      return result;
    }
    mapped_ranges_.forget(call.file());
    call.file().leave(still_open ? fd : -1, std::ref(close_it));
  } catch (const std::bad_alloc&) {
    // The kernel ends what we could not: it drops the claim.
    if (!closed) close_it();
  }
  return result;
}

int OpenFiles::close(int fd) {
  return change(fd, [fd] { return sys().close(fd); });
}

// The kernel closes what it replaces only where it can replace it: a call that must fail
// ends no stream.
int OpenFiles::replace(int source, int fd, int flags) {
  if ((flags & ~O_CLOEXEC) != 0) return -EINVAL;
  if (const int error = sys().fcntl(source, F_GETFD, 0); error < 0) return error;
  const auto duplicate = [&] { return sys().dup3(source, fd, flags); };
  if (source == fd) return duplicate();
  return change(fd, std::ref(duplicate), table_.handle(source));
}

bool OpenFiles::settle() {
  bool any = false;
  std::lock_guard lock(mutex_);
  for (Handle& handle : handles_) {
    if (handle.file == nullptr || handle.file->settled()) continue;
    handle.file->settle();
    any = any || handle.file->settled();
  }
  return any;
}

void OpenFiles::duplicated(int source, int fd) {
  if (!base::own_process()) return;
  Call call(*this, source);
  if (!call) return;
  call.handle()->descriptors.fetch_add(1);
  table_.set(fd, call.handle());
}

void OpenFiles::lost(int fd) {
  if (base::own_process())
    change(
        fd, [] { return 0; }, nullptr, false);
}

void OpenFiles::before_fork() {
  // Several threads may be on their way in.
  const std::uint64_t mask = base::hold_signals();
  mapped_ranges_.before_fork();
  mutex_.lock();
  mask_at_fork_ = mask;
  device::SyncGroups::instance().before_fork();
  for (Handle& handle : handles_) {
    if (handle.file == nullptr) continue;
    handle.file->before_fork();
    handle.locked_for_fork = true;
  }
  device::UnsettledFd::before_fork();
  device::DeviceThread::instance().before_fork();
  heap_before_fork();
}

void OpenFiles::after_fork(bool child) {
  heap_after_fork(child);
  if (child) {
    base::forget_thread();
    device::DeviceThread::instance().after_fork_in_child();
  } else {
    device::DeviceThread::instance().after_fork_in_parent();
  }
  device::UnsettledFd::after_fork(child);
  for (Handle& handle : handles_) {
    if (std::exchange(handle.locked_for_fork, false)) handle.file->after_fork(child);
    if (child) handle.calls.store(0);
  }
  device::SyncGroups::instance().after_fork();
  const std::uint64_t mask = mask_at_fork_;
  mutex_.unlock();
  mapped_ranges_.after_fork();
  base::set_signal_mask(mask);
}

void OpenFiles::close_all() {
  if (!base::own_process()) return;
  device::Endpoint::process_ends();
  {
    std::lock_guard lock(mutex_);
    for (Handle& handle : handles_) {
      if (handle.file != nullptr) handle.file->stop_lingering();
    }
  }
  for (int fd = 0; fd <= table_.highest(); ++fd) {
    if (table_.ours(fd)) close(fd);
  }
}

}  // namespace ossloop::shim
