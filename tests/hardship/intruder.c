// What lies in the place of the engine in somebody else's folder: it tells that its
// code has run in this process.
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

__attribute__((constructor)) static void run(void) {
  const char *told = getenv("INTRUDER_TELLS");
  if (told != NULL) close(open(told, O_WRONLY | O_CREAT, 0600));
}
