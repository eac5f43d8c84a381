#include "shim/engine/mapped_ranges.h"

#include <errno.h>

#include <utility>

#include "base/scoped_block.h"

namespace ossloop::shim {

bool MappedRanges::overlaps(std::uintptr_t begin, std::uintptr_t end) const {
  if (count_.load(std::memory_order_acquire) == 0) return false;
  for (const Range& range : ranges_) {
    if (range.begin.load(std::memory_order_relaxed) < end &&
        begin < range.end.load(std::memory_order_relaxed)) {
      return true;
    }
  }
  return false;
}

MappedRanges::Range* MappedRanges::free_one() {
  for (Range& range : ranges_) {
    if (range.end.load(std::memory_order_relaxed) == 0) return &range;
  }
  return nullptr;
}

void* MappedRanges::add(OpenFile& file, int fd, const device::MapRequest& request, int& error) {
  std::lock_guard lock(mutex_);
  Range* range = free_one();
  error = range == nullptr ? -ENOMEM : 0;
  if (error != 0) return nullptr;
  int which = 0;
  void* address = file.map(fd, request, which, error);
  if (error != 0) return nullptr;
  constexpr std::uintptr_t kPage = 4096;
  const auto begin = reinterpret_cast<std::uintptr_t>(address);
  range->file = &file;
  range->which = which;
  range->begin.store(begin, std::memory_order_relaxed);
  range->end.store(begin + (request.bytes + kPage - 1) / kPage * kPage, std::memory_order_relaxed);
  count_.fetch_add(1, std::memory_order_release);
  return address;
}

void MappedRanges::drop(Range& range) {
  range.end.store(0, std::memory_order_relaxed);
  range.begin.store(0, std::memory_order_relaxed);
  count_.fetch_sub(1, std::memory_order_release);
  OpenFile* const file = std::exchange(range.file, nullptr);
  if (file != nullptr) release(*file, range.which);
}

void MappedRanges::release(OpenFile& file, int which) {
  for (const Range& range : ranges_) {
    if (range.file == &file && range.which == which) return;
  }
  file.unmap(which);
}

void MappedRanges::remove(std::uintptr_t begin, std::uintptr_t end) {
  const base::ScopedCancelDisable whole;
  std::lock_guard lock(mutex_);
  for (Range& range : ranges_) {
    const std::uintptr_t from = range.begin.load(std::memory_order_relaxed);
    const std::uintptr_t to = range.end.load(std::memory_order_relaxed);
    if (from >= end || begin >= to) continue;
    if (begin <= from && to <= end) {
      drop(range);
    } else if (begin <= from) {
      range.begin.store(end, std::memory_order_relaxed);
    } else if (to <= end) {
      range.end.store(begin, std::memory_order_relaxed);
    }
    // A hole in the middle leaves both ends.
  }
}

void MappedRanges::move(std::uintptr_t begin, std::uintptr_t end, std::uintptr_t to,
                        std::size_t bytes) {
  std::lock_guard lock(mutex_);
  for (Range& range : ranges_) {
    if (range.begin.load(std::memory_order_relaxed) != begin ||
        range.end.load(std::memory_order_relaxed) < end) {
      continue;
    }
    range.begin.store(to, std::memory_order_relaxed);
    range.end.store(to + bytes, std::memory_order_relaxed);
  }
}

void MappedRanges::forget(OpenFile& file) {
  std::lock_guard lock(mutex_);
  for (Range& range : ranges_) {
    if (range.file == &file) range.file = nullptr;
  }
}

}  // namespace ossloop::shim
