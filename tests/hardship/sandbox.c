// sandbox WHAT ERRNO PROGRAM [argument ...]: runs PROGRAM where a seccomp filter answers
// the system calls of a family with ERRNO.
#define _GNU_SOURCE
#include <asm/prctl.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fcntl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { kAny = -1 };

static const struct rule {
  const char *family;
  unsigned number;
  int argument;    // kAny: whatever the arguments are
  unsigned mask;   // of the argument's low half,
  unsigned value;  // which must then be this one
} rules[] = {
    {"nothing", 0xFFFF, kAny, 0, 0},
    {"process_vm", SYS_process_vm_readv, kAny, 0, 0},
    {"process_vm", SYS_process_vm_writev, kAny, 0, 0},
    {"futex_pi", SYS_futex, 1, FUTEX_CMD_MASK, FUTEX_LOCK_PI},
    {"futex_pi", SYS_futex, 1, FUTEX_CMD_MASK, FUTEX_LOCK_PI2},
    {"futex_pi", SYS_futex, 1, FUTEX_CMD_MASK, FUTEX_TRYLOCK_PI},
    {"futex_pi", SYS_futex, 1, FUTEX_CMD_MASK, FUTEX_UNLOCK_PI},
    {"futex_pi", SYS_futex, 1, FUTEX_CMD_MASK, FUTEX_WAIT_REQUEUE_PI},
    {"futex_pi", SYS_futex, 1, FUTEX_CMD_MASK, FUTEX_CMP_REQUEUE_PI},
    {"close_range", SYS_close_range, kAny, 0, 0},
    {"memfd_create", SYS_memfd_create, kAny, 0, 0},
    {"threads", SYS_clone, 0, CLONE_THREAD, CLONE_THREAD},
    {"threads", SYS_clone3, kAny, 0, ENOSYS},  // whose flags no filter sees: libc takes clone
    {"clone3", SYS_clone3, kAny, 0, 0},
    {"membarrier", SYS_membarrier, kAny, 0, 0},
    {"signal_queue", SYS_rt_tgsigqueueinfo, kAny, 0, 0},
    {"signal_queue", SYS_rt_sigqueueinfo, kAny, 0, 0},
    {"robust_list", SYS_get_robust_list, kAny, 0, 0},
    {"robust_list", SYS_set_robust_list, kAny, 0, 0},
    {"rseq", SYS_rseq, kAny, 0, 0},
    {"arch_prctl", SYS_arch_prctl, 0, ~0U, ARCH_GET_FS},
    {"priorities", SYS_sched_setscheduler, kAny, 0, 0},
    {"priorities", SYS_sched_setparam, kAny, 0, 0},
    {"priorities", SYS_sched_getparam, kAny, 0, 0},
    {"priorities", SYS_sched_getscheduler, kAny, 0, 0},
    {"seals", SYS_fcntl, 1, ~0U, F_ADD_SEALS},
    {"seals", SYS_fcntl, 1, ~0U, F_GET_SEALS},
    {"pipe_size", SYS_fcntl, 1, ~0U, F_SETPIPE_SZ},
    {"pipe_size", SYS_fcntl, 1, ~0U, F_GETPIPE_SZ},
    {"file_locks", SYS_fcntl, 1, ~0U, F_OFD_SETLK},
    {"file_locks", SYS_fcntl, 1, ~0U, F_OFD_GETLK},
    {"fallocate", SYS_fallocate, kAny, 0, 0},
    {"fchmod", SYS_fchmod, kAny, 0, 0},
    {"mknod", SYS_mknodat, kAny, 0, 0},
    {"link", SYS_linkat, kAny, 0, 0},
    {"prlimit", SYS_prlimit64, kAny, 0, 0},
};
#define LENGTH(array) (sizeof(array) / sizeof *(array))

static struct sock_filter program[8 * LENGTH(rules) + 1];
static unsigned short used;

static void emit(unsigned short code, unsigned value, unsigned char if_not) {
  program[used++] = (struct sock_filter){code, 0, if_not, value};
}

static void refuse(const struct rule *rule, unsigned number) {
  const int looks = rule->argument != kAny;
  emit(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr), 0);
  emit(BPF_JMP | BPF_JEQ | BPF_K, rule->number, looks ? 4 : 1);
  if (looks) {
    emit(BPF_LD | BPF_W | BPF_ABS,
         (unsigned)(offsetof(struct seccomp_data, args) + 8 * (size_t)rule->argument), 0);
    emit(BPF_ALU | BPF_AND | BPF_K, rule->mask, 0);
    emit(BPF_JMP | BPF_JEQ | BPF_K, rule->value, 1);
  } else if (rule->value != 0) {
    number = rule->value;
  }
  emit(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | number, 0);
}

int main(int count, char **words) {
  if (count < 4) return 2;
  const unsigned number = (unsigned)atoi(words[2]);
  for (size_t i = 0; i < LENGTH(rules); ++i) {
    if (strcmp(rules[i].family, words[1]) == 0) refuse(rules + i, number);
  }
  if (used == 0) return 2;
  emit(BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0);
  const struct sock_fprog filter = {used, program};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0) {
    perror("sandbox");
    return 2;
  }
  execvp(words[3], words + 3);
  perror(words[3]);
  return 127;
}
