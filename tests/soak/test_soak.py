"""A minute of what tools/soak does for half an hour."""

import pathlib
import re
import subprocess
import unittest

import pairs

SOAK = pathlib.Path(__file__).with_name("soak.py")
LEAST = 3
ROLES = [
    *(f"{role} {kind}" for role in ("player", "recorder") for kind in pairs.KINDS),
    *(f"fate: {fate}" for fate in pairs.FATES),
    "formats", "rates", "recorders", "unclocked", "server that plays", "server that records",
    *(f"converting {killed}s killed as {side}" for killed in ("player", "recorder") for side in ("server", "client")),
    "both killed at once, then a server",
    "writers of one open beside busy opens", "readers of one open beside busy opens",
    "handler that is to close", "handler that is to reopen",
    "recorder whose wakers are killed",
    "redirections by vfork", "redirections: clients play", "redirections: server plays", "redirections: clients record",
    "forks beside a first open", "memory of 16 channels",
]


def limit(seconds):  # read by list_tests.py
    return lambda method: method


class Soak(unittest.TestCase):
    @limit(300)
    def test_a_minute_of_players_and_recorders_of_all_kinds(self):
        done = subprocess.run(["/usr/bin/python3", "-B", SOAK, "--seconds", "60"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        streams = int(done.stdout.split()[0])
        self.assertGreater(streams, 100)
        converting = re.search(r"^(\d+) of them killed while sound was converted, (\d+) to another rate$", done.stdout, re.M)
        self.assertGreater(min(map(int, converting.groups())), 50)
        times = {role: int(count) for count, role in re.findall(r"^ *(\d+) x (.+)$", done.stdout, re.M)}
        self.assertEqual([], [role for role in ROLES if times.get(role, 0) < LEAST])


if __name__ == "__main__":
    unittest.main()
