"""A player runs as long as its sound lasts, as on a sound card."""

import time
import unittest

import sound
from case import PartTest, sox_buffer
from loop import CLIENT, SERVER, serial


class Pace(PartTest):
    @serial
    def test_ten_seconds_of_sound_take_ten_seconds(self):
        loop = self.loop()
        recorder = loop.partner_records(SERVER)
        loop.wait_until_listening(recorder)
        report = loop.partner_plays(CLIENT, sound.silence(480000)).report()
        self.assertAlmostEqual(10, report["seconds"], delta=0.1)
        self.assertEqual(480000 * 4, recorder.report()["bytes"])

    @serial
    def test_playing_3_51_s_and_closing_takes_3_51_s(self):
        loop = self.loop()
        recorder = loop.partner_records(SERVER)
        loop.wait_until_listening(recorder)
        played = sound.noise(round(3.51 * 48000))
        report = loop.partner_plays(CLIENT, played).report()
        self.assertAlmostEqual(3.51, report["seconds"], delta=0.05 * 3.51)
        self.assert_identical(played, loop.recorded(recorder))

    @serial
    def test_sox_plays_3_51_s_in_3_51_s(self):
        loop = self.loop()
        played = sound.noise(round(3.51 * 44100), 44100)
        file = sound.write_wav(loop.file("song.wav"), played)
        recorder = loop.partner_records(SERVER)
        loop.wait_until_listening(recorder)
        start = time.monotonic()
        loop.start("sox", "-q", *sox_buffer(played), file, "-t", "oss", CLIENT).succeed()
        self.assertAlmostEqual(3.51, time.monotonic() - start, delta=0.05 * 3.51)

    @serial
    def test_a_clock_four_times_as_fast_takes_a_quarter(self):
        loop = self.loop(clock=4)
        recorder = loop.partner_records(SERVER)
        loop.wait_until_listening(recorder)
        report = loop.partner_plays(CLIENT, sound.silence(4 * 48000)).report()
        self.assertAlmostEqual(1, report["seconds"], delta=0.05)


if __name__ == "__main__":
    unittest.main()
