// often FILE TIMES: opens and closes, by descriptor and by stream, and tells
// whether anything is left behind.
#include "show.h"

#include <dirent.h>

static int entries(const char *path) {
  DIR *dir = opendir(path);
  int count = 0;
  while (dir != NULL && readdir(dir) != NULL) ++count;
  if (dir != NULL) closedir(dir);
  return count;
}

static long resident_pages(void) {
  long size = 0, resident = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  if (file != NULL) {
    if (fscanf(file, "%ld %ld", &size, &resident) != 2) resident = 0;
    fclose(file);
  }
  return resident;
}

static int round_of(const char *path, int i) {
  if (i % 2 == 0) {
    const int fd = open(path, O_WRONLY);
    const int copy = dup(fd);
    return fd == 3 && close(fd) == 0 && close(copy) == 0;
  }
  FILE *file = fopen(path, "w");
  return file != NULL && fileno(file) == 3 && fclose(file) == 0;
}

int main(int count, char **words) {
  (void)count;
  const int times = atoi(words[2]);
  int good = 0;
  long pages = 0;
  for (int i = 0; i < times; ++i) {
    // The first rounds fill what is used again later.
    if (i == times / 10) pages = resident_pages();
    good += round_of(words[1], i);
  }
  const long grown = resident_pages() - pages;
  printf("%d of %d rounds\n", good, times);
  printf("descriptors: %d\n", entries("/proc/self/fd") - 3);
  // A thread that was joined may still be seen for a moment.
  for (int i = 0; i < 2000 && entries("/proc/self/task") > 3; ++i) usleep(10000);
  printf("threads: %d\n", entries("/proc/self/task") - 2);
  printf("memory: %s\n", grown < 50 ? "as before" : "grown");
  if (grown >= 50) printf("by %ld pages\n", grown);
  return 0;
}
