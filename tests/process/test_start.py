"""How the stream of an instance starts, and what sleeps until it does."""

import errno
import os
import select
import signal
import time
import unittest

from driven import *
import sound
from loop import SERVER

FREE = {"clock": "free"}
FRAME = 4  # bytes, in the format both sides start with


class Starting(DrivenTest):
    def test_first_read_of_the_server_sleeps_until_the_client_starts(self):
        for nonblock in (0, os.O_NONBLOCK):
            with self.subTest(nonblock=bool(nonblock)):
                loop = self.loop()
                server, client = self.pair(loop, os.O_RDONLY | nonblock)
                reading = server.later("read", server.fd, 4096)
                self.assert_waits(reading)
                played = sound.count(4800).bytes()
                client.write_all(client.fd, played)
                try:
                    got = reading.result(PROMPT_SECONDS)
                except Failed as failed:  # the client has started, nothing is due yet
                    self.assertEqual((errno.EAGAIN, os.O_NONBLOCK), (failed.errno, nonblock))
                    server.poll(server.fd, select.POLLIN, 1000)
                    got = server.read(server.fd, 4096)
                self.assertTrue(got and played.startswith(got))

    def test_first_write_of_the_server_sleeps_until_the_client_starts(self):
        for nonblock in (0, os.O_NONBLOCK):
            with self.subTest(nonblock=bool(nonblock)):
                loop = self.loop()
                server, client = self.pair(loop, os.O_WRONLY | nonblock, os.O_RDONLY)
                played = sound.count(480).bytes()
                writing = server.later("write", server.fd, played)
                self.assert_waits(writing)
                got = client.later("read_bytes", client.fd, len(played))
                self.assertEqual(len(played), writing.result(PROMPT_SECONDS))
                self.assertEqual(played, got.result(PROMPT_SECONDS))

    def test_a_signal_interrupts_the_first_read_of_the_server(self):
        for nonblock in (0, os.O_NONBLOCK):
            with self.subTest(nonblock=bool(nonblock)):
                server = self.agent(self.loop())
                fd = server.open(SERVER, os.O_RDONLY | nonblock)
                server.handle(signal.SIGUSR1, False)
                reading = server.later("libc_read", fd, 4096)
                self.assert_waits(reading, 0.2)
                server.interrupt(reading, signal.SIGUSR1)
                self.assert_errno(errno.EINTR, reading.result, 1)
                self.assertIn(signal.SIGUSR1, server.handled())

    def test_a_signal_interrupts_the_first_write_of_the_server(self):
        server = self.agent(self.loop())
        fd = server.open(SERVER, os.O_WRONLY)
        server.handle(signal.SIGUSR1, False)
        writing = server.later("libc_write", fd, bytes(4096))
        self.assert_waits(writing, 0.2)
        server.interrupt(writing, signal.SIGUSR1)
        self.assert_errno(errno.EINTR, writing.result, 1)

    def test_the_first_read_ends_when_the_program_is_asked_to_end(self):
        # sox and ffmpeg only set a flag in a handler with SA_RESTART, and look at it
        # when the call returns.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(signal=number.name):
                server = self.agent(self.loop())
                fd = server.open(SERVER, os.O_RDONLY)
                server.handle(number, True)
                reading = server.later("libc_read", fd, 4096)
                self.assert_waits(reading, 0.2)
                server.signal(number)
                self.assert_errno(errno.EINTR, reading.result, 1)

    def test_the_first_read_goes_on_after_a_signal_with_sa_restart(self):
        loop = self.loop(**FREE)
        server, client = self.pair(loop)
        server.handle(signal.SIGUSR1, True)
        reading = server.later("libc_read", server.fd, 4096)
        self.assert_waits(reading, 0.2)
        server.signal(signal.SIGUSR1)
        self.assert_waits(reading, 0.2)
        played = sound.count(4800).bytes()
        client.write(client.fd, played)
        self.assertTrue(played.startswith(reading.result(PROMPT_SECONDS)))

    def test_poll_select_space_and_trigger_never_sleep_on_a_server_that_reads(self):
        server = self.agent(self.loop())
        fd = server.open(SERVER, os.O_RDONLY)
        for name, arguments in (
            ("poll", (fd, select.POLLIN, 0)),
            ("select_input", (fd, 0)),
            ("ioctl_bytes", (fd, GETISPACE, bytes(16))),
            ("ioctl", (fd, SETTRIGGER, ENABLE_INPUT)),
            ("ioctl", (fd, SETTRIGGER, 0)),
            ("ioctl_bytes", (fd, GETIPTR, bytes(12))),
        ):
            with self.subTest(name):
                answer, seconds = server.timed(name, *arguments)
                self.assertLess(seconds, 0.2)
                if name in ("poll", "select_input"):
                    self.assertFalse(answer, "ready although nobody plays")
        _, _, _, readable = fields(server.ioctl_bytes(fd, GETISPACE, bytes(16)), "4i")
        self.assertEqual(0, readable)

    def test_poll_select_space_and_trigger_never_sleep_on_a_server_that_writes(self):
        server = self.agent(self.loop())
        fd = server.open(SERVER, os.O_WRONLY)
        for name, arguments in (
            ("poll", (fd, select.POLLOUT, 0)),
            ("select", (fd, 0)),
            ("ioctl_bytes", (fd, GETOSPACE, bytes(16))),
            ("ioctl", (fd, SETTRIGGER, 0)),
            ("ioctl", (fd, SETTRIGGER, ENABLE_OUTPUT)),
            ("ioctl_bytes", (fd, GETOPTR, bytes(12))),
        ):
            with self.subTest(name):
                self.assertLess(server.timed(name, *arguments)[1], PROMPT_SECONDS)
        fragments, total, size, free = fields(server.ioctl_bytes(fd, GETOSPACE, bytes(16)), "4i")
        self.assertEqual((total, total * size), (fragments, free), "an empty buffer is free")

    def test_poll_for_input_before_any_read_starts_recording(self):
        for call in ("poll", "select_input"):
            with self.subTest(call):
                loop = self.loop()
                server, client = self.pair(loop)
                arguments = (select.POLLIN, 5000) if call == "poll" else (5,)
                polling = server.later(call, server.fd, *arguments)
                self.assert_waits(polling, 0.2)
                played = sound.count(24000).bytes()
                playing = client.later("write_all", client.fd, played)
                self.assertTrue(polling.result(PROMPT_SECONDS))
                got, seconds = server.timed("read", server.fd, 256)
                self.assertTrue(played.startswith(got) and got)
                self.assertLess(seconds, 0.2)
                server.later("read_to_end", server.fd)
                self.assertEqual((len(played), None), playing.result())

    def test_poll_for_input_of_a_client_starts_a_server_that_writes(self):
        loop = self.loop()
        server, client = self.pair(loop, os.O_WRONLY, os.O_RDONLY)
        played = sound.count(9600).bytes()
        writing = server.later("write_all", server.fd, played)
        self.assert_waits(writing, 0.2)
        self.assertTrue(client.poll(client.fd, select.POLLIN, 3000) & select.POLLIN)
        self.assertEqual(played, client.read_bytes(client.fd, len(played)))

    def test_first_write_of_the_client_does_not_wait(self):
        loop = self.loop()
        server, client = self.pair(loop)
        reading = server.later("read", server.fd, 64)
        self.assert_waits(reading, 0.1)
        written, seconds = client.timed("write", client.fd, bytes(960 * FRAME))
        self.assertEqual(960 * FRAME, written)
        self.assertLess(seconds, 0.2)

    def test_client_that_writes_first_fills_its_buffer_then_blocks_until_the_server_reads(self):
        loop = self.loop(**FREE)
        server, client = self.pair(loop)
        _, total, size, free = fields(client.ioctl_bytes(client.fd, GETOSPACE, bytes(16)), "4i")
        self.assertEqual(total * size, free)
        played = sound.count(free // FRAME + 4800).bytes()
        self.assertEqual(free, client.write(client.fd, played[:free]), "the buffer takes what it said")
        writing = client.later("write", client.fd, played[free:])
        self.assert_waits(writing)
        self.assertEqual(played, server.read_bytes(server.fd, len(played)))
        self.assertEqual(4800 * FRAME, writing.result(PROMPT_SECONDS))

    def test_non_blocking_client_that_writes_first_fills_its_buffer_then_gets_eagain(self):
        loop = self.loop(**FREE)
        server, client = self.pair(loop, client_flags=os.O_WRONLY | os.O_NONBLOCK)
        free = fields(client.ioctl_bytes(client.fd, GETOSPACE, bytes(16)), "4i")[3]
        played = sound.count(2 * free // FRAME).bytes()
        accepted, error = client.write_all(client.fd, played)
        self.assertEqual((free, errno.EAGAIN), (accepted, error))
        self.assertEqual(played[:free], server.read_bytes(server.fd, free))

    def test_no_silence_comes_before_the_first_sample(self):
        loop = self.loop()
        server, client = self.pair(loop)
        reading = server.later("read", server.fd, 40)
        time.sleep(0.3)
        played = sound.count(4800).bytes()
        client.write_all(client.fd, played)
        self.assertEqual(0, sound.numbers(reading.result(PROMPT_SECONDS))[0])


if __name__ == "__main__":
    unittest.main()
