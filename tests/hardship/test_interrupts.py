"""A handler without SA_RESTART ends the call that waits, whenever it runs."""

import re
import unittest

from hardship import *


class Interrupts(LoopTest):
    def assert_none_is_lost(self, what, **conf):
        loop = self.loop(underrun="stall", **conf)
        done = loop.start(PROGRAMS / "interrupted", what, SERVER, CLIENT).succeed(50)
        found = re.fullmatch(r"pipe (\d+) (\d+), device (\d+) (\d+)\n", done.output)
        self.assertTrue(found, done.output)
        pipe_lost, _, lost, calls = map(int, found.groups())
        self.assertGreater(calls, 20)
        # What comes before a call has begun is nobody's to see; ours may take a little longer to begin.
        self.assertLessEqual(lost, 4 * pipe_lost + max(5, calls // 50), done.output)

    def test_no_signal_is_lost_by_a_read_that_waits_for_its_player(self):
        self.assert_none_is_lost("start")

    def test_no_signal_is_lost_by_a_read_that_waits_for_sound(self):
        self.assert_none_is_lost("pause")

    def test_no_signal_is_lost_by_a_read_that_waits_for_sound_with_a_free_clock(self):
        self.assert_none_is_lost("pause", clock="free")

    def test_no_signal_is_lost_by_a_write_that_waits_for_room(self):
        self.assert_none_is_lost("full")

    def test_no_signal_is_lost_by_a_write_that_waits_for_room_with_a_free_clock(self):
        self.assert_none_is_lost("full", clock="free")


if __name__ == "__main__":
    unittest.main()
