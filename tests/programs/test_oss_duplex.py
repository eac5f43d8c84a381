"""What OSS 4's programs for both ways do (ossphone, fulldup, iosync, seltest2), by a
program of our own: one descriptor that plays and records."""

import os
import pathlib
import unittest

import sound
from headset import HeadsetTest
from loop import LIBRARY, client, server

DUPLEX = pathlib.Path(os.environ.get("OSSLOOP_LIBRARY", LIBRARY)).parents[1] / "tests/programs/oss_duplex"


class OssDuplex(HeadsetTest):
    def start(self, loop, *words):
        return self.wait_until_ready(loop.start(DUPLEX, *words))

    def test_one_select_serves_both_ways_of_a_descriptor(self):
        self.assert_echoes(lambda loop: self.start(loop, "echo", self.plays_on), sound.noise(60_001))

    def test_two_programs_hear_each_other_at_once(self):
        loop = self.headset()
        songs, files = [], []
        for name, device in (("far", self.hears), ("near", self.plays_on)):
            songs.append(sound.noise(40_001, seed=len(songs)))
            loop.file(f"{name}.song").write_bytes(songs[-1].bytes())
            files.append(loop.file(f"{name}.heard"))
            self.start(loop, "talk", device, f"{name}.song", files[-1])
        enough = 4 * 4 * 40_001
        self.wait_until(lambda: all(file.stat().st_size >= enough for file in files))
        for song, file in zip(songs, reversed(files)):
            self.assert_contains(song, sound.from_bytes(file.read_bytes()[:enough]))

    def test_a_telephone_joins_two_headsets(self):
        loop = self.headset(instances=2)
        said = [sound.noise(60_001, seed=n) for n in range(2)]
        listeners = [loop.partner_records(server(n)) for n in range(2)]
        for n, listener in enumerate(listeners):
            loop.wait_until_listening(listener)
            loop.wait_until_listening(loop.partner_plays(server(n), said[n] + sound.silence(480_000)))
        program = self.start(loop, "phone", client(0), client(1))
        for n, listener in enumerate(listeners):
            self.assert_contains(said[1 - n], self.heard(listener, 60_001 + 96_000, program))

    def test_one_trigger_starts_both_ways_at_once(self):
        # Its clocks wait for nobody.
        loop = self.headset(underrun="silence", overrun="drop")
        self.listener(loop)
        loop.wait_until_listening(self.speaker(loop, sound.noise(48_000)))
        told = loop.start(DUPLEX, "together", self.plays_on).report()
        self.assertEqual(0, told["before"])
        # A tick: what a trigger finds in the ring and what comes later differ by no more.
        self.assertLessEqual(told["apart"], 4 * 480, told)
        self.assertGreater(told["in"], 100 * 1024)
        self.assertGreater(told["out"], 100 * 1024)


if __name__ == "__main__":
    unittest.main()
