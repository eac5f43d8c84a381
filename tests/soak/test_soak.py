"""A minute of what tools/soak does for half an hour."""

import pathlib
import subprocess
import unittest

SOAK = pathlib.Path(__file__).with_name("soak.py")


def limit(seconds):  # read by list_tests.py
    return lambda method: method


class Soak(unittest.TestCase):
    @limit(150)
    def test_a_minute_of_players_and_recorders_that_come_and_go(self):
        done = subprocess.run(["/usr/bin/python3", "-B", SOAK, "--seconds", "60"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        streams = int(done.stdout.split()[0])
        self.assertGreater(streams, 40)


if __name__ == "__main__":
    unittest.main()
