"""The table of names, and what must agree with it."""

import re
import subprocess
import unittest

from compare import *

TABLE = ROOT / "shim" / "names.txt"


def table():
    lines = (line.partition("#")[0].strip() for line in TABLE.read_text().splitlines())
    return [line for line in lines if line]


def symbols(*words):
    output = subprocess.run(["nm", *map(str, words)], capture_output=True, text=True, check=True).stdout
    return {line.split()[-1].partition("@")[0] for line in output.splitlines() if re.match(r"\S* +\w ", line)}


class Names(unittest.TestCase):
    maxDiff = None

    def test_the_table_lists_each_name_once(self):
        names = table()
        self.assertEqual(sorted(set(names)), sorted(names))

    def test_the_library_exports_what_the_table_lists(self):
        exported = symbols("-D", "--defined-only", LIBRARY)
        self.assertEqual(sorted(table()), sorted(exported))

    def test_the_core_calls_no_name_that_the_library_exports(self):
        used = symbols("-u", LIBRARY.with_name("libossloop_lib.a"))
        self.assertIn("syscall", used)
        self.assertEqual(set(), used & set(table()))

    def test_each_name_is_called_by_a_test_program(self):
        called = set()
        ways = [path for path in PROGRAMS.iterdir() if path.name.rpartition("-")[2] in WAYS]
        for path in [*ways, PROGRAMS.with_name("waiting") / "uring"]:
            called |= symbols("-D", "-u", path)
        self.assertEqual(set(), set(table()) - called)


if __name__ == "__main__":
    unittest.main()
