// spawn FILE FOLDER: children whose descriptors libc arranges inside.
#include "show.h"

#include <pty.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <utmp.h>

extern char **environ;

// Is standard output of this process a device? (The child's part.)
static int child(void) {
  struct stat status;
  if (fstat(1, &status) != 0) return 1;
  return S_ISCHR(status.st_mode) && (fcntl(1, F_GETFL) & O_ACCMODE) == O_WRONLY ? 42 : 2;
}

static void reap(pid_t process) {
  int status = 0;
  waitpid(process, &status, 0);
  printf("the child: %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status));
  fflush(stdout);
}

int main(int count, char **words) {
  if (count == 2 && strcmp(words[1], "child") == 0) return child();
  const char *file = words[1];
  char *arguments[] = {words[0], "child", NULL};
  posix_spawn_file_actions_t actions;
  pid_t process = 0;

  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addclose(&actions, 0);
  posix_spawn_file_actions_addopen(&actions, 1, file, O_WRONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  SHOW_ERROR(posix_spawn(&process, words[0], &actions, NULL, arguments, environ));
  reap(process);
  SHOW_ERROR(posix_spawnp(&process, words[0], &actions, NULL, arguments, environ));
  reap(process);
  posix_spawn_file_actions_destroy(&actions);

  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/no-such-device", O_WRONLY, 0);
  SHOW_ERROR(posix_spawn(&process, words[0], &actions, NULL, arguments, environ));
  posix_spawn_file_actions_destroy(&actions);

  // Nothing of it stayed open here.
  const int fd = (int)SHOW(open(file, O_WRONLY));
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, fd, 1);
  SHOW_ERROR(posix_spawn(&process, words[0], &actions, NULL, arguments, environ));
  reap(process);
  fflush(stdout);

  if ((process = fork()) == 0) {
    dup2(fd, 1);
    execv(words[0], arguments);
  }
  reap(process);
  if ((process = vfork()) == 0) {
    dup2(fd, 1);
    execv(words[0], arguments);
    _exit(1);
  }
  reap(process);
  SHOW(fcntl(1, F_GETFL) >= 0);

  // The terminal, or what a daemon has, takes the place of a device.
  int master;
  if ((process = forkpty(&master, NULL, NULL, NULL)) == 0) _exit(child() == 42 ? 1 : isatty(1) ? 43 : 2);
  reap(process);
  if ((process = _Fork()) == 0) {
    int slave;
    openpty(&master, &slave, NULL, NULL, NULL);
    dup2(fd, 0);
    dup2(fd, 1);
    login_tty(slave);
    _exit(child() == 42 ? 1 : isatty(0) && isatty(1) ? 44 : 2);
  }
  reap(process);
  if (chdir(words[2]) != 0) return 1;
  if ((process = fork()) == 0) {
    dup2(fd, 1);
    daemon(1, 0);
    struct stat status;
    fstat(1, &status);
    const int told = open("told", O_CREAT | O_WRONLY, 0600);
    dprintf(told, "%s\n", status.st_rdev == 0x103 ? "null" : "another");
    close(told);
    rename("told", "daemon");
    _exit(0);
  }
  reap(process);
  for (int i = 0; i < 3000 && access("daemon", F_OK) != 0; ++i) usleep(10000);
  FILE *told = fopen("daemon", "r");
  char line[16] = "";
  if (told != NULL) fgets(line, sizeof line, told);
  printf("the daemon's output: %s", line);
  return 0;
}
