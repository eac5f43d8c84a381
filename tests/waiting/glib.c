// glib DEVICE: records in a main loop of GLib's.
#include "sound.h"

#include <glib.h>

static gboolean readable(GIOChannel *channel, GIOCondition condition, gpointer loop) {
  (void)channel;
  if ((condition & G_IO_IN) == 0) exit(1);
  record_some();
  if (recording.ended) g_main_loop_quit(loop);
  return !recording.ended;
}

int main(int count, char **words) {
  if (count < 2) return 2;
  record_from(words[1]);
  GMainLoop *loop = g_main_loop_new(NULL, FALSE);
  GIOChannel *channel = g_io_channel_unix_new(recording.fd);
  g_io_add_watch(channel, G_IO_IN | G_IO_ERR | G_IO_HUP, readable, loop);
  g_main_loop_run(loop);
  g_io_channel_unref(channel);
  g_main_loop_unref(loop);
  return report();
}
