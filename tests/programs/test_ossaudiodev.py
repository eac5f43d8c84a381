"""Debian's Python and its module ossaudiodev: opens non-blocking, then clears
the flag; asks with SETFMT 0 and CHANNELS 0; writes to the last byte."""

import unittest

from case import Command, PartTest, lengths
from loop import PYTHON

OPEN = """
import sys, wave, warnings
warnings.simplefilter("ignore")
import ossaudiodev as oss
device, path, mode, channels, rate, frames = *sys.argv[1:4], *map(int, sys.argv[4:7])
dsp = oss.open(device, mode)
assert dsp.setparameters(oss.AFMT_S16_LE, channels, rate, True) == (oss.AFMT_S16_LE, channels, rate)
"""

PLAY = OPEN + """
dsp.writeall(wave.open(path).readframes(frames))
dsp.close()
"""

RECORD = OPEN + """
data = bytearray()
while len(data) < frames * channels * 2:
    data += dsp.read(min(4096, frames * channels * 2 - len(data)))
out = wave.open(path, "wb")
out.setparams((channels, 2, rate, 0, "NONE", ""))
out.writeframes(data)
out.close()
"""

def run(script, mode):
    def part(device, file, played):
        arguments = [device, file, mode, played.channels, played.rate, played.frames]
        return Command([PYTHON, "-E", "-c", script, *arguments])

    return part

plays, records = run(PLAY, "w"), run(RECORD, "r")

class Ossaudiodev(PartTest):
    def test_client_plays_every_length_bit_for_bit(self):
        for played in lengths():
            with self.subTest(frames=played.frames):
                self.assert_identical(played, self.client_plays(plays, played))

    def test_server_plays_every_length_bit_for_bit(self):
        for played in lengths(44100):
            with self.subTest(frames=played.frames):
                self.assert_identical(played, self.server_plays(plays, played))

    def test_client_records_every_length_bit_for_bit(self):
        for played in lengths():
            with self.subTest(frames=played.frames):
                self.assert_identical(played, self.client_records(records, played))

    def test_server_records_every_length_bit_for_bit(self):
        for played in lengths(44100):
            with self.subTest(frames=played.frames):
                self.assert_identical(played, self.server_records(records, played))

if __name__ == "__main__":
    unittest.main()
