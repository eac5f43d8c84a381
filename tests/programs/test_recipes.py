"""The recipes of RECIPES.md, as they stand there."""

import itertools
import statistics
import unittest

import sound
from control import ControlTest
from loop import CONTROL, LIMIT_SECONDS, ROOT

RATE, HZ, SECONDS = 48000, 440, 6
SAID = sound.tone(SECONDS, hz=(HZ, HZ))


class Recipes(ControlTest):
    def follow(self, heading):
        """Runs what stands indented below a heading."""
        section = (ROOT / "RECIPES.md").read_text().split(f"\n## {heading}\n")[1].split("\n## ")[0]
        script = "".join(line[4:] + "\n" for line in section.splitlines() if line.startswith("    "))
        loop = self.loop()
        sound.write_wav(loop.file("said.wav"), SAID)
        path = loop.environment()["PATH"]
        env = {"PATH": f"{CONTROL.parent}:{path}"}
        # Not -e: bplay ends with 255 whatever it has done.
        loop.start("sh", "-c", script, env=env, preload=False).succeed(seconds=3 * LIMIT_SECONDS)
        return loop

    def assert_tone(self, heard, part=0.9):
        """So much of the tone has come, whatever a codec has made of it. Who receives packets leaves out or
        repeats a period where one is late: so the middle one of its periods is looked at."""
        samples = heard.channel(0).samples
        rises = [i - samples[i] / (samples[i] - samples[i - 1]) for i in range(1, len(samples))
                 if samples[i - 1] < 0 <= samples[i] and max(samples[i:i + RATE // HZ]) > 8000]
        self.assertGreater(len(rises), part * SECONDS * HZ)
        period = statistics.median(after - before for before, after in itertools.pairwise(rises))
        self.assertAlmostEqual(HZ, RATE / period, delta=0.5)

    def test_a_recorder_that_keeps_its_file(self):
        loop = self.follow("A recorder that keeps its file")
        for name in "heard.wav", "take-001.wav", "take-002.wav", "take-003.wav":
            self.assert_identical(SAID, sound.read_wav(loop.file(name)))

    def test_a_telephone_call(self):
        self.assert_tone(sound.read_wav(self.follow("A telephone call").file("heard.wav")))

    def test_sound_over_the_network(self):
        self.assert_tone(sound.read_wav(self.follow("Sound over the network, by RTP").file("heard.wav")))

    def test_a_radio_station(self):
        # Who listens has come later.
        self.assert_tone(sound.read_wav(self.follow("A radio station").file("heard.wav")), part=0.4)


if __name__ == "__main__":
    unittest.main()
