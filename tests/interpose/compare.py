"""Runs the C programs of this folder with the library on a device, and without it
on an oracle: whatever shows honestly what a character device does. What they
print must agree, line by line, except for what a test names.
"""

import os
import pathlib

from loop import CLIENT, LIBRARY, PYTHON, ROOT, SERVER, LoopTest, limit, serial

WAYS = ("plain", "fortified", "large")
PROGRAMS = pathlib.Path(LIBRARY).parents[1] / "tests" / "interpose"

# So that what a program does to a real /dev does not happen.
NOBODY = 65534
AS_NOBODY = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]


def program(name, way):
    return PROGRAMS / f"{name}-{way}"


class CompareTest(LoopTest):
    maxDiff = None

    def lines(self, loop, words, preload=True, statuses=(0,), **options):
        """What a program prints."""
        done = loop.start(*words, preload=preload, **options).succeed(statuses=statuses)
        return done.output.splitlines()

    def compare(self, name, oracle, *more, device=SERVER, differences=None, **conf):
        """`differences` maps a line's beginning to what the device's line says
        after it, where a device honestly differs from the oracle."""
        for way in WAYS:
            with self.subTest(way):
                loop = self.loop(**conf)
                expected = self.lines(loop, [program(name, way), oracle, *more], preload=False)
                got = self.lines(loop, [program(name, way), device, *more])
                self.assert_agree(expected, got, differences or {})

    def assert_agree(self, expected, got, differences):
        unused = set(differences)
        wanted = []
        for line in expected:
            for beginning, rest in differences.items():
                if line.startswith(beginning):
                    line = beginning + rest
                    unused.discard(beginning)
            wanted.append(line)
        self.assertEqual(wanted, got)
        self.assertGreater(len(got), 3)
        self.assertFalse(unused, "named as a difference, never met")


__all__ = [
    "AS_NOBODY", "CLIENT", "CompareTest", "LIBRARY", "LoopTest", "NOBODY", "PROGRAMS", "PYTHON", "ROOT",
    "SERVER", "WAYS", "limit", "os", "program", "serial",
]
