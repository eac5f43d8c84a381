"""The opens of an instance's sides: who may, and what waits or is refused."""

import errno
import os
import unittest

from driven import *
import sound
from loop import CLIENT, SERVER, client, server

FREE = {"clock": "free"}


class Opening(DrivenTest):
    def test_server_opened_rdonly_or_wronly_starts_as_s16_stereo_48000(self):
        server = self.agent(self.loop())
        for flags in (os.O_RDONLY, os.O_WRONLY):
            with self.subTest(flags=flags):
                fd = server.open(SERVER, flags)
                self.assertEqual(S16_LE, server.ioctl(fd, SETFMT, 0))
                self.assertEqual(2, server.ioctl(fd, CHANNELS, 0))
                self.assertEqual(48000, server.ioctl(fd, SPEED, 0))
                server.close(fd)

    def test_server_forgets_its_format_at_each_open(self):
        server = self.agent(self.loop())
        fd = server.open(SERVER, os.O_RDONLY)
        self.assertEqual((0x8, 1, 8000), server.set_format(fd, 0x8, 1, 8000))
        server.close(fd)
        fd = server.open(SERVER, os.O_RDONLY)
        self.assertEqual((S16_LE, 2, 48000), server.set_format(fd, 0, 0, 0))

    def test_server_opened_rdwr_is_eacces(self):
        server = self.agent(self.loop())
        self.assert_errno(errno.EACCES, server.open, SERVER, os.O_RDWR)
        server.open(SERVER, os.O_RDONLY)  # and the side is free

    def test_a_side_opened_while_open_is_ebusy(self):
        loop = self.loop()
        server, client = self.pair(loop)
        other = self.agent(loop)
        for agent in (server, other):
            for flags in (os.O_RDONLY, os.O_WRONLY):
                self.assert_errno(errno.EBUSY, agent.open, SERVER, flags)
        for agent in (client, other):
            self.assert_errno(errno.EBUSY, agent.open, CLIENT, os.O_WRONLY)
        server.close(server.fd)
        other.open(SERVER, os.O_RDONLY)

    def test_descriptors_from_dup_share_one_open(self):
        loop = self.loop()
        server = self.agent(loop)
        fd = server.open(SERVER, os.O_RDONLY)
        copy = server.dup(fd)
        server.close(fd)
        other = self.agent(loop)
        self.assert_errno(errno.EBUSY, other.open, SERVER, os.O_RDONLY)
        server.close(copy)
        other.open(SERVER, os.O_RDONLY)

    def test_client_without_a_server_is_eagain(self):
        client = self.agent(self.loop())
        for flags in (os.O_RDONLY, os.O_WRONLY, os.O_RDWR, os.O_WRONLY | os.O_NONBLOCK):
            self.assert_errno(errno.EAGAIN, client.open, CLIENT, flags)
        self.assert_errno(errno.EAGAIN, client.open, "/dev/dsp", os.O_WRONLY)

    def test_exclusive_client_without_a_server_is_enxio(self):
        client = self.agent(self.loop())
        self.assert_errno(errno.ENXIO, client.open, CLIENT, os.O_WRONLY | os.O_EXCL)

    def test_open_wait_waits_for_a_server(self):
        loop = self.loop()
        client, server = self.agent(loop, env={"OSSLOOP_OPEN_WAIT": 10}), self.agent(loop)
        opening = client.later("open", CLIENT, os.O_WRONLY)
        self.assert_waits(opening)
        server.open(SERVER, os.O_RDONLY)
        self.assertGreaterEqual(opening.result(PROMPT_SECONDS), 0)

    def test_open_wait_gives_up_in_time(self):
        client = self.agent(self.loop(), env={"OSSLOOP_OPEN_WAIT": 1})
        opening = client.later("open", CLIENT, os.O_WRONLY)
        self.assert_waits(opening, 0.7)
        self.assert_errno(errno.EAGAIN, opening.result, 3)

    def test_a_number_without_an_instance_does_not_exist(self):
        agent = self.agent(self.loop(instances=2))
        for name in (client(2), server(2), "/dev/dsp2", "/dev/dsp99", "/dev/dspW7", "/dev/audio16"):
            with self.subTest(name):
                self.assert_errno(errno.ENOENT, agent.open, name, os.O_WRONLY)
                self.assertFalse(agent.exists(name))
        self.assertTrue(agent.exists("/dev/dsp1"))

    def test_a_default_device_without_an_instance_is_enxio(self):
        agent = self.agent(self.loop(), env={"OSSLOOP_DSP": "pcm7"})
        self.assert_errno(errno.ENXIO, agent.open, "/dev/dsp", os.O_WRONLY)

    def test_client_in_the_wrong_direction_opens_and_gets_eacces(self):
        loop = self.loop()
        server, client = self.pair(loop, os.O_RDONLY, os.O_RDONLY)
        self.assert_errno(errno.EACCES, client.read, client.fd, 64)
        client.close(client.fd)
        server.close(server.fd)
        server.fd = server.open(SERVER, os.O_WRONLY)
        client.fd = client.open(CLIENT, os.O_WRONLY)
        self.assert_errno(errno.EACCES, client.write, client.fd, bytes(64))

    def test_client_opened_rdwr_works_in_the_direction_of_the_loop(self):
        loop = self.loop(**FREE)
        played = sound.count(1000).bytes()
        server, client = self.pair(loop, os.O_RDONLY, os.O_RDWR)
        reading = server.later("read_bytes", server.fd, len(played))
        self.assertEqual((len(played), None), client.write_all(client.fd, played))
        self.assertEqual(played, reading.result())
        self.assert_errno(errno.EACCES, client.read, client.fd, 64)
        client.close(client.fd)
        server.close(server.fd)

        server.fd = server.open(SERVER, os.O_WRONLY)
        client.fd = client.open(CLIENT, os.O_RDWR)
        writing = server.later("write_all", server.fd, played)
        self.assertEqual(played, client.read_bytes(client.fd, len(played)))
        self.assertEqual((len(played), None), writing.result())
        self.assert_errno(errno.EACCES, client.write, client.fd, bytes(64))

    def test_after_a_killed_server_the_next_one_takes_the_configuration_anew(self):
        loop = self.loop(clock="free")
        server, client = self.pair(loop)
        server.kill()
        loop.configure(clock="free", linger_ms=0, eof="eof")
        server = self.agent(loop)
        fd = server.open(SERVER, os.O_RDONLY)
        client.close(client.fd)
        client.fd = client.open(CLIENT, os.O_WRONLY)
        client.write_all(client.fd, bytes(400))
        client.close(client.fd)
        self.assertEqual(bytes(400), server.read_bytes(fd, 400))
        self.assertEqual(b"", server.read(fd, 400))

    def test_one_program_may_hold_both_sides(self):
        loop = self.loop(**FREE)
        agent = self.agent(loop)
        recording, playing = agent.open(SERVER, os.O_RDONLY), agent.open(CLIENT, os.O_WRONLY)
        played = sound.count(480).bytes()
        self.assertEqual(len(played), agent.write(playing, played))
        self.assertEqual(played, agent.read_bytes(recording, len(played)))


if __name__ == "__main__":
    unittest.main()
