"""Two maps of one descriptor: one is recorded into, the other played from."""

import pathlib
import unittest

import sound
from loop import CLIENT, LIBRARY, SERVER, LoopTest

DUPLEX = pathlib.Path(LIBRARY).parents[1] / "tests" / "mapped" / "duplex"


class BothWays(LoopTest):
    def test_two_maps_of_one_descriptor_play_what_they_record(self):
        # A program that is later than its buffer is long spoils the sound.
        self.assert_once(self.echoes)

    def echoes(self):
        loop = self.loop(duplex="on", underrun="stall", eof="silence", buffer_ms=1000)
        said = sound.noise(60_001)
        listener = loop.wait_until_listening(loop.partner_records(SERVER))
        loop.wait_until_listening(loop.partner_plays(SERVER, said + sound.silence(480_000)))
        program = self.wait_until_ready(loop.start(DUPLEX, CLIENT))
        enough = 4 * (said.frames + 96_000)
        self.wait_until(lambda: listener.recording.stat().st_size >= enough)
        self.assertEqual("", program.errors)
        self.assert_contains(said, sound.from_bytes(listener.recording.read_bytes()[:enough]))


if __name__ == "__main__":
    unittest.main()
