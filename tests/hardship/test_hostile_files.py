"""Who may write the runtime folder locks and stuffs the files that the programs share:
their sound comes, if later, and a signal ends each of them within a second."""

import contextlib
import fcntl
import mmap
import os
import signal
import struct
import threading
import time
import unittest

from hardship import *
import layout
import sound

PIPE_BYTES = 1 << 20


class HostileFiles(DrivenTest):
    def streaming(self, **conf):
        loop = self.loop(**conf)
        server, client = self.pair(loop)
        with open(loop.runtime / "loop0", "r+b") as file:
            loop.contract = mmap.mmap(file.fileno(), layout.SEGMENT_BYTES)
        return loop, server, client

    def nodes(self, loop):
        return [os.open(loop.runtime / name, os.O_RDWR | os.O_NONBLOCK) for name in ("server0", "pcm0")]

    @contextlib.contextmanager
    def going_on(self, harm):
        """A thread that does it again and again."""
        done = threading.Event()

        def work():
            while not done.wait(0.002):
                harm()

        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def assert_whole(self, server, client):
        played = sound.noise(24000).bytes()
        reading = server.later("read_to_end", server.fd)
        self.assertEqual((len(played), None), client.write_all(client.fd, played))
        client.close(client.fd)
        self.assertEqual(played, reading.result()[0])

    def assert_ended_by_a_signal(self, *agents):
        for agent in agents:
            since = time.monotonic()
            agent.signal(signal.SIGTERM)
            self.assertEqual(-signal.SIGTERM, agent.program.wait(5))
            self.assertLess(time.monotonic() - since, 5)

    def persist(self, server, client):
        server.later("persist", server.fd, "read")
        client.later("persist", client.fd, "write")
        time.sleep(0.2)

    # A lock of the node, as fcntl and lockf know it, but for the byte by which its side is
    # claimed: who holds that has the side open.

    def lock(self, loop):
        self.share(loop)
        for node in self.nodes(loop):
            self.addCleanup(os.close, node)
            fcntl.lockf(node, fcntl.LOCK_EX | fcntl.LOCK_NB, 0, 1)

    def test_locked_nodes_hold_nothing_up(self):
        loop, server, client = self.streaming(clock="free")
        self.lock(loop)
        self.assert_whole(server, client)

    def test_programs_with_locked_nodes_answer_signals(self):
        loop, server, client = self.streaming()
        self.persist(server, client)
        self.lock(loop)
        self.assert_ended_by_a_signal(server, client)

    # The word by which processes that share an open take turns, held by one that lives.

    def share(self, loop):
        for side in ("server", "client"):
            struct.pack_into("<I", loop.contract, layout.half(side, "shared"), 1)

    def take_the_locks(self, loop):
        self.share(loop)
        for side in ("server", "client"):
            struct.pack_into("<I", loop.contract, layout.half(side, "lock"), os.getpid())

    def test_locks_held_by_another_process_are_taken_over(self):
        loop, server, client = self.streaming(clock="free")
        self.take_the_locks(loop)
        self.assert_whole(server, client)

    def test_programs_whose_locks_are_held_again_and_again_answer_signals(self):
        loop, server, client = self.streaming()
        self.persist(server, client)
        with self.going_on(lambda: self.take_the_locks(loop)):
            self.assert_ended_by_a_signal(server, client)

    # A node that tells readiness by a byte in a pipe of one page.

    def stuff(self, nodes):
        for node in nodes:
            with contextlib.suppress(OSError):
                fcntl.fcntl(node, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
            with contextlib.suppress(BlockingIOError):
                os.write(node, bytes(PIPE_BYTES))

    def test_stuffed_nodes_hold_nothing_up(self):
        for clock in ("free", "realtime"):
            with self.subTest(clock=clock):
                loop, server, client = self.streaming(clock=clock, underrun="stall")
                nodes = self.nodes(loop)
                with self.going_on(lambda: self.stuff(nodes)):
                    self.assert_whole(server, client)
                for node in nodes:
                    os.close(node)

    def test_programs_that_poll_stuffed_nodes_answer_signals(self):
        loop, server, client = self.streaming()
        nodes = self.nodes(loop)
        server.later("poll_to_end", server.fd, "read", 10000)
        client.later("poll_to_end", client.fd, "write", 10000)
        time.sleep(0.2)
        with self.going_on(lambda: self.stuff(nodes)):
            self.assert_ended_by_a_signal(server, client)
        for node in nodes:
            os.close(node)


if __name__ == "__main__":
    unittest.main()
