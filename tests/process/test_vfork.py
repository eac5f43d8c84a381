"""A device that is opened in the child of vfork(), in its parent's memory, as some
shells do for a redirection."""

import errno
import os
import pathlib
import unittest

from driven import *
import sound
from loop import CLIENT, LIBRARY, SERVER

PROGRAM = pathlib.Path(LIBRARY).parents[1] / "tests" / "process" / "vfork"


class Vfork(DrivenTest):
    def assert_parent_is_sound(self, child, streams):
        """Whatever the child did: the parent's files are files, and it plays."""
        for engine in ("absent", "loaded", "used"):
            with self.subTest(engine=engine):
                loop = self.loop(clock="free")
                recorder = self.agent(loop)
                fd = recorder.open(SERVER, os.O_RDONLY)
                song = sound.noise(3000).bytes()
                loop.file("song.raw").write_bytes(song)
                program = loop.start(PROGRAM, child, CLIENT, "song.raw", engine)
                heard = []
                for _ in range(streams):
                    reading = recorder.later("read_to_end", fd)
                    if not reading.done(5):
                        break
                    heard.append(reading.result()[::2])
                program.succeed(5)
                self.assertEqual([(song, errno.ECONNRESET)] * streams, heard)
                self.assertEqual("ready\noutput\noutput\noutput\nkept\n", program.output)

    def test_a_shell_that_redirects_in_a_child_of_vfork_goes_on(self):
        self.assert_parent_is_sound("redirects", 4)

    def test_a_child_of_vfork_that_opens_and_ends_leaves_its_parent_sound(self):
        self.assert_parent_is_sound("leaves", 2)


if __name__ == "__main__":
    unittest.main()
