// wanderer WAY FOLDER DEVICE: changes its working folder before it opens DEVICE, a
// client whose server reads, and plays a second of sound.
//   to      goes to FOLDER
//   gone    goes to FOLDER and removes it
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char sound[48000 * 4];

int main(int count, char **words) {
  if (count < 4) return 2;
  if (chdir(words[2]) != 0) return 3;
  if (strcmp(words[1], "gone") == 0 && rmdir(words[2]) != 0) return 4;
  const int fd = open(words[3], O_WRONLY);
  if (fd < 0) {
    printf("open: %s\n", strerrorname_np(errno));
    return 1;
  }
  for (size_t i = 0; i < sizeof sound; ++i) sound[i] = (char)(i * 31 >> 3);
  for (size_t done = 0; done < sizeof sound;) {
    const ssize_t wrote = write(fd, sound + done, sizeof sound - done);
    if (wrote <= 0) {
      printf("write: %s\n", strerrorname_np(errno));
      return 1;
    }
    done += (size_t)wrote;
  }
  if (close(fd) != 0) return 5;
  puts("played");
  return 0;
}
