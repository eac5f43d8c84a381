#include "device/dead_opens.h"

#include "shm/claims.h"
#include "stream/halves.h"

namespace ossloop::device {

void forget_dead(const shm::RuntimeDirectory& folder, int instance, abi::Segment& segment,
                 abi::SideIndex side) {
  for (std::uint32_t slot = 0; slot < shm::slots_of(side); ++slot) {
    for (const Access way : {kRead, kWrite}) {
      abi::Half& half = half_of(segment, side, way, slot);
      std::uint64_t open = half.open.load(std::memory_order_acquire);
      if (!is_open(open)) continue;
      if (!shm::is_unheld(folder, instance, shm::place_of(half, side, slot))) continue;
      half.open.compare_exchange_strong(open, open & ~std::uint64_t{1});
    }
  }
}

}  // namespace ossloop::device
