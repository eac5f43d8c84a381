"""A player runs as long as its sound lasts, as on a sound card."""

import time
import unittest

import sound
from case import PartTest, sox_buffer
from loop import CLIENT, SERVER, limit, serial


class Pace(PartTest):
    def assert_takes(self, seconds, late, play):
        """Never less, and no more than so much more."""
        def lateness():
            took = play()
            self.assertGreaterEqual(took, seconds)
            return took - seconds

        self.assert_quick(late, lateness)

    def partner_takes(self, played, **conf):
        loop = self.loop(underrun="stall", **conf)
        recorder = loop.partner_records(SERVER)
        loop.wait_until_listening(recorder)
        report = loop.partner_plays(CLIENT, played).report()
        self.assert_identical(played, loop.recorded(recorder))
        return report["seconds"]

    @serial
    @limit(300)
    def test_ten_seconds_of_sound_take_ten_seconds(self):
        self.assert_takes(10, 0.1, lambda: self.partner_takes(sound.silence(480000)))

    @serial
    def test_playing_3_51_s_and_closing_takes_3_51_s(self):
        played = sound.noise(round(3.51 * 48000))
        self.assert_takes(3.51, 0.05 * 3.51, lambda: self.partner_takes(played))

    @serial
    def test_sox_plays_3_51_s_in_3_51_s(self):
        def takes(clock):
            loop = self.loop(clock=clock)
            file = sound.write_wav(loop.file("song.wav"), played)
            recorder = loop.partner_records(SERVER)
            loop.wait_until_listening(recorder)
            start = time.monotonic()
            loop.start("sox", "-q", *sox_buffer(played), file, "-t", "oss", CLIENT).succeed()
            return time.monotonic() - start

        played = sound.noise(round(3.51 * 44100), 44100)
        # Its start takes its time without a clock as well.
        self.assert_takes(3.51, 0.05 * 3.51 + takes("free"), lambda: takes("realtime"))

    @serial
    def test_a_clock_four_times_as_fast_takes_a_quarter(self):
        self.assert_takes(1, 0.05, lambda: self.partner_takes(sound.silence(4 * 48000), clock=4))


if __name__ == "__main__":
    unittest.main()
