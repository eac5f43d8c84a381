// The engine's own memory. A signal handler may come upon the program's malloc and open or
// close a device, which POSIX allows: what we allocate must not wait for malloc's lock.
#include "shim/engine/engine_heap.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <new>

#include "base/mutex.h"

namespace ossloop::shim {
namespace {

// Blocks of powers of two, a free list for each; what is larger is mapped by itself. Little
// is allocated, and that when devices come and go.
constexpr std::size_t kSmallestBits = 5, kLargestBits = 16;
constexpr std::size_t kChunkBytes = 256 << 10;

// Before what is handed out.
struct alignas(16) Header {
  std::size_t bytes;  // of the block
  std::size_t front;  // from its begin to what is handed out
};
// Large buffers that begin at the same place in their pages get in each other's way in
// the processor's caches (measured: 3 % of a rate conversion): they begin at different ones.
constexpr std::size_t kPage = 4096, kCacheLine = 64, kPlaces = 16;
std::atomic<std::size_t> place{0};

std::size_t front_for(std::size_t wanted) {
  if (wanted < kPage) return sizeof(Header);
  return kCacheLine * (1 + place.fetch_add(1, std::memory_order_relaxed) % kPlaces);
}
struct Free {
  Free* next;
};

constinit base::Mutex mutex;
constinit Free* free_blocks[kLargestBits + 1] = {};
constinit std::byte* chunk = nullptr;
constinit std::size_t chunk_left = 0;

std::byte* map(std::size_t bytes) {
  const int saved = errno;
  const long found = ::syscall(SYS_mmap, nullptr, bytes, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  errno = saved;
  return found == -1 ? nullptr : reinterpret_cast<std::byte*>(found);
}

std::byte* small_block(std::size_t bits) {
  const std::size_t bytes = std::size_t{1} << bits;
  mutex.lock();
  std::byte* block = nullptr;
  if (Free* const first = free_blocks[bits]; first != nullptr) {
    free_blocks[bits] = first->next;
    block = reinterpret_cast<std::byte*>(first);
  } else {
    if (chunk_left < bytes) {
      // What is left of the last one is given up: it is less than a large block.
      chunk = map(kChunkBytes);
      chunk_left = chunk != nullptr ? kChunkBytes : 0;
    }
    if (chunk != nullptr) {
      block = chunk;
      chunk += bytes;
      chunk_left -= bytes;
    }
  }
  mutex.unlock();
  return block;
}

void* allocate(std::size_t wanted) {
  if (wanted > PTRDIFF_MAX) return nullptr;
  const std::size_t front = front_for(wanted);
  const std::size_t whole = wanted + front;
  std::size_t bits = static_cast<std::size_t>(std::bit_width(whole - 1));
  bits = bits < kSmallestBits ? kSmallestBits : bits;
  const std::size_t bytes =
      bits <= kLargestBits ? std::size_t{1} << bits : (whole + kPage - 1) / kPage * kPage;
  std::byte* const block = bits <= kLargestBits ? small_block(bits) : map(bytes);
  if (block == nullptr) return nullptr;
  *reinterpret_cast<Header*>(block + front - sizeof(Header)) = {bytes, front};
  return block + front;
}

void give_back(void* memory) {
  if (memory == nullptr) return;
  const Header header = *(static_cast<const Header*>(memory) - 1);
  std::byte* const block = static_cast<std::byte*>(memory) - header.front;
  const std::size_t bytes = header.bytes;
  if (bytes > std::size_t{1} << kLargestBits) {
    const int saved = errno;
    ::syscall(SYS_munmap, block, bytes);
    errno = saved;
    return;
  }
  const std::size_t bits = static_cast<std::size_t>(std::bit_width(bytes - 1));
  mutex.lock();
  auto* const first = reinterpret_cast<Free*>(block);
  first->next = free_blocks[bits];
  free_blocks[bits] = first;
  mutex.unlock();
}

void* allocate_or_throw(std::size_t bytes) {
  void* const memory = allocate(bytes);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

void heap_before_fork() { mutex.lock(); }
void heap_after_fork(bool child) { child ? mutex.unlock_in_child() : mutex.unlock(); }

}  // namespace ossloop::shim

void* operator new(std::size_t bytes) { return ossloop::shim::allocate_or_throw(bytes); }
void* operator new[](std::size_t bytes) { return ossloop::shim::allocate_or_throw(bytes); }
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  return ossloop::shim::allocate(bytes);
}
void* operator new[](std::size_t bytes, const std::nothrow_t&) noexcept {
  return ossloop::shim::allocate(bytes);
}
void operator delete(void* memory) noexcept { ossloop::shim::give_back(memory); }
void operator delete[](void* memory) noexcept { ossloop::shim::give_back(memory); }
void operator delete(void* memory, std::size_t) noexcept { ossloop::shim::give_back(memory); }
void operator delete[](void* memory, std::size_t) noexcept { ossloop::shim::give_back(memory); }
