#include "shim/engine/mapped_ranges.h"

#include <errno.h>

#include <utility>

#include "base/scoped_block.h"

namespace ossloop::shim {

bool Maps::overlaps(std::uintptr_t begin, std::uintptr_t end) const {
  if (count_.load(std::memory_order_acquire) == 0) return false;
  for (const Map& map : maps_) {
    if (map.begin.load(std::memory_order_relaxed) < end &&
        begin < map.end.load(std::memory_order_relaxed)) {
      return true;
    }
  }
  return false;
}

Maps::Map* Maps::free_one() {
  for (Map& map : maps_) {
    if (map.end.load(std::memory_order_relaxed) == 0) return &map;
  }
  return nullptr;
}

void* Maps::add(OpenFile& file, int fd, const device::MapRequest& request, int& error) {
  std::lock_guard lock(mutex_);
  Map* map = free_one();
  error = map == nullptr ? -ENOMEM : 0;
  if (error != 0) return nullptr;
  int which = 0;
  void* address = file.map(fd, request, which, error);
  if (error != 0) return nullptr;
  constexpr std::uintptr_t kPage = 4096;
  const auto begin = reinterpret_cast<std::uintptr_t>(address);
  map->file = &file;
  map->which = which;
  map->begin.store(begin, std::memory_order_relaxed);
  map->end.store(begin + (request.bytes + kPage - 1) / kPage * kPage, std::memory_order_relaxed);
  count_.fetch_add(1, std::memory_order_release);
  return address;
}

void Maps::drop(Map& map) {
  map.end.store(0, std::memory_order_relaxed);
  map.begin.store(0, std::memory_order_relaxed);
  count_.fetch_sub(1, std::memory_order_release);
  OpenFile* const file = std::exchange(map.file, nullptr);
  if (file != nullptr) release(*file, map.which);
}

void Maps::release(OpenFile& file, int which) {
  for (const Map& map : maps_) {
    if (map.file == &file && map.which == which) return;
  }
  file.unmap(which);
}

void Maps::remove(std::uintptr_t begin, std::uintptr_t end) {
  const base::ScopedCancelDisable whole;
  std::lock_guard lock(mutex_);
  for (Map& map : maps_) {
    const std::uintptr_t from = map.begin.load(std::memory_order_relaxed);
    const std::uintptr_t to = map.end.load(std::memory_order_relaxed);
    if (from >= end || begin >= to) continue;
    if (begin <= from && to <= end) {
      drop(map);
    } else if (begin <= from) {
      map.begin.store(end, std::memory_order_relaxed);
    } else if (to <= end) {
      map.end.store(begin, std::memory_order_relaxed);
    }
    // A hole in the middle leaves both ends.
  }
}

void Maps::move(std::uintptr_t begin, std::uintptr_t end, std::uintptr_t to, std::size_t bytes) {
  std::lock_guard lock(mutex_);
  for (Map& map : maps_) {
    if (map.begin.load(std::memory_order_relaxed) != begin ||
        map.end.load(std::memory_order_relaxed) < end) {
      continue;
    }
    map.begin.store(to, std::memory_order_relaxed);
    map.end.store(to + bytes, std::memory_order_relaxed);
  }
}

void Maps::forget(OpenFile& file) {
  std::lock_guard lock(mutex_);
  for (Map& map : maps_) {
    if (map.file == &file) map.file = nullptr;
  }
}

}  // namespace ossloop::shim
