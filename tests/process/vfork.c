// vfork CHILD DEVICE SONG ENGINE: a shell whose child of vfork() opens DEVICE in its
// parent's memory. CHILD "redirects": there cat plays SONG, by exec; "leaves": it ends
// at once. ENGINE "absent": nothing of the device is loaded before; "loaded": it was,
// and no device is open any more; "used": a mixer is open all the time.
//
// Afterwards the parent has its files and plays SONG itself. Prints "ready" and "kept".
#include "../threads/promises.h"

#include <sys/stat.h>
#include <sys/wait.h>

static const char mixer[] = "/dev/mixer";

static void child_runs(int redirects, const char *song) {
  const pid_t child = vfork();
  if (child == 0) {
    const int opened = open(device, O_WRONLY);
    if (opened < 0) _exit(2);
    if (!redirects) _exit(0);
    if (dup2(opened, 1) != 1) _exit(3);
    close(opened);
    execlp("cat", "cat", song, (char *)NULL);
    _exit(127);
  }
  EXPECT(child > 0);
  int status = -1;
  EXPECT(waitpid(child, &status, 0) == child && status == 0);
}

// The number that the child had for its device is the first that is free.
static void files_are_files(void) {
  const int plain = open("plain", O_RDWR | O_CREAT | O_TRUNC, 0600);
  EXPECT(plain >= 0 && write(plain, "plain", 5) == 5);
  struct stat status;
  EXPECT(fstat(plain, &status) == 0 && S_ISREG(status.st_mode) && status.st_size == 5);
  char back[8];
  EXPECT(pread(plain, back, sizeof back, 0) == 5 && memcmp(back, "plain", 5) == 0);
  struct pollfd entry = {plain, POLLIN | POLLOUT, 0};
  EXPECT(poll(&entry, 1, 5000) == 1 && entry.revents == (POLLIN | POLLOUT));
  EXPECT(write(STDOUT_FILENO, "output\n", 7) == 7);
  EXPECT(fstat(STDOUT_FILENO, &status) == 0 && S_ISREG(status.st_mode));
  EXPECT(close(plain) == 0);
}

static void plays(const char *song) {
  const int source = open(song, O_RDONLY);
  EXPECT(source >= 0 && (fd = open(device, O_WRONLY)) >= 0);
  ssize_t got;
  while ((got = read(source, block, sizeof block)) > 0)
    EXPECT(write(fd, block, (size_t)got) == got);
  EXPECT(got == 0 && close(fd) == 0 && close(source) == 0);
}

int main(int count, char **words) {
  if (count < 5) return 2;
  device = words[2];
  int used = -1;
  if (strcmp(words[4], "absent") != 0) EXPECT((used = open(mixer, O_RDWR)) >= 0);
  if (strcmp(words[4], "loaded") == 0) EXPECT(close(used) == 0);
  puts("ready");
  fflush(stdout);
  for (int round = 0; round < 2; ++round) {
    child_runs(strcmp(words[1], "redirects") == 0, words[3]);
    files_are_files();
    plays(words[3]);
  }
  if (strcmp(words[4], "used") == 0) {
    int level = 0;
    EXPECT(ioctl(used, SOUND_MIXER_READ_PCM, &level) == 0 && close(used) == 0);
  }
  files_are_files();
  puts("kept");
  return 0;
}
