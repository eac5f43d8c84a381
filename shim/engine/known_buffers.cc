#include "shim/engine/known_buffers.h"

#include <atomic>
#include <cstdint>

#include "base/sys.h"
#include "shim/engine/engine.h"

namespace ossloop::shim {
namespace {

struct Known {
  struct Range {
    std::uintptr_t begin = 0, end = 0;
    bool writable = false;
  };
  Range ranges[4];
  unsigned oldest = 0;
  unsigned seen_changes = 0;
  unsigned long changes = 0;  // of this
};
thread_local Known known;

bool is_known(std::uintptr_t begin, std::uintptr_t end, bool writing_to_it) {
  for (const Known::Range& range : known.ranges) {
    if (begin >= range.begin && end <= range.end && (range.writable || !writing_to_it)) return true;
  }
  return false;
}

}  // namespace

bool usable(const void* data, std::size_t bytes, bool writing_to_it) {
  constexpr std::uintptr_t kPage = 4096;
  const auto begin = reinterpret_cast<std::uintptr_t>(data);
  const std::uintptr_t end = begin + bytes;
  if (bytes == 0) return true;
  if (end < begin) return false;
  if (const unsigned changes = memory_changes->load(std::memory_order_acquire);
      changes != known.seen_changes) {
    ++known.changes;
    for (Known::Range& range : known.ranges) range = {};
    known.seen_changes = changes;
  }
  if (is_known(begin, end, writing_to_it)) return true;
  for (std::uintptr_t at = begin; at < end; at = (at / kPage + 1) * kPage) {
    char byte;
    auto* place = reinterpret_cast<char*>(at);
    if (base::sys().copy_from_user(&byte, place, 1) < 0) return false;
    if (writing_to_it && base::sys().copy_to_user(place, &byte, 1) < 0) return false;
  }
  ++known.changes;
  known.ranges[known.oldest++ % 4] = {begin / kPage * kPage, (end + kPage - 1) / kPage * kPage,
                                      writing_to_it};
  return true;
}

bool known_usable(const void* data, std::size_t bytes, bool writing_to_it) {
  const auto begin = reinterpret_cast<std::uintptr_t>(data);
  const std::uintptr_t end = begin + bytes;
  const volatile unsigned long& changes = known.changes;
  const unsigned long before = changes;
  std::atomic_signal_fence(std::memory_order_seq_cst);
  const bool found = end >= begin && is_known(begin, end, writing_to_it);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  return found && changes == before &&
         memory_changes->load(std::memory_order_acquire) == known.seen_changes;
}

}  // namespace ossloop::shim
