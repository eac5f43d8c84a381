"""The life of an instance, row by row of the design's table."""

import errno
import os
import select
import signal
import time
import unittest

from driven import *
import sound
from loop import CLIENT, SERVER, client, server

FREE = {"clock": "free"}
FRAME = 4  # bytes, in the format both sides start with


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

    def test_one_program_may_hold_both_sides(self):
        loop = self.loop(**FREE)
        agent = self.agent(loop)
        recording, playing = agent.open(SERVER, os.O_RDONLY), agent.open(CLIENT, os.O_WRONLY)
        played = sound.count(480).bytes()
        self.assertEqual(len(played), agent.write(playing, played))
        self.assertEqual(played, agent.read_bytes(recording, len(played)))


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


class Ending(DrivenTest):
    def test_when_the_producer_ends_every_frame_comes_then_the_end_at_once(self):
        for nonblock in (0, os.O_NONBLOCK):
            with self.subTest(nonblock=bool(nonblock)):
                loop = self.loop(**FREE)
                server, client = self.pair(loop, os.O_RDONLY | nonblock)
                played = sound.count(4801).bytes()
                reading = server.later("read_to_end", server.fd, 4096)
                client.write_all(client.fd, played)
                client.close(client.fd)
                closed = time.monotonic()
                data, sizes, ended = reading.result(PROMPT_SECONDS)
                self.assertLess(reading.end - closed, 0.3)
                self.assertEqual(played, data)
                self.assertEqual(errno.ECONNRESET, ended)

    def test_the_last_short_read_is_a_short_read(self):
        loop = self.loop(**FREE)
        server, client = self.pair(loop)
        played = sound.count(1500).bytes()
        client.write_all(client.fd, played)
        reading = server.later("read_to_end", server.fd, 4096)
        client.close(client.fd)
        data, sizes, ended = reading.result(PROMPT_SECONDS)
        self.assertEqual(played, data)
        self.assertEqual(len(played) % 4096, sizes[-1] % 4096)
        self.assertEqual(errno.ECONNRESET, ended)

    def test_when_the_server_ends_a_client_that_reads_gets_every_frame_then_the_end(self):
        loop = self.loop(**FREE)
        server, client = self.pair(loop, os.O_WRONLY, os.O_RDONLY)
        played = sound.count(4801).bytes()
        reading = client.later("read_to_end", client.fd, 4096)
        self.assertEqual((len(played), None), server.write_all(server.fd, played))
        server.close(server.fd)
        data, _, ended = reading.result(PROMPT_SECONDS)
        self.assertEqual((played, errno.ECONNRESET), (data, ended))

    def test_the_end_is_told_once_and_the_next_read_waits_for_the_next_stream(self):
        for nonblock in (0, os.O_NONBLOCK):
            with self.subTest(nonblock=bool(nonblock)):
                loop = self.loop(**FREE)
                server, client = self.pair(loop, os.O_RDONLY | nonblock)
                for number in range(3):
                    played = sound.count(480 + number).bytes()
                    reading = server.later("read_to_end", server.fd)
                    self.assert_waits(reading, 0.15)
                    client.write_all(client.fd, played)
                    client.close(client.fd)
                    data, _, ended = reading.result(PROMPT_SECONDS)
                    self.assertEqual((played, errno.ECONNRESET), (data, ended))
                    client.fd = client.open(CLIENT, os.O_WRONLY)

    def test_a_client_that_plays_nothing_is_no_stream(self):
        loop = self.loop(**FREE)
        server, client = self.pair(loop)
        reading = server.later("read_to_end", server.fd)
        for _ in range(3):
            client.close(client.fd)
            client.fd = client.open(CLIENT, os.O_WRONLY)
            client.set_format(client.fd, S16_LE, 2, 44100)
        self.assert_waits(reading, 0.2)
        client.set_format(client.fd, S16_LE, 2, 48000)
        played = sound.count(100).bytes()
        client.write(client.fd, played)
        client.close(client.fd)
        self.assertEqual((played, errno.ECONNRESET), reading.result(PROMPT_SECONDS)[::2])

    def test_when_the_consumer_ends_a_blocked_write_wakes_with_its_partial_count_then_econnreset(self):
        loop = self.loop()
        server, client = self.pair(loop)
        reading = server.later("read", server.fd, 64)
        writing = client.later("libc_write", client.fd, bytes(8 * 48000 * FRAME))
        reading.result()
        self.assert_waits(writing, 0.2)
        server.close(server.fd)
        start = time.monotonic()
        partial = writing.result(PROMPT_SECONDS)
        self.assertLess(writing.end - start, 0.5)
        self.assertTrue(0 < partial < 8 * 48000 * FRAME)
        self.assertEqual(0, partial % FRAME)
        self.assert_errno(errno.ECONNRESET, client.write, client.fd, bytes(64))
        for _ in range(3):
            self.assert_errno(errno.ENXIO, client.write, client.fd, bytes(64))

    def test_when_the_consumer_ends_the_same_descriptor_plays_again_to_the_next_server(self):
        loop = self.loop(**FREE)
        server, client = self.pair(loop)
        client.write(client.fd, sound.count(100).bytes())
        server.read_bytes(server.fd, 100 * FRAME)
        server.close(server.fd)
        self.assert_errno(errno.ECONNRESET, client.write, client.fd, bytes(64))
        self.assert_errno(errno.ENXIO, client.write, client.fd, bytes(64))
        server.fd = server.open(SERVER, os.O_RDONLY)
        played = sound.count(2000).bytes()
        reading = server.later("read_to_end", server.fd)
        self.assertEqual((len(played), None), client.write_all(client.fd, played))
        client.close(client.fd)
        self.assertEqual((played, errno.ECONNRESET), reading.result(PROMPT_SECONDS)[::2])

    def test_when_the_client_stops_listening_a_server_that_writes_is_told(self):
        loop = self.loop()
        server, client = self.pair(loop, os.O_WRONLY, os.O_RDONLY)
        writing = server.later("write_all", server.fd, bytes(8 * 48000 * FRAME))
        client.read_bytes(client.fd, 480 * FRAME)
        client.close(client.fd)
        _, ended = writing.result(PROMPT_SECONDS)
        self.assertEqual(errno.ECONNRESET, ended)

    def test_halt_drops_what_is_queued_and_the_stream_goes_on(self):
        loop = self.loop(clock="0.1")  # a test that comes late has heard little
        server, client = self.pair(loop)
        reading = server.later("read_to_end", server.fd)
        self.assert_waits(reading, 0.1)
        dropped = sound.count(14400)
        kept = sound.noise(4801, seed=7).bytes()
        self.assertEqual(14400 * FRAME, client.write(client.fd, dropped.bytes()))
        client.ioctl_none(client.fd, HALT)
        self.assertEqual((len(kept), None), client.write_all(client.fd, kept))
        client.close(client.fd)
        data, _, ended = reading.result(PROMPT_SECONDS)
        self.assertEqual(errno.ECONNRESET, ended)
        self.assertEqual(kept, data[-len(kept) :])
        before = len(data) - len(kept)
        self.assertLess(before, 14400 * FRAME // 2, "what was queued was played after all")
        heard = data[:before].rstrip(b"\0")
        self.assertTrue(dropped.bytes().startswith(heard), "something else was played")

    def test_trigger_off_drops_what_is_queued_and_the_stream_goes_on(self):
        loop = self.loop(clock="0.1")  # a test that comes late has heard little
        server, client = self.pair(loop)
        reading = server.later("read_to_end", server.fd)
        self.assert_waits(reading, 0.1)
        client.write(client.fd, sound.noise(14400, seed=1).bytes())
        client.ioctl(client.fd, SETTRIGGER, 0)
        client.ioctl(client.fd, SETTRIGGER, ENABLE_OUTPUT)
        kept = sound.noise(4801, seed=7).bytes()
        client.write_all(client.fd, kept)
        client.close(client.fd)
        data, _, ended = reading.result(PROMPT_SECONDS)
        self.assertEqual((kept, errno.ECONNRESET), (data[-len(kept) :], ended))
        self.assertLess(len(data) - len(kept), 7200 * FRAME)

    def test_close_drains_what_was_accepted(self):
        loop = self.loop()
        server, client = self.pair(loop)
        reading = server.later("read_to_end", server.fd)
        self.assert_waits(reading, 0.1)
        played = sound.count(12000).bytes()
        self.assertEqual((len(played), None), client.write_all(client.fd, played, len(played)))
        client.close(client.fd)
        self.assertEqual((played, errno.ECONNRESET), reading.result(PROMPT_SECONDS)[::2])

    def test_close_does_not_hang_on_a_server_that_never_reads(self):
        loop = self.loop()
        server, client = self.pair(loop)
        client.write(client.fd, bytes(4800 * FRAME))
        _, seconds = client.timed("close", client.fd)
        self.assertLess(seconds, 2)
        client.open(CLIENT, os.O_WRONLY)

    def test_close_does_not_hang_on_a_server_that_stopped_reading(self):
        loop = self.loop()
        server, client = self.pair(loop)
        reading = server.later("read", server.fd, 64)
        client.write(client.fd, bytes(14400 * FRAME))
        reading.result()
        _, seconds = client.timed("close", client.fd)
        self.assertLess(seconds, 3)
        client.open(CLIENT, os.O_WRONLY)

    def test_what_was_accepted_is_delivered_after_exit_without_close(self):
        loop = self.loop(**FREE)
        server, client = self.pair(loop)
        played = sound.count(4801).bytes()
        self.assertEqual(len(played), client.write(client.fd, played))
        client.kill()
        self.assertEqual((played, errno.ECONNRESET), server.read_to_end(server.fd)[::2])


class Xruns(DrivenTest):
    def test_underrun_is_silence_and_counted(self):
        loop = self.loop()
        server, client = self.pair(loop)
        first, second = sound.noise(4800, seed=1).bytes(), sound.noise(4800, seed=2).bytes()
        reading = server.later("read_to_end", server.fd)
        self.assert_waits(reading, 0.1)
        client.write(client.fd, first)
        time.sleep(0.6)
        client.write(client.fd, second)
        underruns = fields(client.ioctl_bytes(client.fd, GETERROR, bytes(104)), "i")[0]
        client.close(client.fd)
        data, _, ended = reading.result(PROMPT_SECONDS)
        self.assertEqual(errno.ECONNRESET, ended)
        self.assertTrue(data.startswith(first), "the sound before the gap")
        self.assertTrue(data.endswith(second), "the sound after the gap")
        gap = data[len(first) : -len(second)]
        self.assertEqual(bytes(len(gap)), gap, "the gap is silence")
        self.assertGreater(len(gap), 0.2 * 48000 * FRAME)
        self.assertLess(len(gap), 1.2 * 48000 * FRAME)
        self.assertGreaterEqual(underruns, 1)

    def test_underrun_stall_waits_instead(self):
        loop = self.loop(underrun="stall")
        server, client = self.pair(loop)
        played = sound.count(9600).bytes()
        reading = server.later("read_to_end", server.fd)
        client.write(client.fd, played[:19200])
        time.sleep(0.5)
        client.write(client.fd, played[19200:])
        client.close(client.fd)
        self.assertEqual((played, errno.ECONNRESET), reading.result(PROMPT_SECONDS)[::2])

    def test_overrun_makes_the_producer_wait_and_nothing_is_lost(self):
        loop = self.loop()
        server, client = self.pair(loop)
        played = sound.count(2 * 48000).bytes()
        reading = server.later("read_bytes", server.fd, 480 * FRAME)
        writing = client.later("write_all", client.fd, played)
        first = reading.result()
        self.assert_waits(writing, 2.5)
        rest = server.later("read_to_end", server.fd)
        self.assertEqual((len(played), None), writing.result())
        client.close(client.fd)
        data, _, ended = rest.result()
        self.assertEqual((played, errno.ECONNRESET), (first + data, ended))

    def test_overrun_drop_loses_the_oldest_and_counts_it(self):
        loop = self.loop(overrun="drop")
        server, client = self.pair(loop)
        played = sound.count(2 * 48000).bytes()
        reading = server.later("read_bytes", server.fd, 480 * FRAME)
        writing = client.later("write_all", client.fd, played)
        first = reading.result()
        self.assertEqual((len(played), None), writing.result(4), "the producer does not wait")
        rest = server.later("read_to_end", server.fd)
        client.close(client.fd)
        data, _, ended = rest.result()
        overruns = fields(server.ioctl_bytes(server.fd, GETERROR, bytes(104)), "2i")[1]
        self.assertEqual(errno.ECONNRESET, ended)
        self.assertEqual(list(range(480)), sound.numbers(first))
        heard = sound.numbers(data)
        self.assertLess(len(heard), 1.5 * 48000, "nothing was lost")
        self.assertEqual(sorted(set(heard)), heard, "order or repetition")
        self.assertEqual(2 * 48000 - 1, heard[-1], "the newest was lost")
        self.assertGreaterEqual(overruns, 1)


class EndPolicies(DrivenTest):
    def play(self, client, frames):
        fd = client.open(CLIENT, os.O_WRONLY)
        data = sound.count(frames).bytes()
        client.write_all(fd, data)
        client.close(fd)
        return data

    def test_eof_reset_is_the_default(self):
        loop = self.loop(**FREE)
        server, client = self.agent(loop), self.agent(loop)
        fd = server.open(SERVER, os.O_RDONLY)
        reading = server.later("read_to_end", fd)
        data = self.play(client, 1000)
        self.assertEqual((data, errno.ECONNRESET), reading.result(PROMPT_SECONDS)[::2])

    def test_eof_eof_reads_0_until_the_next_stream(self):
        loop = self.loop(eof="eof", **FREE)
        server, client = self.agent(loop), self.agent(loop)
        fd = server.open(SERVER, os.O_RDONLY)
        reading = server.later("read_to_end", fd)
        self.assert_waits(reading, 0.1)
        for frames in (1000, 1001):
            data = self.play(client, frames)
            self.assertEqual((data, 0), reading.result(PROMPT_SECONDS)[::2])
            # As a file: who asks again, such as sox, hears it again.
            self.assertEqual(b"", server.read(fd, 4096))
            reading = server.later("read_next", fd)

    def test_eof_silence_never_ends(self):
        loop = self.loop(eof="silence")
        server, client = self.agent(loop), self.agent(loop)
        fd = server.open(SERVER, os.O_RDONLY)
        reading = server.later("read_bytes", fd, 24000 * FRAME)
        data = self.play(client, 4800)
        got = reading.result(PROMPT_SECONDS)
        self.assertEqual(data, got[: len(data)])
        self.assertEqual(bytes(len(got) - len(data)), got[len(data) :])

    def test_eof_wait_joins_the_streams_without_a_sign(self):
        loop = self.loop(eof="wait", **FREE)
        server, client = self.agent(loop), self.agent(loop)
        fd = server.open(SERVER, os.O_RDONLY)
        reading = server.later("read_bytes", fd, 2001 * FRAME)
        data = self.play(client, 1000)
        self.assert_waits(reading, 0.2)
        data += self.play(client, 1001)
        self.assertEqual(data, reading.result(PROMPT_SECONDS))

    def test_a_changed_configuration_counts_from_the_servers_next_open(self):
        loop = self.loop(clock="free", eof="reset")
        for eof, told in (("reset", errno.ECONNRESET), ("eof", 0)):
            loop.configure(clock="free", eof=eof)
            server, client = self.agent(loop), self.agent(loop)
            fd = server.open(SERVER, os.O_RDONLY)
            recording = server.later("read_to_end", fd)
            played = self.play(client, 480)
            data, _, ended = recording.result()
            self.assertEqual((played, told), (data, ended))
            server.close(fd)

    def test_policies_can_be_set_for_one_instance(self):
        loop = self.loop(instances=2, clock="free", **{"loop1.eof": "eof"})
        server_agent, client_agent = self.pair(loop, instance=1)
        data = sound.count(100).bytes()
        client_agent.write(client_agent.fd, data)
        client_agent.close(client_agent.fd)
        self.assertEqual((data, 0), server_agent.read_to_end(server_agent.fd)[::2])


if __name__ == "__main__":
    unittest.main()
