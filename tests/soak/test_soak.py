"""A minute of what tools/soak does for half an hour."""

import pathlib
import re
import subprocess
import unittest

from soak import ROLES

SOAK = pathlib.Path(__file__).with_name("soak.py")
LEAST = 3


def limit(seconds):  # read by list_tests.py
    return lambda method: method


class Soak(unittest.TestCase):
    @limit(300)
    def test_a_minute_of_players_and_recorders_of_all_kinds(self):
        done = subprocess.run(["/usr/bin/python3", "-B", SOAK, "--seconds", "60", "--least", str(LEAST)],
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        streams = int(done.stdout.split()[0])
        self.assertGreater(streams, 100)
        converting = re.search(r"^(\d+) of them killed while sound was converted, (\d+) to another rate$", done.stdout, re.M)
        self.assertGreater(min(map(int, converting.groups())), 50)
        times = {role: int(count) for count, role in re.findall(r"^ *(\d+) x (.+)$", done.stdout, re.M)}
        self.assertEqual([], [role for role in ROLES if times.get(role, 0) < LEAST])


if __name__ == "__main__":
    unittest.main()
