// stream write FILE | stream read FILE: stdio in the ways programs use it. What
// is written and read is counted in bytes, 4 to a frame.
#include "show.h"

#include <stdarg.h>
#include <sys/wait.h>

// 1000 frames of 4 bytes.
static char song[4000];

static int print_list(int fd, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int result = vdprintf(fd, format, arguments);
  va_end(arguments);
  return result;
}

static int writing(const char *path) {
  FILE *file = SHOW_POINTER(fopen(path, "w"));
  if (file == NULL) return 1;
  SHOW(fileno(file));
  SHOW(fcntl(fileno(file), F_GETFL) & O_ACCMODE);
  SHOW(fcntl(fileno(file), F_GETFD));
  SHOW(fwrite(song, 4, 1000, file));
  SHOW(fflush(file));
  SHOW(fprintf(file, "%04d", 1234));
  SHOW(fputs("abcd", file));
  for (int i = 0; i < 4; ++i) putc('a' + i, file);
  SHOW(ftell(file));
  SHOW(fseek(file, 0, SEEK_SET));
  SHOW(fgetc(file));
  SHOW(ferror(file) != 0);
  clearerr(file);
  SHOW(fclose(file));

  file = SHOW_POINTER(fopen(path, "we"));
  SHOW(fcntl(fileno(file), F_GETFD));
  SHOW(setvbuf(file, NULL, _IONBF, 0));
  SHOW(fputs("efgh", file));
  SHOW(fclose(file));

  file = SHOW_POINTER(fopen(path, "w"));
  SHOW(setvbuf(file, NULL, _IOLBF, 4096));
  SHOW(fputs("lin\n", file));
  // A child writes what it inherits unwritten, and so does its parent.
  SHOW(fputs("both", file));
  fflush(stdout);
  if (fork() == 0) {
    fclose(file);
    _exit(0);
  }
  wait(NULL);
  SHOW(fclose(file));

  const int fd = (int)SHOW(open(path, O_WRONLY));
  SHOW_POINTER(fdopen(fd, "r"));
  SHOW_POINTER(fdopen(fd, "x"));
  file = SHOW_POINTER(fdopen(fd, "a"));
  SHOW(fcntl(fd, F_GETFL) & O_APPEND);
  SHOW(fwrite(song, 1, 4000, file));
  SHOW(dprintf(fd, "%s", "dpri"));
  SHOW(print_list(fd, "%s", "ntf!"));
  SHOW(fclose(file));
  SHOW(fcntl(fd, F_GETFD));

  // One object, opened anew again and again.
  file = SHOW_POINTER(fopen("/dev/zero", "r"));
  file = SHOW_POINTER(freopen(path, "w", file));
  SHOW(fputs("anew", file));
  FILE *same = file;
  file = SHOW_POINTER(freopen(path, "w", file));
  SHOW(file == same);
  SHOW(fputs("anew", file));
  file = SHOW_POINTER(freopen("/dev/zero", "r", file));
  SHOW(fgetc(file));
  SHOW(fclose(file));
#ifndef __USE_FILE_OFFSET64
  file = SHOW_POINTER(fopen64(path, "w"));
  SHOW(fputs("64bt", file));
  file = SHOW_POINTER(freopen64(path, "w", file));
  SHOW(fputs("64bt", file));
  SHOW(fclose(file));
#endif

  // Left to the program's exit.
  file = SHOW_POINTER(fopen(path, "w"));
  SHOW(fputs("last", file));
  return 0;
}

static int reading(const char *path) {
  FILE *file = SHOW_POINTER(fopen(path, "r"));
  if (file == NULL) return 1;
  char data[4000];
  SHOW(fread(data, 1, 2000, file));
  SHOW(data[0]);
  SHOW(fgetc(file));
  SHOW(ungetc('x', file));
  SHOW(fgetc(file));
  SHOW(fputc('x', file));
  clearerr(file);
  SHOW(fread(data, 1, 1999, file));
  // The stream's end is told once, as the device tells it.
  SHOW(fread(data, 1, 4000, file));
  SHOW(feof(file) != 0);
  SHOW(ferror(file) != 0);
  SHOW(fclose(file));
  return 0;
}

// The standard streams: stream print, stream count, stream exchange FILE.
static int printing(void) {
  printf("%s", "prin");
  puts("put");
  fputs("fput", stdout);
  putchar('c');
  fwrite("har", 1, 3, stdout);
  perror("per");
  fprintf(stderr, "er\n");
  return 0;
}

static int exchanging(const char *path) {
  printf("early...");
  fflush(stdout);
  const int kept = dup(1);
  const int fd = open(path, O_WRONLY);
  dup2(fd, 1);
  close(fd);
  printf("to the device...");
  fflush(stdout);
  printf("...again");  // not written yet: it goes back with the number
  dup2(kept, 1);
  printf(", and back\n");
  fflush(stdout);
  if (freopen(path, "w", stdout) == NULL) return 1;
  printf("anew");
  return 0;
}

int main(int count, char **words) {
  for (size_t i = 0; i < sizeof song; ++i) song[i] = (char)i;
  const char *what = words[1];
  if (count == 3 && strcmp(what, "write") == 0) return writing(words[2]);
  if (count == 3 && strcmp(what, "read") == 0) return reading(words[2]);
  if (count == 3 && strcmp(what, "exchange") == 0) return exchanging(words[2]);
  if (strcmp(what, "print") == 0) return printing();
  if (strcmp(what, "count") == 0) {
    long bytes = 0;
    while (getchar() != EOF) ++bytes;
    fprintf(stderr, "%ld bytes, %s\n", bytes, ferror(stdin) ? strerrorname_np(errno) : "end");
    return 0;
  }
  return 2;
}
