"""Descriptors of a device behave as those of any character device."""

import unittest

from compare import *


class Descriptors(CompareTest):
    def test_copies_flags_and_ends_are_those_of_a_character_device(self):
        self.compare("descriptor", "/dev/null")

    def test_a_program_s_own_locks_work_and_do_not_touch_ours(self):
        self.compare("lock", "/dev/null")

    def test_there_is_no_place_and_no_storage(self):
        master, slave = os.openpty()
        self.addCleanup(os.close, master)
        self.addCleanup(os.close, slave)
        self.compare("place", os.ttyname(slave))

    def test_pointers_that_lead_nowhere_are_efault(self):
        for way in WAYS:
            with self.subTest(way):
                loop = self.loop(clock="free")
                os.mkfifo(loop.file("fifo"))
                words = [program("wild", way)]
                expected = self.lines(loop, [*words, loop.file("fifo")], preload=False)
                recorder = loop.partner_records(SERVER)
                loop.wait_until_listening(recorder)
                got = self.lines(loop, [*words, CLIENT])
                self.assert_agree(expected, got, {})
                self.assertEqual(4 * 1024, recorder.report()["bytes"])

    def test_every_way_to_wait_answers_as_on_a_pipe(self):
        for way in WAYS:
            with self.subTest(way):
                loop = self.loop()
                os.mkfifo(loop.file("fifo"))
                reading = os.open(loop.file("fifo"), os.O_RDONLY | os.O_NONBLOCK)
                self.addCleanup(os.close, reading)
                expected = self.lines(loop, [program("wait", way), loop.file("fifo")], preload=False)
                recorder = loop.partner_records(SERVER)
                loop.wait_until_listening(recorder)
                self.assert_agree(expected, self.lines(loop, [program("wait", way), CLIENT]), {})

    def test_a_number_lost_out_of_sight_is_what_it_became(self):
        self.compare("numbers", "/dev/null", ".")


if __name__ == "__main__":
    unittest.main()
