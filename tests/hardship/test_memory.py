"""What a stream of many channels and a high rate takes is given back when nobody has
the instance open."""

import errno
import os
import time
import unittest

from hardship import *
import sound

S32_LE = 0x1000
LARGE = (S32_LE, 64, 768000)
FEW_MIB = 4 << 20
MUCH = 64 << 20


class Memory(DrivenTest):
    def taken(self, loop):
        """Bytes of memory in the runtime folder."""
        return sum(path.stat().st_blocks * 512 for path in loop.runtime.rglob("*"))

    def large(self, loop):
        """A server and a client that have passed sound in a large format."""
        server, client = self.pair(loop)
        self.assertEqual(LARGE, server.set_format(server.fd, *LARGE))
        reading = server.later("read", server.fd, 256 * 100)
        self.assertEqual(LARGE, client.set_format(client.fd, *LARGE))
        client.write(client.fd, bytes(256 * 4000))
        reading.result()
        self.assertGreater(self.taken(loop), MUCH)
        return server, client

    def assert_plays(self, loop):
        played = sound.noise(30000).bytes()
        server, client = self.pair(loop)
        reading = server.later("read_to_end", server.fd)
        self.assertEqual((len(played), None), client.write_all(client.fd, played))
        client.close(client.fd)
        self.assertEqual((played, errno.ECONNRESET), reading.result()[::2])
        server.close(server.fd)

    def assert_little(self, loop):
        deadline = time.monotonic() + 3
        while self.taken(loop) >= FEW_MIB and time.monotonic() < deadline:
            time.sleep(0.05)
        self.assertLess(self.taken(loop), FEW_MIB)

    def assert_given_back(self, loop):
        self.assert_little(loop)
        self.assert_plays(loop)
        self.assert_little(loop)

    def test_the_memory_of_a_large_stream_is_given_back_when_the_server_closes_last(self):
        loop = self.loop(clock="free")
        server, client = self.large(loop)
        server.later("read_to_end", server.fd)
        client.close(client.fd)
        server.busy.result()
        server.close(server.fd)
        self.assert_given_back(loop)

    def test_the_memory_of_a_large_stream_is_given_back_when_the_client_closes_last(self):
        loop = self.loop(clock="free")
        server, client = self.large(loop)
        server.close(server.fd)
        # The client still has the ring in its memory.
        _, ended = client.write_all(client.fd, bytes(1 << 22))
        self.assertIn(ended, (errno.ECONNRESET, errno.ENXIO))
        client.close(client.fd)
        self.assert_given_back(loop)

    def test_the_memory_of_a_large_stream_is_given_back_when_its_programs_end(self):
        loop = self.loop(clock="free")
        for agent in reversed(self.large(loop)):
            agent.commands.close()
            agent.program.succeed()
        self.assert_given_back(loop)

    def test_the_memory_of_killed_programs_is_given_back_by_the_next_ones(self):
        loop = self.loop(clock="free")
        for agent in self.large(loop):
            agent.kill()
        self.assert_plays(loop)
        self.assert_little(loop)

    def test_a_player_that_never_played_gives_its_memory_back(self):
        loop = self.loop(buffer_ms=5000)
        server, client = self.pair(loop)
        client.set_format(client.fd, S32_LE, 64, 96000)
        self.assert_little(loop)  # programs pass through huge formats
        client.ioctl_bytes(client.fd, GETOSPACE, bytes(16))
        self.assertGreater(self.taken(loop), MUCH)
        client.close(client.fd)
        server.close(server.fd)
        self.assert_little(loop)

    def test_a_large_stream_follows_a_small_one_and_a_small_one_a_large_one(self):
        loop = self.loop(clock="free")
        for _ in range(3):
            self.assert_plays(loop)
            for agent in self.large(loop):
                agent.close(agent.fd)
        self.assert_given_back(loop)


if __name__ == "__main__":
    unittest.main()
