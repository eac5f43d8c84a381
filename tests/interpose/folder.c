// folder PATH: what each way of listing finds, sorted, one name a line; then
// whether each way agrees with the first.
#include "show.h"

#include <dirent.h>
#include <ftw.h>
#include <glob.h>
#include <limits.h>
#include <sys/stat.h>

#define MOST 4096
struct names {
  int count;
  char *names[MOST];
};
static struct names *into;

static void add(const char *name) {
  if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && into->count < MOST) {
    into->names[into->count++] = strdup(name);
  }
}
static int by_text(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}
static struct names *sorted(struct names *list) {
  qsort(list->names, (size_t)list->count, sizeof *list->names, by_text);
  return list;
}
static void compare(const char *what, struct names *first, struct names *other) {
  sorted(other);
  int same = first->count == other->count;
  for (int i = 0; same && i < first->count; ++i) {
    same = strcmp(first->names[i], other->names[i]) == 0;
    if (!same) printf("%s instead of %s\n", other->names[i], first->names[i]);
  }
  printf("%s: %s\n", what, same ? "the same" : "different");
}

#define NEW(list) \
  static struct names list; \
  into = &(list)

static const char *root;
static void add_child(const char *path) {
  const size_t length = strlen(root);
  if (strlen(path) > length && strchr(path + length + 1, '/') == NULL) add(path + length + 1);
}
static int visit(const char *path, const struct stat *status, int kind) {
  (void)status;
  (void)kind;
  add_child(path);
  return 0;
}
static int visit_fully(const char *path, const struct stat *status, int kind, struct FTW *place) {
  struct stat again;
  if (place->level == 1 && kind == FTW_F && S_ISCHR(status->st_mode) &&
      (lstat(path, &again) != 0 || again.st_ino != status->st_ino)) {
    printf("%s is not what was told\n", path);
  }
  if (strcmp(path + place->base, strrchr(path, '/') + 1) != 0) printf("wrong base %d\n", place->base);
  add_child(path);
  return place->level == 1 && kind == FTW_D ? FTW_SKIP_SUBTREE : FTW_CONTINUE;
}
#ifndef __USE_FILE_OFFSET64
static int visit64(const char *path, const struct stat64 *status, int kind) {
  return visit(path, (const struct stat *)status, kind);
}
static int visit_fully64(const char *path, const struct stat64 *status, int kind, struct FTW *place) {
  return visit_fully(path, (const struct stat *)status, kind, place);
}
static int all64(const struct dirent64 *entry) { return entry->d_name[0] != '.'; }
#endif
static int all(const struct dirent *entry) { return entry->d_name[0] != '.'; }

int main(int count, char **words) {
  (void)count;
  root = words[1];
  NEW(first);
  DIR *dir = opendir(root);
  if (dir == NULL) return 1;
  for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
    struct stat status;
    if (fstatat(dirfd(dir), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
      printf("%s is listed and not there\n", entry->d_name);
    } else if (entry->d_type != DT_UNKNOWN && entry->d_type != IFTODT(status.st_mode)) {
      printf("%s is of another type\n", entry->d_name);
    }
    add(entry->d_name);
  }
  sorted(&first);
  for (int i = 0; i < first.count; ++i) printf("%s\n", first.names[i]);

  // Again, from a place in its midst.
  NEW(again);
  rewinddir(dir);
  int half = first.count / 2 + 2;
  for (int i = 0; i < half; ++i) add(readdir(dir)->d_name);
  const long place = telldir(dir);
  readdir(dir);
  seekdir(dir, place);
  for (struct dirent *entry; (entry = readdir(dir)) != NULL;) add(entry->d_name);
  compare("telldir, seekdir", &first, &again);
  closedir(dir);

  NEW(reentrant);
  dir = fdopendir(open(root, O_RDONLY | O_DIRECTORY));
  struct dirent room, *entry;
  while (readdir_r(dir, &room, &entry) == 0 && entry != NULL) add(entry->d_name);
  compare("fdopendir, readdir_r", &first, &reentrant);
  closedir(dir);

  NEW(scanned);
  struct dirent **entries;
  int found = scandir(root, &entries, all, alphasort);
  for (int i = 0; i < found; ++i) add(entries[i]->d_name);
  compare("scandir", &first, &scanned);

  NEW(scanned_at);
  const int above = open("/", O_RDONLY | O_DIRECTORY);
  found = scandirat(above, root + 1, &entries, all, alphasort);
  for (int i = 0; i < found; ++i) add(entries[i]->d_name);
  compare("scandirat", &first, &scanned_at);

  NEW(matched);
  char pattern[PATH_MAX];
  glob_t paths;
  snprintf(pattern, sizeof pattern, "%s/*", root);
  if (glob(pattern, 0, NULL, &paths) == 0) {
    for (size_t i = 0; i < paths.gl_pathc; ++i) add_child(paths.gl_pathv[i]);
    globfree(&paths);
  }
  compare("glob", &first, &matched);

  NEW(walked);
  SHOW(nftw(root, visit_fully, 10, FTW_PHYS | FTW_ACTIONRETVAL));
  compare("nftw", &first, &walked);

  // It follows links: from a real /dev to the ends of the file system.
  const int bounded = strcmp(root, "/dev") != 0;
  NEW(visited);
  if (bounded) {
    SHOW(ftw(root, visit, 10));
    compare("ftw", &first, &visited);
  }
#ifndef __USE_FILE_OFFSET64
  NEW(large);
  dir = opendir(root);
  for (struct dirent64 *one; (one = readdir64(dir)) != NULL;) add(one->d_name);
  compare("readdir64", &first, &large);
  closedir(dir);
  NEW(large_reentrant);
  dir = opendir(root);
  struct dirent64 room64, *entry64;
  while (readdir64_r(dir, &room64, &entry64) == 0 && entry64 != NULL) add(entry64->d_name);
  compare("readdir64_r", &first, &large_reentrant);
  closedir(dir);
  struct dirent64 **entries64;
  NEW(large_scanned);
  found = scandir64(root, &entries64, all64, alphasort64);
  for (int i = 0; i < found; ++i) add(entries64[i]->d_name);
  compare("scandir64", &first, &large_scanned);
  NEW(large_scanned_at);
  found = scandirat64(above, root + 1, &entries64, all64, alphasort64);
  for (int i = 0; i < found; ++i) add(entries64[i]->d_name);
  compare("scandirat64", &first, &large_scanned_at);
  NEW(large_matched);
  glob64_t paths64;
  if (glob64(pattern, 0, NULL, &paths64) == 0) {
    for (size_t i = 0; i < paths64.gl_pathc; ++i) add_child(paths64.gl_pathv[i]);
  }
  compare("glob64", &first, &large_matched);
  NEW(large_walked);
  SHOW(nftw64(root, visit_fully64, 10, FTW_PHYS | FTW_ACTIONRETVAL));
  compare("nftw64", &first, &large_walked);
  NEW(large_visited);
  if (bounded) {
    SHOW(ftw64(root, visit64, 10));
    compare("ftw64", &first, &large_visited);
  }
#endif
  return 0;
}
