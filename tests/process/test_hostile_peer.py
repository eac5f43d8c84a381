"""A peer that writes what it likes into the shared segment spoils its own stream:
the other process neither dies nor hangs, nor does it burn the processor."""

import errno
import mmap
import os
import random
import signal
import struct
import time
import unittest

from driven import *
import layout
import sound
from loop import CLIENT, SERVER, cpu_seconds, limit

# What a field may hold by accident or by intent.
PLAUSIBLE = (0, 1, 2, 3, 16, 255, 4096, 48000, 1 << 20, 1 << 31, (1 << 32) - 1, 1 << 40, 1 << 63, (1 << 64) - 1)


class ContractTest(DrivenTest):
    def contract(self, loop, instance=0):
        with open(loop.runtime / f"loop{instance}", "r+b") as file:
            return mmap.mmap(file.fileno(), layout.SEGMENT_BYTES)


class HostilePeer(ContractTest):
    def streaming(self, channels=2, rate=44100, **conf):
        """A stream that both sides keep going, whatever they are told."""
        loop = self.loop(**conf)
        server, client = self.pair(loop)
        client.set_format(client.fd, 0x1000, 64, 48000)
        client.ioctl_bytes(client.fd, GETOSPACE, bytes(16))  # so large a ring is there then
        client.set_format(client.fd, S16_LE, channels, rate)
        return loop, (server, server.later("persist", server.fd, "read")), (
            client, client.later("persist", client.fd, "write"))

    def assert_alive(self, *agents):
        for agent in agents:
            self.assertTrue(agent.program.running(), agent.program.explain("died"))

    @limit(120)
    def test_a_format_that_changes_in_the_middle_of_everything(self):
        places = {"of a mark": layout.producer("mark") + 8, "of a half": layout.half("server", "format")}
        for name, at in places.items():
            with self.subTest(name):
                loop, (server, _), (client, _) = self.streaming(channels=1, rate=48000, clock="free")
                contract = self.contract(loop)
                end = time.monotonic() + 3
                while time.monotonic() < end:
                    for value in (48000 | 64 << 20 | 8 << 27, 5000 | 1 << 20 | 2 << 27):
                        struct.pack_into("<Q", contract, at, value)
                        time.sleep(0)
                self.assert_alive(server, client)

    @limit(180)
    def test_plausible_values_in_one_field_after_the_other(self):
        chance = random.Random(1)
        words = [at for begin, end in layout.used() for at in range(begin, end, 4)]
        for clock in ("free", "realtime"):
            loop, (server, _), (client, _) = self.streaming(clock=clock)
            contract = self.contract(loop)
            end = time.monotonic() + 8
            while time.monotonic() < end:
                at = chance.choice(words)
                size = chance.choice((4, 8)) if at % 8 == 0 else 4
                value = chance.choice(PLAUSIBLE) & ((1 << 8 * size) - 1)
                contract[at : at + size] = value.to_bytes(size, "little")
                time.sleep(0.0005)
            self.assert_alive(server, client)

    def test_a_semaphore_that_is_none(self):
        for kind in (0x55, 0x1000, 0xFFFFFFFF):
            with self.subTest(kind=hex(kind)):
                loop, (server, _), (client, _) = self.streaming()
                contract = self.contract(loop)
                end = time.monotonic() + 1
                while time.monotonic() < end:
                    for side in ("server", "client"):
                        struct.pack_into("<I", contract, layout.half(side, "wake") + 8, kind)
                    time.sleep(0.01)
                self.assert_alive(server, client)

    def test_posts_that_nobody_made_do_not_keep_a_server_awake(self):
        loop = self.loop()
        server = self.agent(loop)
        fd = server.open(SERVER, os.O_RDONLY)
        reading = server.later("read", fd, 4096)
        self.assert_waits(reading, 0.2)
        struct.pack_into("<I", self.contract(loop), layout.half("server", "wake"), 0x7FFFFF00)
        before = cpu_seconds(server.pid)
        self.assert_waits(reading, 2)
        self.assertLess(cpu_seconds(server.pid) - before, 0.2)

    def test_a_time_to_come_does_not_hold_a_non_blocking_write(self):
        loop = self.loop()
        server, client = self.agent(loop), self.agent(loop)
        server.open(SERVER, os.O_RDONLY)
        fd = client.open(CLIENT, os.O_WRONLY | os.O_NONBLOCK)
        for changed in (time.monotonic_ns() + 10**12, 2**63 - 1, -(2**63)):
            struct.pack_into("<q", self.contract(loop), layout.producer("begun_ns"), changed)
            self.assertGreater(client.later("write", fd, bytes(480 * 4)).result(PROMPT_SECONDS), 0)


