// vfork(): the thread's notes say that its memory is borrowed, as long as the child has it.
#include <errno.h>
#include <unistd.h>

#include "shim/engine_loader.h"
#include "shim/real.h"

#if defined(__x86_64__) || defined(__aarch64__)

extern "C" [[gnu::visibility("hidden"), gnu::used]] pid_t ossloop_after_vfork(long result) {
  std::uint32_t& borrowed = ossloop::shim::own_note().borrowed;
  if (result == 0) ++borrowed;
  // Where it is emulated by a fork() the child counted in a memory of its own.
  if (result > 0 && borrowed != 0) --borrowed;
  return static_cast<pid_t>(ossloop::shim::to_libc(result));
}

// It returns twice to the same frame: the first return, the child's, may leave anything where
// the second one would look for its address. That waits in a register, which the kernel keeps;
// and the child goes back by a jump, since a shadow stack (CET) is its parent's, too.
#define OSSLOOP_VFORK(body)      \
  asm(".text\n"                  \
      ".globl vfork\n"           \
      ".type vfork, @function\n" \
      ".p2align 4\n"             \
      "vfork:\n"                 \
      ".cfi_startproc\n" body    \
      ".cfi_endproc\n"           \
      ".size vfork, . - vfork\n")

#if defined(__x86_64__)
OSSLOOP_VFORK(R"(
  endbr64
  popq %rdi
  .cfi_adjust_cfa_offset -8
  .cfi_register %rip, %rdi
  movl $58, %eax
  syscall
  pushq %rdi
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset %rip, 0
  movq %rax, %rdi
  testq %rax, %rax
  jnz ossloop_after_vfork
  subq $8, %rsp
  .cfi_adjust_cfa_offset 8
  call ossloop_after_vfork
  addq $8, %rsp
  .cfi_adjust_cfa_offset -8
  popq %rdi
  .cfi_adjust_cfa_offset -8
  .cfi_register %rip, %rdi
  jmp *%rdi
)");
#else
OSSLOOP_VFORK(R"(
  hint #34
  mov x0, #0x4111  // CLONE_VM, CLONE_VFORK and SIGCHLD
  mov x1, #0
  mov x8, #220  // clone
  svc #0
  b ossloop_after_vfork
)");
#endif

#else

// A child with memory of its own does as well.
OSSLOOP_EXPORT pid_t vfork() { return ::fork(); }

#endif
