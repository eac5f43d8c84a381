"""A child that goes on with its parent's stream, as a daemon does: it hears of its
peer's end, and polls, whether its parent lives or has gone."""

import errno
import os
import pickle
import select
import signal
import time
import unittest

from driven import *
from loop import CLIENT, SERVER

# What the parent does when it has forked, and the clock.
SITUATIONS = [
    ("leaves", "realtime"), ("leaves", "free"),
    ("closes", "realtime"), ("closes", "free"),
    ("stays", "realtime"), ("stays", "free"),
]
# Many times what it takes; a poll that finds nothing for so long never will.
HANG_SECONDS = 5


class ForkInMidStream(DrivenTest):
    def inherit(self, clock, what, call, *arguments):
        """A stream in which a child goes on with `call`. The agents whose open it
        is and who is at the other end, and the file that will hold the answer."""
        loop = self.loop(clock=clock)
        server, client = self.pair(loop)
        mother, peer = (server, client) if what == "read" else (client, server)
        peer.later("persist", peer.fd, "write" if what == "read" else "read")
        event = select.POLLIN if what == "read" else select.POLLOUT
        move = mother.read_bytes if what == "read" else mother.write_blocks
        for _ in range(3):
            self.assertTrue(mother.poll(mother.fd, event, 5000) & event)
            move(mother.fd, *((4096,) if what == "read" else (1, 4096)))
        answer = loop.file("answer")
        mother.fork_and(call, mother.fd, what, *arguments, str(answer))
        return mother, peer, answer

    def answer_in(self, path, seconds):
        """What the child's call gave, once it has."""
        deadline = time.monotonic() + seconds
        while not (path.exists() and path.stat().st_size):
            if time.monotonic() > deadline:
                self.fail(f"the child's call had not ended after {seconds} s")
            time.sleep(0.02)
        return pickle.loads(path.read_bytes())

    def assert_hears_of_a_kill(self, what, call, *arguments):
        for parent, clock in SITUATIONS:
            with self.subTest(parent=parent, clock=clock):
                mother, peer, answer = self.inherit(clock, what, call, *arguments)
                if parent == "leaves":
                    mother.signal(signal.SIGKILL)
                elif parent == "closes":
                    mother.close(mother.fd)
                time.sleep(0.8)  # longer than what lies in the buffers
                self.assertFalse(answer.exists() and answer.stat().st_size, "ended beside its peer")
                peer.kill()
                self.assertEqual(errno.ECONNRESET, self.answer_in(answer, HANG_SECONDS))

    def test_a_child_that_reads_hears_of_its_player_s_kill(self):
        self.assert_hears_of_a_kill("read", "move_to_end")

    def test_a_child_that_polls_to_read_goes_on_and_hears_of_its_player_s_kill(self):
        self.assert_hears_of_a_kill("read", "poll_to_end", HANG_SECONDS * 1000)

    def test_a_child_that_plays_hears_of_its_recorder_s_kill(self):
        self.assert_hears_of_a_kill("write", "move_to_end")

    def test_a_child_that_polls_to_play_goes_on_and_hears_of_its_recorder_s_kill(self):
        self.assert_hears_of_a_kill("write", "poll_to_end", HANG_SECONDS * 1000)


if __name__ == "__main__":
    unittest.main()
