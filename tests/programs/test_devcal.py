"""svxlink's devcal: opens for both ways to ask whether that works, and plays a tone."""

import math
import signal
import subprocess
import unittest

from headset import HeadsetTest

RATE = 16000  # the card's, whatever CARD_SAMPLE_RATE says
PERIOD = RATE // 1000

CONFIG = """
[GLOBAL]
CARD_SAMPLE_RATE=48000
CARD_CHANNELS=1

[Tx1]
TYPE=Local
AUDIO_DEV=oss:{device}
AUDIO_CHANNEL=0
PTT_TYPE=NONE
TX_DELAY=0
"""


def tone_in(samples):
    """The amplitude of a sine of PERIOD, and of all that is beside it."""
    turns = [2 * math.pi * n / PERIOD for n in range(len(samples))]
    in_phase = 2 * sum(s * math.cos(turn) for s, turn in zip(samples, turns)) / len(samples)
    across = 2 * sum(s * math.sin(turn) for s, turn in zip(samples, turns)) / len(samples)
    rest = [s - in_phase * math.cos(turn) - across * math.sin(turn) for s, turn in zip(samples, turns)]
    return math.hypot(in_phase, across), math.sqrt(2 * sum(r * r for r in rest) / len(rest))


class Devcal(HeadsetTest):
    def test_its_transmitter_is_heard_without_a_gap(self):
        loop = self.headset()
        listener = self.listener(loop, RATE)
        loop.file("svx.conf").write_text(CONFIG.format(device=self.plays_on))
        program = loop.start("devcal", "-t", "-f", 1000, "svx.conf", "Tx1", stdin=subprocess.PIPE)
        self.addCleanup(program.process.stdin.close)
        program.process.stdin.write(b"T")
        program.process.stdin.flush()
        got = self.heard(listener, 3 * RATE, program, RATE)
        # It plays on the first channel, and its filters take a while.
        self.assertFalse(any(got.samples[1::2]), "there is sound on the second channel")
        amplitude, rest = tone_in(got.samples[::2][RATE : 3 * RATE])
        self.assertGreater(amplitude, 1000)
        self.assertLess(rest, 1)
        # It crashes as it ends, with any device.
        program.process.stdin.write(b"Q")
        program.process.stdin.flush()
        program.succeed(statuses=(0, -signal.SIGBUS, -signal.SIGSEGV))


if __name__ == "__main__":
    unittest.main()
