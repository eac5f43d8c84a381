"""The formats, rates, channels and fragments that a program may set."""

import errno
import os
import struct
import time
import unittest

from driven import *
import sound
from loop import CLIENT, SERVER

FREE = {"clock": "free"}


class Formats(DrivenTest):
    def test_a_server_that_is_slow_to_choose_its_format_is_waited_for(self):
        loop = self.loop(**FREE)
        server, client = self.pair(loop)
        writing = client.later("write_all", client.fd, sound.count(4800).bytes())
        time.sleep(0.25)  # a busy machine
        self.assertEqual(0x8, server.ioctl(server.fd, SETFMT, 0x8))
        time.sleep(0.1)
        self.assertEqual(1, server.ioctl(server.fd, CHANNELS, 1))
        self.assertEqual(4800, len(server.read_bytes(server.fd, 4800)))
        writing.result()

    def test_a_running_server_keeps_its_format_and_answers_the_present_one(self):
        loop = self.loop(**FREE)
        server, client = self.pair(loop)
        self.assertEqual((S16_LE, 2, 44100), server.set_format(server.fd, S16_LE, 2, 44100))
        client.set_format(client.fd, S16_LE, 2, 44100)
        played = sound.count(4410).bytes()
        client.write_all(client.fd, played)
        got = server.read_bytes(server.fd, 400)
        self.assertEqual((S16_LE, 2, 44100), server.set_format(server.fd, 0x8, 1, 8000))
        got += server.read_bytes(server.fd, len(played) - 400)
        self.assertEqual(played, got)

    def test_every_whole_rate_is_exact(self):
        loop = self.loop()
        server, client = self.pair(loop)
        for agent in (server, client):
            for rate in (5000, 5001, 8000, 11025, 22050, 44099, 44100, 96000, 192001, 767999, 768000):
                self.assertEqual(rate, agent.ioctl(agent.fd, SPEED, rate))

    def test_absurd_rates_are_clamped(self):
        loop = self.loop()
        for agent in self.pair(loop):
            self.assertEqual(5000, agent.ioctl(agent.fd, SPEED, 1))
            self.assertEqual(5000, agent.ioctl(agent.fd, SPEED, 4999))
            self.assertEqual(768000, agent.ioctl(agent.fd, SPEED, 768001))
            self.assertEqual(768000, agent.ioctl(agent.fd, SPEED, 0x7FFFFFFF))

    def test_one_to_sixty_four_channels(self):
        loop = self.loop()
        for agent in self.pair(loop):
            for channels in (1, 2, 3, 6, 8, 63, 64):
                self.assertEqual(channels, agent.ioctl(agent.fd, CHANNELS, channels))

    def test_absurd_channel_counts_are_clamped(self):
        loop = self.loop()
        for agent in self.pair(loop):
            self.assertEqual(64, agent.ioctl(agent.fd, CHANNELS, 65))
            self.assertEqual(64, agent.ioctl(agent.fd, CHANNELS, 0x7FFFFFFF))

    def test_every_linear_format_float_and_g711_can_be_set(self):
        loop = self.loop()
        for agent in self.pair(loop):
            known = agent.ioctl(agent.fd, GETFMTS)
            for name, (code, _) in sound.FORMATS.items():
                with self.subTest(name):
                    self.assertTrue(known & code, "GETFMTS does not name it")
                    self.assertEqual(code, agent.ioctl(agent.fd, SETFMT, code))

    def test_an_unknown_format_leaves_one_that_works(self):
        loop = self.loop()
        for agent in self.pair(loop):
            for code in (0x400, 0x4, 0x40000000, 0x18):
                with self.subTest(code=hex(code)):
                    try:
                        answer = agent.ioctl(agent.fd, SETFMT, code)
                    except Failed as failed:
                        self.assertEqual(errno.EINVAL, failed.errno)
                        answer = agent.ioctl(agent.fd, SETFMT, 0)
                    self.assertIn(answer, [code for code, _ in sound.FORMATS.values()])

    def test_getfmts_and_audioinfo_tell_what_is_converted(self):
        loop = self.loop()
        server, client = self.pair(loop)
        every = sum(code for code, _ in sound.FORMATS.values())
        self.assertEqual(every, client.ioctl(client.fd, GETFMTS) & every)
        info = bytearray(1180)
        info[0:4] = struct.pack("i", -1)
        info = client.ioctl_bytes(client.fd, ENGINEINFO, bytes(info))
        oformats = struct.unpack_from("i", info, 84)[0]
        min_rate, max_rate, min_channels, max_channels = struct.unpack_from("4i", info, 180)
        devnode = info[404:436].rstrip(b"\0").decode()
        self.assertEqual(every, oformats & every)
        self.assertEqual((5000, 768000), (min_rate, max_rate))
        self.assertEqual((1, 64), (min_channels, max_channels))
        self.assertEqual(CLIENT, devnode)

    def test_any_fragment_from_a_millisecond_can_be_chosen(self):
        loop = self.loop()
        server = self.agent(loop)
        for shift in (8, 10, 12):  # 256 bytes are 1.3 ms
            with self.subTest(bytes=1 << shift):
                fd = server.open(SERVER, os.O_RDONLY)
                server.ioctl(fd, SETFRAGMENT, 4 << 16 | shift)
                self.assertEqual(1 << shift, server.ioctl(fd, GETBLKSIZE))
                server.close(fd)

    def test_absurd_fragments_are_clamped(self):
        loop = self.loop()
        server = self.agent(loop)
        for value in (0, 0x7FFFFFFF, -1, 1, 31, 0xFFFF0000 - (1 << 32), 0x00010000, 0x7FFF0020):
            with self.subTest(value=hex(value)):
                fd = server.open(SERVER, os.O_WRONLY)
                try:
                    server.ioctl(fd, SETFRAGMENT, value)
                except Failed as failed:
                    self.assertEqual(errno.EINVAL, failed.errno)
                fragments, total, size, free = fields(server.ioctl_bytes(fd, GETOSPACE, bytes(16)), "4i")
                self.assertGreaterEqual(total, 2)
                self.assertGreaterEqual(size, 16)
                self.assertLess(total * size, 64 << 20)
                self.assertEqual(size, server.ioctl(fd, GETBLKSIZE))
                server.close(fd)


if __name__ == "__main__":
    unittest.main()
