"""dosbox with the `dma` driver of SDL 1.2: a mapped buffer, select and GETOPTR."""

import unittest

from loop import CLIENT, SERVER, LoopTest

DOSBOX_RATE = 44100

# Sets the speaker's timer to 1000 Hz, lets it sound for 18 ticks of 54.9 ms, ends.
BEEP = bytes.fromhex(
    "b0b6e643 b8a904e642 88e0e642 e4610c03e661"
    "b400cd1a89d383c312 b400cd1a39da72f8 e46124fce661 c3"
)
BEEP_SECONDS = 18 * 65536 / 1193182


class Dosbox(LoopTest):
    def test_the_dma_driver_plays_a_second_of_the_pc_speaker(self):
        # It times the beep by a clock of its own.
        self.assert_once(self.beep)

    def beep(self):
        loop = self.loop(underrun="stall", eof="reset")
        loop.file("BEEP.COM").write_bytes(BEEP)
        recorder = loop.partner_records(SERVER, rate=DOSBOX_RATE)
        loop.wait_until_listening(recorder)
        loop.start(
            "dosbox", "-c", f"mount c {loop.work}", "-c", "c:", "-c", "beep", "-c", "exit",
            env={"SDL_VIDEODRIVER": "dummy", "SDL_AUDIODRIVER": "dma", "AUDIODEV": CLIENT},
        ).succeed(40)
        left = loop.recorded(recorder, rate=DOSBOX_RATE).samples[::2]
        loud = [index for index, sample in enumerate(left) if abs(sample) > 1000]
        self.assertTrue(loud, "nothing but silence")
        heard = left[loud[0] : loud[-1]]
        self.assertAlmostEqual(BEEP_SECONDS, len(heard) / DOSBOX_RATE, delta=0.15)
        rises = sum(a <= 0 < b for a, b in zip(heard, heard[1:]))
        self.assertAlmostEqual(1000, rises / len(heard) * DOSBOX_RATE, delta=30)


if __name__ == "__main__":
    unittest.main()
