"""Where there is no memory, calls answer ENOMEM or do without, and the program lives."""

import os
import pathlib
import unittest

from driven import *
from loop import CLIENT, LIBRARY, SERVER

PROGRAM = pathlib.Path(LIBRARY).parents[1] / "tests" / "process" / "starved"


class NoMemory(DrivenTest):
    def assert_survives(self, what, server_flags=os.O_RDONLY, **conf):
        loop = self.loop(**conf)
        server = self.agent(loop)
        fd = server.open(SERVER, server_flags)
        server.later("persist", fd, "read" if server_flags == os.O_RDONLY else "write")
        program = loop.start(PROGRAM, what, CLIENT)
        status = program.wait()
        self.assertEqual("ready\nkept\n", program.output, f"status {status}: {program.errors}")
        self.assertEqual(0, status)

    def test_a_device_is_closed(self):
        self.assert_survives("close", clock="free")

    def test_a_descriptor_is_duplicated_and_replaced(self):
        self.assert_survives("dup_and_replace", clock="free")

    def test_a_descriptor_that_was_closed_unseen_is_another_file_s(self):
        self.assert_survives("lose", clock="free")

    def test_a_program_ends_with_its_device_open(self):
        self.assert_survives("leave_open", clock="free")

    def test_a_player_plays_when_there_is_memory_again(self):
        self.assert_survives("ask_play_and_map", clock="free")

    def test_a_recorder_that_polls_goes_on_when_there_is_memory_again(self):
        self.assert_survives("poll", os.O_WRONLY)

    def test_a_recorder_that_polls_at_its_limit_of_memory_goes_on(self):
        self.assert_survives("poll_at_a_limit", os.O_WRONLY, buffer_ms=3000)


if __name__ == "__main__":
    unittest.main()
