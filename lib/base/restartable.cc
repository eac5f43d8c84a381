#include "base/restartable.h"

#include <errno.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#if __has_include(<sys/rseq.h>)
#include <sys/rseq.h>
#endif

namespace ossloop::base {
namespace {

long membarrier(int command) {
  const int saved = errno;
  const long result = ::syscall(SYS_membarrier, command, 0, 0);
  errno = saved;
  return result;
}

enum class Known : int { kNotYet, kWanted, kNo, kYes };
std::atomic<Known> known{Known::kNotYet};

}  // namespace

bool restartable_is_wanted() { return known.load(std::memory_order_relaxed) == Known::kWanted; }

#if defined(__x86_64__) && defined(RSEQ_SIG)

namespace {

char* own_area() { return static_cast<char*>(__builtin_thread_pointer()) + __rseq_offset; }

// Where the kernel has not taken the thread's area, no number of a processor stands there.
bool thread_has_area() {
  const auto* const area = reinterpret_cast<const volatile struct rseq*>(own_area());
  return static_cast<std::int32_t>(area->cpu_id) >= 0;
}

}  // namespace

void prepare_restartable() {
  const Known before = known.load(std::memory_order_relaxed);
  if (before == Known::kYes || before == Known::kNo) return;
  const bool can =
      __rseq_size != 0 && membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ) == 0;
  known.store(can ? Known::kYes : Known::kNo, std::memory_order_relaxed);
}

bool has_restartable() {
  Known state = known.load(std::memory_order_relaxed);
  if (state == Known::kNotYet) known.compare_exchange_strong(state, Known::kWanted);
  return state == Known::kYes && thread_has_area();
}

// The beginning and the end of a sequence. The descriptor that the thread shows to the kernel
// lies in a section of its own; before the address to which the kernel leads a thread that is
// taken back stands the word that it looks for there, as part of an instruction that is none.
#define OSSLOOP_BEGIN_SEQUENCE                         \
  ".pushsection .data.rel.ro.ossloop_rseq, \"aw\"\n\t" \
  ".balign 32\n"                                       \
  "3: .long 0, 0\n\t"                                  \
  ".quad 1f, 2f - 1f, 4f\n\t"                          \
  ".popsection\n\t"                                    \
  "leaq 3b(%%rip), %%rax\n\t"                          \
  "movq %%rax, 8(%[area])\n"                           \
  "1:\n\t"                                             \
  "movq (%[checks]), %%rax\n\t"                        \
  "movl 8(%[checks]), %%edx\n\t"                       \
  "cmpl %%edx, (%%rax)\n\t"                            \
  "jne 5f\n\t"                                         \
  "addq $16, %[checks]\n\t"                            \
  "decq %[count]\n\t"                                  \
  "jnz 1b\n\t"
#define OSSLOOP_END_SEQUENCE   \
  "2:\n\t"                     \
  "movl $1, %%eax\n\t"         \
  "jmp 6f\n\t"                 \
  ".byte 0x0f, 0xb9, 0x3d\n\t" \
  ".long 0x53053053\n"         \
  "4:\n"                       \
  "5:\n\t"                     \
  "xorl %%eax, %%eax\n"        \
  "6:\n"

// rcx bytes from rsi to rdi. A call of memcpy() would leave the sequence, and `rep movsb` is
// ten times slower on some processors.
#define OSSLOOP_COPY             \
  "7: subq $64, %%rcx\n\t"       \
  "jb 8f\n\t"                    \
  "movups (%%rsi), %%xmm0\n\t"   \
  "movups 16(%%rsi), %%xmm1\n\t" \
  "movups 32(%%rsi), %%xmm2\n\t" \
  "movups 48(%%rsi), %%xmm3\n\t" \
  "movups %%xmm0, (%%rdi)\n\t"   \
  "movups %%xmm1, 16(%%rdi)\n\t" \
  "movups %%xmm2, 32(%%rdi)\n\t" \
  "movups %%xmm3, 48(%%rdi)\n\t" \
  "addq $64, %%rsi\n\t"          \
  "addq $64, %%rdi\n\t"          \
  "jmp 7b\n"                     \
  "8: addq $64, %%rcx\n"         \
  "9: subq $8, %%rcx\n\t"        \
  "jb 10f\n\t"                   \
  "movq (%%rsi), %%rax\n\t"      \
  "movq %%rax, (%%rdi)\n\t"      \
  "addq $8, %%rsi\n\t"           \
  "addq $8, %%rdi\n\t"           \
  "jmp 9b\n"                     \
  "10: addq $8, %%rcx\n\t"       \
  "jz 12f\n"                     \
  "11: movb (%%rsi), %%al\n\t"   \
  "movb %%al, (%%rdi)\n\t"       \
  "incq %%rsi\n\t"               \
  "incq %%rdi\n\t"               \
  "decq %%rcx\n\t"               \
  "jnz 11b\n"                    \
  "12:\n\t"

static_assert(sizeof(Check) == 16 && offsetof(Check, value) == 8);
static_assert(offsetof(struct rseq, rseq_cs) == 8 && RSEQ_SIG == 0x53053053);

[[gnu::noinline]] bool copy_and_commit(const Check* checks, std::size_t count, void* to,
                                       const void* from, std::size_t bytes, volatile void* word,
                                       std::uint64_t value) {
  std::uint32_t done;
  asm volatile(OSSLOOP_BEGIN_SEQUENCE OSSLOOP_COPY
               "xchgq %[value], (%[word])\n" OSSLOOP_END_SEQUENCE
               : "=&a"(done), [checks] "+r"(checks), [count] "+r"(count), "+D"(to), "+S"(from),
                 "+c"(bytes), [value] "+r"(value)
               : [area] "r"(own_area()), [word] "r"(word)
               : "rdx", "xmm0", "xmm1", "xmm2", "xmm3", "memory", "cc");
  return done != 0;
}

[[gnu::noinline]] bool read_both(const Check* checks, std::size_t count, const volatile void* first,
                                 const volatile void* second, std::uint64_t (&values)[2]) {
  std::uint32_t done;
  asm volatile(OSSLOOP_BEGIN_SEQUENCE
               "movq (%[first]), %[first]\n\t"
               "movq (%[second]), %[second]\n" OSSLOOP_END_SEQUENCE
               : "=&a"(done), [checks] "+r"(checks), [count] "+r"(count), [first] "+r"(first),
                 [second] "+r"(second)
               : [area] "r"(own_area())
               : "rdx", "memory", "cc");
  values[0] = reinterpret_cast<std::uintptr_t>(first);
  values[1] = reinterpret_cast<std::uintptr_t>(second);
  return done != 0;
}

// Where a sandbox has come to refuse it since, a moment is long enough: a thread that loses its
// processor meanwhile is taken back anyway.
void restart_all() {
  if (membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ) == 0) return;
  const int saved = errno;
  constexpr timespec kMoment{0, 5'000'000};
  ::syscall(SYS_nanosleep, &kMoment, nullptr);
  errno = saved;
}

#else

void prepare_restartable() { known.store(Known::kNo, std::memory_order_relaxed); }
bool has_restartable() { return false; }
bool copy_and_commit(const Check*, std::size_t, void*, const void*, std::size_t, volatile void*,
                     std::uint64_t) {
  return false;
}
bool read_both(const Check*, std::size_t, const volatile void*, const volatile void*,
               std::uint64_t (&)[2]) {
  return false;
}
void restart_all() {}

#endif

}  // namespace ossloop::base
