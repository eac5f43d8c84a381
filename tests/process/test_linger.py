"""A player that closes may open again and go on with its stream: `linger_ms`."""

import errno
import os
import select
import time
import unittest

from driven import *
import sound
from loop import CLIENT, SERVER

FREE = {"clock": "free", "linger_ms": 60000}


class Lingering(DrivenTest):
    def test_the_process_that_closed_goes_on_with_its_stream(self):
        loop = self.loop(**FREE)
        server, client = self.pair(loop)
        first, second = sound.count(4801).bytes(), sound.count(3000).bytes()
        reading = server.later("read_bytes", server.fd, len(first) + len(second))
        client.write_all(client.fd, first)
        client.close(client.fd)
        again = client.open(CLIENT, os.O_WRONLY)
        client.write_all(again, second)
        client.close(again)
        self.assertEqual(first + second, reading.result())

    def test_a_read_that_has_data_returns_short_and_an_empty_one_waits(self):
        server, client = self.pair(self.loop(**FREE))
        played = sound.count(100).bytes()
        reading = server.later("read", server.fd, 4096)
        client.write_all(client.fd, played)
        client.close(client.fd)
        self.assertEqual(played, reading.result())
        self.assert_waits(server.later("read", server.fd, 4096))

    def test_the_end_is_told_when_nobody_came_in_time(self):
        for clock in ("free", "realtime"):
            with self.subTest(clock=clock):
                server, client = self.pair(self.loop(clock=clock, linger_ms=300))
                played = sound.count(4801).bytes()
                reading = server.later("read_to_end", server.fd, 4096)
                client.write_all(client.fd, played)
                client.close(client.fd)
                closed = time.monotonic()
                data, _, ended = reading.result()
                self.assertGreaterEqual(reading.end - closed, 0.29)
                self.assertEqual((played, errno.ECONNRESET), (data, ended))
                self.assert_waits(server.later("read", server.fd, 4096))  # told once

    def test_the_end_is_told_by_poll(self):
        server, client = self.pair(self.loop(clock="free", linger_ms=200))
        self.assertEqual(0, server.poll(server.fd, select.POLLIN, 0))
        client.write_all(client.fd, bytes(400))
        self.assertEqual(bytes(400), server.read_bytes(server.fd, 400))
        client.close(client.fd)
        self.assertEqual(select.POLLIN, server.poll(server.fd, select.POLLIN, 20000))
        self.assert_errno(errno.ECONNRESET, server.read, server.fd, 4)

    def test_a_player_that_is_killed_or_exits_or_becomes_another_program_ends_its_stream(self):
        for how in ("kill", "exit", "exec"):
            with self.subTest(how=how):
                server, client = self.pair(self.loop(**FREE))
                client.write_all(client.fd, bytes(400))
                reading = server.later("read_to_end", server.fd, 4096)
                client.close(client.fd)
                self.assert_waits(reading, 0.1)
                if how == "kill":
                    client.kill()
                elif how == "exit":
                    client.commands.close()
                else:
                    client.later("become", ["sleep", "60"])
                self.assertEqual(errno.ECONNRESET, reading.result()[2])

    def test_an_open_by_another_process_ends_it(self):
        loop = self.loop(**FREE)
        server, client = self.pair(loop)
        first, second = sound.count(500).bytes(), sound.count(300).bytes()
        client.write_all(client.fd, first)
        reading = server.later("read_to_end", server.fd, 4096)
        client.close(client.fd)
        other = self.agent(loop)
        fd = other.open(CLIENT, os.O_WRONLY)
        data, _, ended = reading.result()
        self.assertEqual((first, errno.ECONNRESET), (data, ended))
        reading = server.later("read_bytes", server.fd, len(second))
        other.write_all(fd, second)
        self.assertEqual(second, reading.result())

    def test_an_open_that_plays_nothing_goes_on_waiting_at_its_close(self):
        server, client = self.pair(self.loop(**FREE))
        client.write_all(client.fd, bytes(400))
        reading = server.later("read_bytes", server.fd, 800)
        client.close(client.fd)
        for _ in range(3):
            client.close(client.open(CLIENT, os.O_WRONLY))
        fd = client.open(CLIENT, os.O_WRONLY)
        client.write_all(fd, bytes(400))
        self.assertEqual(bytes(800), reading.result())

    def test_a_forked_child_does_not_go_on(self):
        loop = self.loop(**FREE)
        server, client = self.pair(loop)
        client.write_all(client.fd, bytes(400))
        reading = server.later("read_to_end", server.fd, 4096)
        client.close(client.fd)
        self.assertEqual(0, client.reap(client.fork_and("open", CLIENT, os.O_WRONLY, str(loop.file("answer")))))
        self.assertEqual(errno.ECONNRESET, reading.result()[2])

    def test_a_conversion_ends_with_its_tail_and_begins_afresh(self):
        server, client = self.pair(self.loop(**FREE))
        server.set_format(server.fd, S16_LE, 2, 44100)
        reading = server.later("read_bytes", server.fd, 2 * 4410 * 4)
        for _ in range(2):
            fd = client.open(CLIENT, os.O_WRONLY) if _ else client.fd
            client.write_all(fd, bytes(4800 * 4))
            client.close(fd)
        self.assertEqual(2 * 4410 * 4, len(reading.result()))

    def test_a_recorder_that_is_away_hears_the_streams_of_one_process_as_one(self):
        server, client = self.pair(self.loop(**FREE))
        client.write_all(client.fd, bytes(400))
        self.assertEqual(bytes(400), server.read_bytes(server.fd, 400))
        client.close(client.fd)
        played = sound.count(900).bytes()
        for at in range(0, len(played), 1200):
            fd = client.open(CLIENT, os.O_WRONLY)
            client.write_all(fd, played[at:at + 1200])
            client.close(fd)
        self.assertEqual(played, server.read_bytes(server.fd, len(played)))
        client.kill()
        self.assert_errno(errno.ECONNRESET, server.read, server.fd, 4096)

    def test_each_process_lingers_for_itself(self):
        loop = self.loop(**FREE)
        server, client = self.pair(loop)
        other = self.agent(loop)
        client.write_all(client.fd, bytes(400))
        reading = server.later("read_to_end", server.fd, 4096)
        client.close(client.fd)
        fd = other.open(CLIENT, os.O_WRONLY)
        self.assertEqual(errno.ECONNRESET, reading.result()[2])
        reading = server.later("read_to_end", server.fd, 4096)
        other.write_all(fd, bytes(800))
        other.close(fd)
        self.assert_waits(reading, 0.3)
        other.kill()
        data, _, ended = reading.result()
        self.assertEqual((bytes(800), errno.ECONNRESET), (data, ended))

    def test_with_0_each_end_is_told_at_once(self):
        server, client = self.pair(self.loop(clock="free", linger_ms=0))
        client.write_all(client.fd, bytes(400))
        reading = server.later("read_to_end", server.fd, 4096)
        client.close(client.fd)
        self.assertEqual(errno.ECONNRESET, reading.result()[2])


if __name__ == "__main__":
    unittest.main()
