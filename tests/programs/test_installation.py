"""What is installed, and where."""

import subprocess
import unittest

from control import ControlTest
from loop import LIBRARY


class Installation(ControlTest):
    def test_below_another_prefix_all_is_there_and_nothing_elsewhere(self):
        loop = self.loop()
        prefix = loop.file("prefix")
        # As a component, so that the list of what the user installed stays.
        words = ["cmake", "--install", LIBRARY.parents[1], "--prefix", prefix, "--component", "Unspecified"]
        done = loop.run(*words)
        for line in done.output.splitlines():
            if line.startswith("-- Installing: "):
                self.assertTrue(line.startswith(f"-- Installing: {prefix}/"), line)
        self.assertTrue((prefix / "etc/oss4/conf/oss_audioloop.conf").exists())
        alsa = (prefix / "share/ossloop/alsa.conf").read_text()
        self.assertIn(f'"{prefix}/share/ossloop"', alsa)
        listed = subprocess.run(
            [prefix / "bin/ossloopctl", "run", "--alsa", "--", "aplay", "-L"],
            env=loop.environment(preload=False), capture_output=True, text=True, check=False)
        self.assertIn("the loop of ossloop", listed.stdout)
        by_hand = loop.start("aplay", "-L", env={"ALSA_CONFIG_PATH": prefix / "share/ossloop/alsa.conf"}).succeed()
        self.assertEqual(listed.stdout, by_hand.output)
        shown = subprocess.run(
            [prefix / "bin/ossloopctl", "run", "--", "ls", "/dev/dsp"],
            env=loop.environment(preload=False), capture_output=True, text=True, check=False,
        )
        self.assertEqual((0, "/dev/dsp\n", ""), (shown.returncode, shown.stdout, shown.stderr))
        drawn = subprocess.run([prefix / "bin/ossloopctl", "plot", "nothing.wav"],
                               env=loop.environment(preload=False), capture_output=True, text=True, check=False)
        self.assertEqual((1, "ossloopctl: nothing.wav: No such file or directory\n"), (drawn.returncode, drawn.stderr))


if __name__ == "__main__":
    unittest.main()
