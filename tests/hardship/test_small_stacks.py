"""Threads of the least stack that there is may name files, whatever these are called,
and devices."""

import unittest

from hardship import *

SMALL_KIB = (16, 24)
LOOK_UP_BYTES = 4096


class SmallStacks(LoopTest):
    def setUp(self):
        self.here = self.loop()
        self.files = self.here.work / "files"
        self.files.mkdir()
        (self.files / "dsp").write_text("a file like any other")
        for name, target in (("mixer", "dsp"), ("loop", "."), ("lost", "nothing")):
            (self.files / name).symlink_to(target)

    def lines(self, *words, preload=True, device=SERVER):
        how, *more = words
        program = self.here.start(PROGRAMS / "stacks", how, self.files, device, *more, preload=preload)
        return program.succeed().output.splitlines()

    def test_a_look_up_takes_no_more_than_4_kib_of_stack(self):
        def depths(preload):
            split = (line.rpartition(": ") for line in self.lines("depth", preload=preload))
            return {call: int(depth) for call, _, depth in split}

        expected, got = depths(False), depths(True)
        self.assertEqual(list(expected), list(got))
        self.assertGreater(len(got), 150)
        more = {call: got[call] - expected[call] for call in got}
        self.assertEqual({}, {call: bytes for call, bytes in more.items() if bytes > LOOK_UP_BYTES})

    def test_a_small_thread_may_name_any_file(self):
        for kib in SMALL_KIB:
            with self.subTest(kib=kib):
                self.assertEqual(self.lines(kib, preload=False), self.lines(kib))

    def test_a_small_thread_may_name_a_device_through_links(self):
        (self.files / "device").symlink_to("/dev/mixer")
        (self.files / "dev").symlink_to("/dev")
        for path in (SERVER, "device", "dev/dsp"):
            with self.subTest(path):
                told = [line.partition('") = ') for line in self.lines("device", 24, device=path)]
                results = {call.rpartition(" ")[2].partition("(")[0]: result for call, _, result in told}
                for call in ("openat", "open") if path == SERVER else ():
                    self.assertEqual("0", results[call])
                for call in ("stat", "statx", "access", "faccessat"):
                    self.assertEqual("0", results[call])


if __name__ == "__main__":
    unittest.main()
