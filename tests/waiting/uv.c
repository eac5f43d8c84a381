// uv DEVICE: records in a loop of libuv's.
#include "sound.h"

#include <uv.h>

static void readable(uv_poll_t *poll, int status, int events) {
  if (status != 0 || (events & UV_READABLE) == 0) exit(1);
  record_some();
  if (recording.ended) uv_poll_stop(poll);
}

int main(int count, char **words) {
  if (count < 2) return 2;
  record_from(words[1]);
  uv_poll_t poll;
  if (uv_poll_init(uv_default_loop(), &poll, recording.fd) != 0) return 1;
  if (uv_poll_start(&poll, UV_READABLE, readable) != 0) return 1;
  uv_run(uv_default_loop(), UV_RUN_DEFAULT);
  return report();
}
