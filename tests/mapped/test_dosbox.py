"""dosbox with the `dma` driver of SDL 1.2: a mapped buffer, select and GETOPTR."""

import unittest

from loop import CLIENT, SERVER, LoopTest
from pc_speaker import BEEP, BEEP_HZ, BEEP_SECONDS, beep_in

DOSBOX_RATE = 44100


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
        seconds, hz = beep_in(loop.recorded(recorder, rate=DOSBOX_RATE).samples[::2], DOSBOX_RATE)
        self.assertAlmostEqual(BEEP_SECONDS, seconds, delta=0.15)
        self.assertAlmostEqual(BEEP_HZ, hz, delta=30)


if __name__ == "__main__":
    unittest.main()
