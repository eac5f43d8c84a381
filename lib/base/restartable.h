// Small pieces of work that a thread does as a whole or not at all, with no lock and with
// its signals on: the kernel's restartable sequences (rseq(2)).
//
// When a signal handler is to run in the midst of one, or the thread loses its processor, the
// kernel takes the thread out of it before anything else: what was done so far counts for
// nothing, and the last store of all, which would make it count, does not come. It does not do
// so for the child of a vfork(), which borrows its parent's thread, and has none.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ossloop::base {

// Holds as long as there is that value. Read within the sequence, in their order: what lies
// behind a check may be memory that is there only while the check holds.
struct Check {
  const volatile void* word;  // of 32 bits
  std::uint32_t value;
};

// Can this thread have such sequences, and this process restart those of its threads? Until
// prepare_restartable() was called the answer is no, and it is wanted.
bool has_restartable();
bool restartable_is_wanted();
// In a process of several threads the kernel takes some milliseconds for it.
void prepare_restartable();

// Copies `bytes` bytes and then stores `value` at `word`, with a full fence: true. False if a
// check did not hold, or the sequence was taken back: then `word` is as it was, and in the
// room that was copied to there may be anything.
bool copy_and_commit(const Check* checks, std::size_t count, void* to, const void* from,
                     std::size_t bytes, volatile void* word, std::uint64_t value);

// Reads two words of 64 bits. False as above.
bool read_both(const Check* checks, std::size_t count, const volatile void* first,
               const volatile void* second, std::uint64_t (&values)[2]);

// No thread of the process is in a sequence that it began before: a check whose word was
// changed before this call holds no more for any of them. Costs about a microsecond.
void restart_all();

}  // namespace ossloop::base
