"""What other libraries do inside the library's own thread is not the program's: a file
that is opened there is compared with no descriptor of the program."""

import unittest

from hardship import *
import sound

OPENER = PROGRAMS / "opener.so"


class OwnThread(LoopTest):
    def assert_plays(self, preload, what):
        loop = self.loop(underrun="stall")
        played = sound.noise(72000).bytes()
        loop.file("song.raw").write_bytes(played)
        recorder = loop.partner_records(SERVER)
        loop.wait_until_listening(recorder)
        player = loop.start(PROGRAMS / "carrier", CLIENT, loop.file("song.raw"),
                            env={"LD_PRELOAD": preload, "OPENER": what})
        self.assertEqual((0, "kept\n"), (player.wait(), player.output), player.errors)
        recorder.succeed()
        self.assertEqual(played, recorder.recording.read_bytes())

    def assert_plays_beside(self, what):
        for preload in (f"{LIBRARY}:{OPENER}", f"{OPENER}:{LIBRARY}"):
            with self.subTest(preload):
                self.assert_plays(preload, what)

    def test_a_library_that_opens_files_in_no_thread(self):
        self.assert_plays_beside("nothing")

    def test_a_library_that_opens_a_file_whenever_somebody_asks_for_the_time(self):
        self.assert_plays_beside("clock")

    def test_a_library_that_opens_a_file_whenever_somebody_asks_for_memory(self):
        self.assert_plays_beside("memory")


if __name__ == "__main__":
    unittest.main()