class DeadWaker(ContractTest):
    """A waker takes the sleepers' count and then posts them. Here it has died, or was
    stopped, in between. The sleepers have handlers with and without SA_RESTART."""

    def take_sleepers(self, loop, side):
        contract, at = self.contract(loop), layout.half(side, "waiting")
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            (waiting,) = struct.unpack_from("<Q", contract, at)
            if waiting & 0xFFFFFFFF:
                struct.pack_into("<Q", contract, at, ((waiting >> 32) + 1) << 32)
                return
            time.sleep(0.001)
        self.fail("nobody sleeps")

    def handlers(self, agent):
        agent.handle(signal.SIGUSR1, True)
        agent.handle(signal.SIGUSR2, False)

    def test_a_recorder_that_waits_for_its_player_is_not_lost(self):
        for clock in ("free", "realtime"):
            with self.subTest(clock=clock):
                loop = self.loop(clock=clock)
                server, client = self.pair(loop)
                self.handlers(server)
                reading = server.later("libc_read", server.fd, 4096)
                self.assert_waits(reading, 0.3)
                self.take_sleepers(loop, "server")
                server.interrupt(reading, signal.SIGUSR2)
                self.assert_errno(errno.EINTR, reading.result, 1)
                reading = server.later("libc_read", server.fd, 4096)
                self.assert_waits(reading, 0.3)
                self.take_sleepers(loop, "server")
                server.signal(signal.SIGUSR1)
                self.assert_waits(reading, 0.3)
                played = sound.count(1024).bytes()
                client.write(client.fd, played)
                self.assertEqual(played, reading.result(PROMPT_SECONDS))

    def test_a_recorder_in_mid_stream_is_not_lost(self):
        loop = self.loop(clock="free")
        server, client = self.pair(loop)
        self.handlers(server)
        played = sound.count(3000).bytes()
        client.write(client.fd, played[:4096])
        self.assertEqual(played[:4096], server.read_bytes(server.fd, 4096))
        reading = server.later("read_bytes", server.fd, len(played) - 4096)
        self.assert_waits(reading, 0.3)
        self.take_sleepers(loop, "server")
        client.write(client.fd, played[4096:])
        self.assertEqual(played[4096:], reading.result(PROMPT_SECONDS))

    def test_a_player_that_waits_for_room_is_not_lost(self):
        loop = self.loop(clock="free")
        server, client = self.pair(loop)
        self.handlers(client)
        played = sound.count(100_000).bytes()
        writing = client.later("write_all", client.fd, played)
        self.assert_waits(writing, 0.3)
        self.take_sleepers(loop, "client")
        self.assertEqual(played, server.later("read_bytes", server.fd, len(played)).result(PROMPT_SECONDS))
        self.assertEqual((len(played), None), writing.result(PROMPT_SECONDS))


class SharedOpen(DrivenTest):
    def test_a_child_with_another_format_and_no_rate_to_convert_leaves_its_parent_sound(self):
        loop = self.loop(clock="free")
        server, client = self.pair(loop)
        recording = server.later("read_to_end", server.fd)
        client.set_format(client.fd, S16_LE, 64, 44100)
        client.write(client.fd, bytes(128 * 500))
        self.assertEqual(0, client.play_in_child(client.fd, 0x8, 1, 48000, bytes(3000)))
        for _ in range(40):
            self.assertEqual(9000, client.write(client.fd, bytes(9000)))
        client.close(client.fd)
        _, _, ended = recording.result()
        self.assertEqual(errno.ECONNRESET, ended)


if __name__ == "__main__":
    unittest.main()
