"""A client that opens without a server: `open=always`."""

import errno
import os
import select
import struct
import unittest

from driven import *
import layout
import sound
from loop import CLIENT, CONTROL, SERVER

ALWAYS = {"open": "always"}
FRAME = 4  # bytes, in the format both sides start with


class OpenAlways(DrivenTest):
    def test_a_client_opens_without_a_server_in_any_way(self):
        client = self.agent(self.loop(**ALWAYS))
        for flags in (os.O_RDONLY, os.O_WRONLY, os.O_RDWR, os.O_WRONLY | os.O_EXCL):
            client.close(client.open(CLIENT, flags))

    def test_it_plays_to_nobody_in_real_time(self):
        client = self.agent(self.loop(**ALWAYS))
        fd = client.open(CLIENT, os.O_WRONLY)
        _, seconds = client.timed("write_all", fd, bytes(48000 * FRAME))
        self.assertGreaterEqual(seconds, 0.55)
        _, closing = client.timed("close", fd)
        self.assertGreaterEqual(seconds + closing, 0.95)

    def test_it_records_silence(self):
        client = self.agent(self.loop(**ALWAYS))
        fd = client.open(CLIENT, os.O_RDONLY)
        silence, seconds = client.timed("read_bytes", fd, 24000 * FRAME)
        self.assertEqual(bytes(24000 * FRAME), silence)
        self.assertGreaterEqual(seconds, 0.45)
        self.assertEqual(select.POLLIN, client.poll(fd, select.POLLIN, 20000))

    def test_with_a_free_clock_what_nobody_hears_is_gone_at_once(self):
        client = self.agent(self.loop(clock="free", **ALWAYS))
        fd = client.open(CLIENT, os.O_WRONLY)
        self.assertEqual((1 << 22, None), client.write_all(fd, bytes(1 << 22)))

    def test_a_server_that_comes_hears_the_stream_and_may_leave(self):
        loop = self.loop(**ALWAYS)
        client, server = self.agent(loop), self.agent(loop)
        fd = client.open(CLIENT, os.O_WRONLY)
        played = sound.count(120000).bytes()
        writing = client.later("write_all", fd, played)
        writing.wait_until_asleep()
        for _ in range(2):
            recorder = server.open(SERVER, os.O_RDONLY)
            heard = server.read_bytes(recorder, 9600 * FRAME)
            server.close(recorder)
            at = played.find(heard[:4 * FRAME])
            self.assertGreater(at, 0)
            self.assertEqual(played[at:at + len(heard)], heard)
        self.assertEqual((len(played), None), writing.result())

    def test_a_server_that_is_killed_is_no_error(self):
        loop = self.loop(**ALWAYS)
        client, server = self.agent(loop), self.agent(loop)
        fd = client.open(CLIENT, os.O_WRONLY)
        writing = client.later("write_all", fd, bytes(96000 * FRAME))
        writing.wait_until_asleep()
        recorder = server.open(SERVER, os.O_RDONLY)
        server.read(recorder, 4096)
        server.kill()
        self.assertEqual((96000 * FRAME, None), writing.result())

    def test_a_server_that_plays_is_heard_and_its_leaving_is_silence(self):
        loop = self.loop(clock="free", **ALWAYS)
        client, server = self.agent(loop), self.agent(loop)
        fd = client.open(CLIENT, os.O_RDONLY)
        self.assertEqual(bytes(400), client.read_bytes(fd, 400))
        player = server.open(SERVER, os.O_WRONLY)
        played = sound.count(500).bytes()
        server.write_all(player, played)
        self.assertEqual(played, client.read_bytes(fd, len(played)))
        server.close(player)
        self.assertEqual(bytes(400), client.read_bytes(fd, 400))

    def test_an_open_keeps_what_it_was_opened_with(self):
        loop = self.loop(clock="free", **ALWAYS)
        client = self.agent(loop)
        fd = client.open(CLIENT, os.O_WRONLY)
        loop.start(CONTROL, "set", 0, "open=server", preload=False).succeed()
        self.assertEqual((4000, None), client.write_all(fd, bytes(4000)))
        client.close(fd)
        self.assert_errno(errno.EAGAIN, client.open, CLIENT, os.O_WRONLY)

    def test_a_server_that_is_killed_in_its_open_keeps_nobody_out(self):
        loop = self.loop(clock="free", **ALWAYS)
        client = self.agent(loop)
        fd = client.open(CLIENT, os.O_WRONLY)
        self.assertEqual((4000, None), client.write_all(fd, bytes(4000)))
        # What it has done by then: taken the lane, with the number that its open was to get.
        with open(loop.runtime / "loop0", "r+b") as file:
            file.seek(layout.consumer("reader"))
            file.write(struct.pack("<Q", 1 << 3 | 3))
        writing = client.later("write_all", fd, bytes(4000))
        self.assertEqual((4000, None), writing.result())

    def test_without_the_policy_a_client_waits_for_its_server(self):
        client = self.agent(self.loop())
        self.assert_errno(errno.EAGAIN, client.open, CLIENT, os.O_WRONLY)


if __name__ == "__main__":
    unittest.main()
