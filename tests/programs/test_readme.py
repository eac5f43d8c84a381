"""The examples of README.md."""

import re
import subprocess
import unittest

import pages
import sound
from control import ControlTest
from loop import CONTROL, LIMIT_SECONDS


class Readme(ControlTest):
    def test_the_example_of_a_test_passes_and_sees_a_failure(self):
        script = pages.script("README.md", "In a test of your own")
        play = re.search(r"^ossloopctl play .*$", script, re.MULTILINE).group()
        other = re.search(r"# or what is to be tested: (.*)", play).group(1)
        self.assertIn(" -- player in.wav", other)
        player = other.replace("player in.wav", "mpg123 -q -o oss in.mp3")
        for line, status in ((play, 0), (player, 1), ("ossloopctl play nothing.wav", 1)):
            with self.subTest(line):
                loop = self.loop()
                sound.write_wav(loop.file("in.wav"), sound.noise(44100, rate=44100))
                loop.run("ffmpeg", "-loglevel", "error", "-i", "in.wav", "-t", "0.5", "in.mp3")
                environment = loop.environment(preload=False)
                environment["PATH"] = f"{CONTROL.parent}:{environment['PATH']}"
                done = subprocess.run(
                    ["sh", "-c", script.replace(play, line)],
                    env=environment, cwd=loop.work, capture_output=True, text=True,
                    timeout=LIMIT_SECONDS, check=False,
                )
                self.assertEqual(status, done.returncode, done.stderr)

    def test_a_program_that_speaks_alsa_is_recorded(self):
        script = pages.script("README.md", "A sound card for a container")
        loop = self.loop()
        played = sound.noise(48000)
        sound.write_wav(loop.file("song.wav"), played)
        environment = loop.environment(preload=False)
        environment["PATH"] = f"{CONTROL.parent}:{environment['PATH']}"
        done = subprocess.run(["sh", "-c", f"{script}\nwait"], env=environment, cwd=loop.work, capture_output=True,
                              text=True, timeout=LIMIT_SECONDS, check=False)
        self.assertEqual(0, done.returncode, done.stderr)
        self.assert_begins_with(played, sound.read_wav(loop.file("out.wav")), 48000)


if __name__ == "__main__":
    unittest.main()
