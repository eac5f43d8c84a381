#include "base/signal_witness.h"

#include <errno.h>
#include <sys/resource.h>

#include <cstdint>
#if __has_include(<sys/rseq.h>)
#include <sys/rseq.h>
#endif

namespace ossloop::base {
namespace {

#ifdef RSEQ_SIG
std::uint64_t address_of(const void* thing) { return reinterpret_cast<std::uintptr_t>(thing); }

// A sequence in which no thread ever is. Before the address to which the kernel would
// lead a thread from it stands the word that it looks for there.
constexpr std::uint32_t kLanding[] = {RSEQ_SIG, 0};
const struct rseq_cs nowhere = {
    .version = 0,
    .flags = 0,
    .start_ip = address_of(kLanding),
    .post_commit_offset = 1,
    .abort_ip = address_of(kLanding + 1),
};

volatile struct rseq* own_area() {
  if (__rseq_size == 0) return nullptr;
  auto* const thread = static_cast<char*>(__builtin_thread_pointer());
  return reinterpret_cast<volatile struct rseq*>(thread + __rseq_offset);
}

void begin_sequence() {
  if (auto* const area = own_area(); area != nullptr) area->rseq_cs = address_of(&nowhere);
}
bool sequence_was_taken_back() {
  const auto* const area = own_area();
  return area != nullptr && area->rseq_cs != address_of(&nowhere);
}
#else
void begin_sequence() {}
bool sequence_was_taken_back() { return false; }
#endif

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
  begin_sequence();
  return now;
}

bool handler_has_run(long since) { return sequence_was_taken_back() && switches() == since; }

}  // namespace ossloop::base
