// edges CLIENT SERVER: what mmap and its kin answer on a device. Prints a line for
// each promise that is not kept; the exit status is 1 then.
#include "mapped.h"

#include <sys/wait.h>

static int broken;

static void expect(int kept, const char *promise) {
  if (kept) return;
  broken = 1;
  printf("not kept: %s (errno %s)\n", promise, strerrorname_np(errno));
}
#define EXPECT(promise) expect(promise, #promise)

static int refused(int fd, size_t bytes, int protection, long offset, int error) {
  errno = 0;
  return mmap(NULL, bytes, protection, MAP_SHARED, fd, offset) == MAP_FAILED && errno == error;
}

static long whole_buffer(int fd) {
  audio_buf_info info;
  MUST(ioctl(fd, SNDCTL_DSP_GETOSPACE, &info));
  return (long)info.fragstotal * info.fragsize;
}

static int passed(int fd) {
  count_info now;
  MUST(ioctl(fd, SNDCTL_DSP_GETOPTR, &now));
  return now.bytes;
}

// The server, which keeps reading in a child.
static pid_t listen_on(const char *path) {
  const int fd = (int)MUST(open(path, O_RDONLY));
  const pid_t child = (pid_t)MUST(fork());
  char data[4096];
  while (child == 0) {
    if (read(fd, data, sizeof data) <= 0 && errno != ECONNRESET) _exit(0);
  }
  close(fd);
  return child;
}

int main(int count, char **words) {
  if (count < 3) return 2;
  const pid_t listener = listen_on(words[2]);
  char data[512] = {0};

  int fd = (int)MUST(open(words[1], O_WRONLY));
  EXPECT(refused(fd, 4096, PROT_READ, 0, EACCES));
  EXPECT(refused(fd, 4096, PROT_WRITE, 4096, EINVAL));
  EXPECT(refused(fd, 0, PROT_WRITE, 0, EINVAL));
  long size = whole_buffer(fd);
  EXPECT(refused(fd, (size_t)size + 4096, PROT_WRITE, 0, EINVAL));
  char *buffer = mmap(NULL, (size_t)size, PROT_WRITE, MAP_SHARED, fd, 0);
  EXPECT(buffer != MAP_FAILED);
  // A second map is the same memory.
  char *second = mmap64(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
  EXPECT(second != MAP_FAILED);
  buffer[size - 1] = 77;
  EXPECT(second[size - 1] == 77);
  EXPECT(mprotect(second, 4096, PROT_READ) == 0 && second[0] == 0);
  EXPECT(write(fd, data, sizeof data) == -1 && errno == EIO);
  EXPECT(set(fd, SNDCTL_DSP_GETTRIGGER, 0) == 0);
  // Nothing runs before the trigger.
  pause_ms(30);
  EXPECT(passed(fd) == 0);
  trigger(fd, PCM_ENABLE_OUTPUT);
  pause_ms(50);
  EXPECT(passed(fd) > 0);
  EXPECT(whole_buffer(fd) == size);
  trigger(fd, 0);
  const int stopped = passed(fd);
  pause_ms(30);
  EXPECT(passed(fd) == stopped);
  // A child has the same buffer.
  const pid_t child = (pid_t)MUST(fork());
  if (child == 0) {
    buffer[1] = 42;
    _exit(0);
  }
  waitpid(child, NULL, 0);
  EXPECT(second[1] == 42);
  // It may move, and not grow.
  EXPECT(mremap(buffer, (size_t)size, (size_t)size + 65536, MREMAP_MAYMOVE) == MAP_FAILED);
  char *place = mmap(NULL, (size_t)size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  char *moved =
      mremap(buffer, (size_t)size, (size_t)size, MREMAP_MAYMOVE | MREMAP_FIXED, place);
  EXPECT(moved == place && moved[1] == 42);
  // With the last map gone the device is written to again.
  EXPECT(munmap(moved, (size_t)size) == 0);
  EXPECT(write(fd, data, sizeof data) == -1 && errno == EIO);
  EXPECT(munmap(second, (size_t)size) == 0);
  EXPECT(write(fd, data, sizeof data) == sizeof data);
  // Another map over it unmaps it too.
  buffer = mmap(NULL, (size_t)size, PROT_WRITE, MAP_SHARED, fd, 0);
  EXPECT(buffer != MAP_FAILED && write(fd, data, sizeof data) == -1);
  EXPECT(mmap(buffer, (size_t)size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == buffer);
  EXPECT(write(fd, data, sizeof data) == sizeof data);
  close(fd);

  // What is mapped stays memory when its device is closed, and another open's
  // buffer is another one.
  fd = (int)MUST(open(words[1], O_WRONLY));
  buffer = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  EXPECT(buffer != MAP_FAILED);
  close(fd);
  buffer[0] = 1;
  fd = (int)MUST(open(words[1], O_RDWR));
  second = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  EXPECT(second != MAP_FAILED && second[0] == 0 && buffer[0] == 1);
  EXPECT(munmap(buffer, (size_t)size) == 0);
  EXPECT(write(fd, data, sizeof data) == -1 && errno == EIO);
  // Open for both: the way the loop does not go is silent, its position still runs.
  const char *recorded = mmap(NULL, (size_t)size, PROT_READ, MAP_SHARED, fd, 0);
  EXPECT(recorded != MAP_FAILED && recorded != second);
  trigger(fd, PCM_ENABLE_INPUT | PCM_ENABLE_OUTPUT);
  pause_ms(60);
  count_info now;
  EXPECT(ioctl(fd, SNDCTL_DSP_GETIPTR, &now) == 0 && now.bytes > 0);
  EXPECT(passed(fd) > 0);
  // Without a listener it runs on.
  kill(listener, SIGKILL);
  waitpid(listener, NULL, 0);
  pause_ms(100);
  const int before = passed(fd);
  pause_ms(50);
  EXPECT(passed(fd) > before);
  close(fd);
  return broken;
}
