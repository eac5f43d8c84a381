// The opens of this process, and which descriptors lead to them.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "base/keep.h"
#include "device/allowance.h"
#include "shim/descriptor_table.h"
#include "shim/engine/mapped_ranges.h"
#include "shim/engine/open_file.h"

namespace ossloop::shim {

// One open. A handle's memory is never given back, so that a thread that read its
// address from the table may always count itself in. What it held lives on, after the
// last close, until the next open: a close in a signal handler may not free memory.
struct Handle : base::Kept {
  std::atomic<std::uint32_t> descriptors{0};  // in the table
  // One more descriptor; false if the last one has gone meanwhile.
  bool keep() {
    std::uint32_t count = descriptors.load();
    while (count != 0) {
      if (descriptors.compare_exchange_weak(count, count + 1)) return true;
    }
    return false;
  }
  bool locked_for_fork = false;
  device::Allowance played, recorded;
  std::unique_ptr<OpenFile> file;
};

class Call;

class OpenFiles {
 public:
  explicit OpenFiles(DescriptorTable& table);

  // `fd` is a new open. In the child of a vfork() it is forgotten at once: the table is
  // the parent's, and the program that the child becomes finds the open by itself.
  void add(int fd, std::unique_ptr<OpenFile> file);
  // `fd` is one more descriptor of an open that `same` recognises. False if
  // there is none.
  bool add_to(int fd, const std::function<bool(OpenFile&)>& same);

  // Close, or replacement by dup2; the last descriptor takes the open with it.
  int close(int fd);
  int replace(int source, int fd, int flags);
  void duplicated(int source, int fd);
  // The number is somebody else's by now; the open loses it.
  void lost(int fd);
  // For an open that finds its device busy: a close that a signal handler left may be done.
  // False if there is none.
  bool settle();
  // At exit: what the program left open is closed as it would have been.
  void close_all();

  MappedRanges& mapped_ranges() { return mapped_ranges_; }
  Handle* find(int fd) const { return table_.handle(fd); }
  bool await_change(int fd) const {
    return table_.in_change(fd) && (table_.await_change(fd), true);
  }

  void before_fork();
  void after_fork(bool child);

 private:
  int change(int fd, const std::function<int()>& change_number, Handle* next = nullptr,
             bool still_open = true);
  void end_change(int fd, Handle* next);
  int leave(Call& call, int fd, const std::function<int()>& change_number, Handle* next,
            bool still_open);
  std::vector<std::unique_ptr<OpenFile>> take_ended();

  DescriptorTable& table_;
  std::mutex mutex_;  // the list below
  std::deque<Handle> handles_;
  MappedRanges mapped_ranges_;
  std::uint64_t mask_at_fork_ = 0;  // of the thread that forks, under mutex_
};

// A call in progress on an open: keeps it alive.
class Call {
 public:
  Call(const OpenFiles& open_files, int fd);
  // On the open itself, whatever has become of its descriptors; on none if it has ended.
  explicit Call(Handle& handle);
  ~Call();
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  explicit operator bool() const { return handle_ != nullptr; }
  OpenFile& file() const { return *handle_->file; }
  Handle* handle() const { return handle_; }

 private:
  Handle* handle_ = nullptr;
};

}  // namespace ossloop::shim
