// leftover DEVICE GOING LEAVING: a buffer that is still mapped when its descriptor has
// gone, by close, dup2, or lost; it is then left by munmap, in pieces, by another map
// over it, or after it was moved. Prints "kept" at the end.
#include "mapped.h"

#include <sys/syscall.h>

// Whoever keeps the address of something freed finds this there.
static void use_all_that_is_free(void) {
  for (size_t bytes = 16; bytes <= 16384; bytes += 16) {
    for (int i = 0; i < 12; ++i) {
      char *const block = malloc(bytes);
      memset(block, 0x5a, bytes);
    }
  }
}

static void go(int fd, const char *how) {
  if (strcmp(how, "close") == 0) {
    MUST(close(fd));
  } else if (strcmp(how, "dup2") == 0) {
    const int null = (int)MUST(open("/dev/null", O_RDWR));
    MUST(dup2(null, fd));
    MUST(close(null));
  } else {
    // Closed where nobody sees it; the number comes back as another file's.
    MUST(syscall(SYS_close, fd));
    if (MUST(open("/dev/null", O_RDWR)) != fd) die("another number");
  }
}

static void leave(char *buffer, size_t bytes, const char *how) {
  if (strcmp(how, "munmap") == 0) {
    MUST(munmap(buffer, bytes));
  } else if (strcmp(how, "pieces") == 0) {
    MUST(munmap(buffer, 4096));
    MUST(munmap(buffer + 4096, bytes - 4096));
  } else if (strcmp(how, "over") == 0) {
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
    if (mmap(buffer, bytes, PROT_READ, flags, -1, 0) != buffer) die("mmap");
  } else {
    char *const place = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *const moved = mremap(buffer, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, place);
    if (moved != place) die("mremap");
    MUST(munmap(moved, bytes));
  }
}

static char *map(int fd, size_t *bytes) {
  audio_buf_info info;
  MUST(ioctl(fd, SNDCTL_DSP_GETISPACE, &info));
  *bytes = (size_t)info.fragstotal * (size_t)info.fragsize;
  char *const buffer = mmap(NULL, *bytes, PROT_READ, MAP_SHARED, fd, 0);
  if (buffer == MAP_FAILED) die("mmap");
  return buffer;
}

int main(int count, char **words) {
  if (count < 4) return 2;
  int fd = (int)MUST(open(words[1], O_RDONLY));
  size_t bytes, more_bytes;
  char *const buffer = map(fd, &bytes);
  trigger(fd, 0);
  trigger(fd, PCM_ENABLE_INPUT);
  go(fd, words[2]);
  use_all_that_is_free();
  leave(buffer, bytes, words[3]);
  // The next open has a buffer of its own, as good as the first.
  fd = (int)MUST(open(words[1], O_RDONLY));
  char *const next = map(fd, &more_bytes);
  if (more_bytes != bytes || next[bytes - 1] != 0) die("the next buffer");
  MUST(munmap(next, bytes));
  MUST(close(fd));
  puts("kept");
  return 0;
}
