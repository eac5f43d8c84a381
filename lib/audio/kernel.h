// Loops over samples that the compiler makes for more than one kind of processor.
#pragma once

// Kernels once more for wider registers, chosen when the library is loaded: without
// them GCC vectorizes no loop that counts what it clips. Sanitizers cannot bear that.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define OSSLOOP_WIDE __attribute__((target_clones("avx2", "default")))
#else
#define OSSLOOP_WIDE
#endif
