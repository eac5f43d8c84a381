"""Where the library's own thread can have no descriptor table of its own, because
close_range is refused, processes that share an open still take turns."""

import errno
import unittest

from hardship import *

FRAMES = 100000000


class WithoutATable(LoopTest):
    def assert_all_arrive_once(self, family, number, *more):
        loop = self.loop(tick_ms=1, clock="free")
        checker = loop.start(PROGRAMS / "shared", "check", SERVER, FRAMES)
        loop.wait_until_listening(checker)
        player = loop.start(PROGRAMS / "sandbox", family, number, "env", f"LD_PRELOAD={LIBRARY}",
                            PROGRAMS / "shared", "play", CLIENT, FRAMES, *more, preload=False)
        self.assertEqual((0, "kept\n"), (checker.wait(40), checker.output), checker.errors)
        self.assertEqual((0, "kept\n"), (player.wait(), player.output), player.errors)

    def test_all_frames_of_two_processes_arrive_once_where_nothing_is_refused(self):
        self.assert_all_arrive_once("nothing", 0)

    def test_all_frames_of_two_processes_arrive_once(self):
        self.assert_all_arrive_once("close_range", errno.EPERM)

    def test_all_frames_of_two_processes_that_poll_arrive_once(self):
        self.assert_all_arrive_once("close_range", errno.ENOSYS, "poll")

    def test_a_device_gets_the_lowest_number(self):
        loop = self.loop(open="always")
        for family, number in ("nothing", 0), ("close_range", errno.EPERM):
            with self.subTest(family):
                shell = loop.start(PROGRAMS / "sandbox", family, number, "env", f"LD_PRELOAD={LIBRARY}", "python3", "-c",
                                   f"import os; print(os.open('/dev/null', 0), os.open('{CLIENT}', 1), os.open('/dev/null', 0))",
                                   preload=False).succeed()
                self.assertEqual("3 4 5\n", shell.output)


if __name__ == "__main__":
    unittest.main()
