"""How a stream ends: every frame first, then its end, once."""

import errno
import os
import select
import subprocess
import time
import unittest

from driven import *
import sound
from loop import CLIENT, SERVER

FREE = {"clock": "free"}
FRAME = 4  # bytes, in the format both sides start with


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

    def test_a_client_that_may_play_too_hears_the_end_of_its_server_by_poll(self):
        for mode in (os.O_RDONLY, os.O_RDWR):
            with self.subTest(mode=mode):
                loop = self.loop(**FREE)
                server, client = self.pair(loop, os.O_WRONLY, mode)
                self.assertEqual(0, client.poll(client.fd, select.POLLIN, 0))
                played = sound.count(4801).bytes()
                self.assertEqual((len(played), None), server.write_all(server.fd, played))
                server.close(server.fd)
                self.assertEqual(errno.ECONNRESET, client.poll_to_end(client.fd, "read", 5000))

    def test_a_server_that_comes_back_to_record_takes_no_sound_from_who_still_listens(self):
        loop = self.loop(**FREE)
        server, client = self.pair(loop, os.O_WRONLY, os.O_RDONLY)
        played = sound.count(4801).bytes()
        reading = client.later("read_bytes", client.fd, 400)
        self.assertEqual((len(played), None), server.write_all(server.fd, played))
        self.assertEqual(played[:400], reading.result(PROMPT_SECONDS))
        server.close(server.fd)
        server.open(SERVER, os.O_RDONLY)
        data, _, ended = client.read_to_end(client.fd)
        self.assertEqual((played[400:], errno.ECONNRESET), (data, ended))
        self.assert_errno(errno.EACCES, client.read, client.fd, 400)

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

    def test_to_close_what_is_open_brings_no_table_into_memory(self):
        loop = self.loop()

        def faults(*after):
            words = "/usr/bin/python3", "-Sc", "; ".join(("import os", f"fd = os.open('{SERVER}', os.O_RDONLY)", *after))
            program = subprocess.Popen(words, env=loop.environment())
            _, status, usage = os.wait4(program.pid, 0)
            program.returncode = os.waitstatus_to_exitcode(status)
            self.assertEqual(0, program.returncode)
            return usage.ru_minflt

        closed = faults("os.close(fd)")
        for how, after in {"exit": (), "all": ("os.closerange(fd, 1 << 20)",)}.items():
            with self.subTest(how):
                self.assertLess(faults(*after), closed + 500)  # of 4 KiB


if __name__ == "__main__":
    unittest.main()
