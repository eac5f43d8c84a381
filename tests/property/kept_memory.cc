#include "kept_memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <vector>

#include "base/sys.h"

namespace ossloop::property {
namespace {

// More than the rings of any case; no memory is taken before it is written to.
constexpr std::int64_t kFileBytes = std::int64_t{1} << 30;
constexpr std::size_t kMostIdle = 64;

struct Mapped {
  std::int64_t offset;
  std::size_t bytes;
  void* address;
  bool players;
  bool buried;
};

bool keeping = true;
bool player_acts_now = false;
bool player_is_dead = false;
std::vector<Mapped> in_use, idle;

int fallocate(int fd, std::int64_t offset, std::int64_t bytes) {
  struct stat status {};
  const int result = base::kernel_sys().fstat(fd, &status);
  if (result != 0) return result;
  if (status.st_size >= kFileBytes) {
    return offset + bytes <= kFileBytes ? 0 : base::kernel_sys().fallocate(fd, offset, bytes);
  }
  const int reserved = base::kernel_sys().fallocate(fd, offset, bytes);
  return reserved != 0 ? reserved : base::kernel_sys().ftruncate(fd, kFileBytes);
}

void bury(Mapped& mapped, int fd) {
  mapped.buried = true;
  for (int half = 0; half < 2; ++half) {
    ::mmap(static_cast<std::byte*>(mapped.address) + static_cast<std::size_t>(half) * mapped.bytes,
           mapped.bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, fd, mapped.offset);
  }
}

void* map_ring(int fd, std::int64_t offset, std::size_t bytes, int& error) {
  const auto same = [&](const Mapped& mapped) {
    return mapped.offset == offset && mapped.bytes == bytes;
  };
  Mapped mapped{offset, bytes, nullptr, player_acts_now, false};
  const auto found = std::find_if(idle.rbegin(), idle.rend(), same);
  if (found != idle.rend()) {
    mapped.address = found->address;
    idle.erase(std::next(found).base());
    error = 0;
  } else {
    mapped.address = base::kernel_sys().map_ring(fd, offset, bytes, error);
    if (mapped.address == nullptr) return nullptr;
  }
  if (player_acts_now && player_is_dead) bury(mapped, fd);
  in_use.push_back(mapped);
  return mapped.address;
}

void unmap_idle(std::size_t left) {
  while (idle.size() > left) {
    base::kernel_sys().unmap(idle.front().address, 2 * idle.front().bytes);
    idle.erase(idle.begin());
  }
}

void unmap(void* address, std::size_t bytes) {
  const auto found = std::find_if(in_use.begin(), in_use.end(), [&](const Mapped& mapped) {
    return mapped.address == address && 2 * mapped.bytes == bytes;
  });
  if (found == in_use.end()) return base::kernel_sys().unmap(address, bytes);
  const bool buried = found->buried;
  // Perhaps a call that is being stepped through gives it back.
  if (!buried && found->players) ::mprotect(address, bytes, PROT_READ | PROT_WRITE);
  if (!buried) idle.push_back(*found);
  in_use.erase(found);
  if (buried) base::kernel_sys().unmap(address, bytes);
  unmap_idle(keeping ? kMostIdle : 0);
}

}  // namespace

KeptMemory::KeptMemory() {
  base::Sys table = base::kernel_sys();
  table.fallocate = fallocate;
  table.punch_hole = [](int, std::int64_t, std::int64_t) { return 0; };
  table.map_ring = map_ring;
  table.unmap = unmap;
  base::set_sys(table);
  keeping = true;
}

KeptMemory::~KeptMemory() {
  unmap_idle(0);
  base::set_sys(base::kernel_sys());
}

void KeptMemory::keep(bool on) {
  keeping = on;
  if (!on) unmap_idle(0);
}

void KeptMemory::player_acts(bool on) {
  player_acts_now = on;
  player_is_dead = false;
}

void KeptMemory::each_of_player(const Visit& visit) const {
  for (const Mapped& mapped : in_use) {
    if (mapped.players && !mapped.buried) visit(mapped.address, mapped.bytes);
  }
}

void KeptMemory::bury_player(int fd) {
  player_is_dead = player_acts_now;
  if (!player_is_dead) return;
  for (Mapped& mapped : in_use) {
    if (mapped.players && !mapped.buried) bury(mapped, fd);
  }
}

}  // namespace ossloop::property
