#include "base/signal_witness.h"

#include <errno.h>
#include <linux/rseq.h>
#include <sys/resource.h>
#include <sys/rseq.h>

#include <cstdint>

namespace ossloop::base {
namespace {

// A sequence in which no thread ever is. Before the address to which the kernel would
// lead a thread from it stands the word that it looks for there.
struct Landing {
  std::uint32_t signature = RSEQ_SIG;
  std::uint32_t here = 0;
};
constexpr Landing kLanding;
const struct {
  alignas(32) std::uint32_t version = 0;
  std::uint32_t flags = 0;
  const void* start = &kLanding.signature;
  std::uint64_t length = 1;
  const void* abort = &kLanding.here;
} kNowhere;

volatile struct rseq* own_area() {
  if (__rseq_size == 0) return nullptr;
  auto* const thread = static_cast<char*>(__builtin_thread_pointer());
  return reinterpret_cast<volatile struct rseq*>(thread + __rseq_offset);
}

std::uint64_t nowhere() { return reinterpret_cast<std::uintptr_t>(&kNowhere); }

// How often the thread has lost its processor or given it up.
long switches() {
  const int saved = errno;
  struct rusage usage {};
  ::getrusage(RUSAGE_THREAD, &usage);
  errno = saved;
  return usage.ru_nivcsw + usage.ru_nvcsw;
}

}  // namespace

long watch_for_handlers() {
  const long now = switches();
  if (auto* const area = own_area(); area != nullptr) area->rseq_cs = nowhere();
  return now;
}

bool handler_has_run(long since) {
  const auto* const area = own_area();
  return area != nullptr && area->rseq_cs != nowhere() && switches() == since;
}

}  // namespace ossloop::base
