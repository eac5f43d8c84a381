"""Where libsoxr is missing, sound of another rate is an error and is lost, and what is of
the recorder's own rate is heard."""

import errno
import os
import unittest

from hardship import *
import sound


class WithoutSoxr(DrivenTest):
    def test_a_player_of_another_rate_spoils_nothing_for_the_next(self):
        loop = self.loop(clock="free")
        libraries = "/usr/lib/*/libsoxr.so.0"
        server = self.agent(loop, wrapper=in_namespace(self, f"for l in {libraries}; do mount --bind /dev/null $l; done"))
        client = self.agent(loop)
        recording = server.open(SERVER, os.O_RDONLY)
        playing = client.open(CLIENT, os.O_WRONLY)
        client.set_format(playing, S16_LE, 2, 44100)
        client.write(playing, bytes(4000))
        self.assert_errno(errno.ENOSYS, server.read, recording, 4000)
        played = sound.count(1000).bytes()
        client.set_format(playing, S16_LE, 2, 48000)
        client.write(playing, played)
        self.assertEqual(played, server.read_bytes(recording, len(played)))


if __name__ == "__main__":
    unittest.main()
