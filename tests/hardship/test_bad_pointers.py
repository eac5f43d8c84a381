"""A pointer that leads nowhere is EFAULT, as without the library, whether a device is
in use or not."""

import unittest

from hardship import *


class BadPointers(LoopTest):
    maxDiff = None

    def lines(self, device, which, preload):
        done = self.loop().start(PROGRAMS / "pointers", device, which, preload=preload).succeed()
        return done.output.splitlines()

    def assert_as_without(self, which, least):
        expected = self.lines("/dev/null", which, False)
        self.assertGreater(sum("EFAULT" in line for line in expected), least)
        self.assertEqual(expected, self.lines(SERVER, which, True))

    def test_names_that_lead_nowhere_are_efault_with_a_device_and_without(self):
        self.assert_as_without("names", 600)

    def test_sets_of_poll_and_select_that_lead_nowhere_are_efault_with_a_device_and_without(self):
        self.assert_as_without("sets", 150)

    def test_buffers_for_answers_that_lead_nowhere_are_efault_with_a_device_and_without(self):
        self.assert_as_without("buffers", 100)


if __name__ == "__main__":
    unittest.main()
