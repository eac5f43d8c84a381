"""One open shared by processes: dup, fork, exec, close-on-exec."""

import errno
import os
import pathlib
import pickle
import signal
import time
import unittest

from driven import *
import sound
from loop import CLIENT, LIBRARY, PYTHON, SERVER

PROGRAMS = pathlib.Path(LIBRARY).parents[1] / "tests" / "process"
FREE = {"clock": "free"}


class Sharing(DrivenTest):
    def test_a_forked_child_plays_on_the_parent_s_open(self):
        loop = self.loop(**FREE)
        server, client = self.pair(loop)
        parts = [sound.noise(1000, seed=n).bytes() for n in range(3)]
        reading = server.later("read_to_end", server.fd)
        client.write_all(client.fd, parts[0])
        child = client.fork_and("write_all", client.fd, parts[1], str(loop.file("answer")))
        self.assertEqual(0, client.reap(child))
        self.assertEqual((len(parts[1]), None), pickle.loads(loop.file("answer").read_bytes()))
        self.assert_waits(reading, 0.2)  # the child's exit ended nothing
        client.write_all(client.fd, parts[2])
        client.close(client.fd)
        self.assertEqual((b"".join(parts), errno.ECONNRESET), reading.result(PROMPT_SECONDS)[::2])

    def test_the_stream_ends_with_the_last_descriptor_in_any_process(self):
        loop = self.loop(**FREE)
        server, client = self.pair(loop)
        reading = server.later("read_to_end", server.fd)
        played = sound.count(1000).bytes()
        client.write(client.fd, played)
        client.set_inheritable(client.fd, True)
        child = client.spawn(["sleep", "60"])
        client.close(client.fd)
        self.assert_waits(reading, 0.3)
        os.kill(child, signal.SIGKILL)
        self.assertEqual((played, errno.ECONNRESET), reading.result(PROMPT_SECONDS)[::2])

    def test_close_on_exec_closes(self):
        loop = self.loop(**FREE)
        server, client = self.pair(loop)
        reading = server.later("read_to_end", server.fd)
        played = sound.count(1000).bytes()
        client.write(client.fd, played)
        child = client.spawn(["sleep", "60"])  # Python opens close-on-exec
        time.sleep(0.3)
        client.close(client.fd)
        try:
            self.assertEqual((played, errno.ECONNRESET), reading.result(PROMPT_SECONDS)[::2])
        finally:
            os.kill(child, signal.SIGKILL)

    def test_a_dup_keeps_the_stream_alive(self):
        loop = self.loop(**FREE)
        server, client = self.pair(loop)
        reading = server.later("read_to_end", server.fd)
        copy = client.dup(client.fd)
        first, second = sound.noise(1000, seed=1).bytes(), sound.noise(1000, seed=2).bytes()
        client.write(client.fd, first)
        client.close(client.fd)
        self.assert_waits(reading, 0.2)
        client.write(copy, second)
        client.close(copy)
        self.assertEqual((first + second, errno.ECONNRESET), reading.result(PROMPT_SECONDS)[::2])

    def test_an_inherited_descriptor_keeps_its_format_over_exec(self):
        loop = self.loop(**FREE)
        server, client = self.pair(loop)
        server.set_format(server.fd, S16_LE, 2, 44100)
        client.set_format(client.fd, 0x8, 1, 44100)
        loop.file("song.raw").write_bytes(bytes(range(256)) * 8)
        reading = server.later("read_to_end", server.fd)
        client.set_inheritable(client.fd, True)
        child = client.spawn(["sh", "-c", f"cat song.raw >&{client.fd}"])
        self.assertEqual(0, client.reap(child))
        client.close(client.fd)
        data, _, ended = reading.result(PROMPT_SECONDS)
        got = sound.from_bytes(data)
        expected = [(value - 128) * 256 for value in bytes(range(256)) * 8]
        self.assertEqual(expected, list(got.samples[0::2]))
        self.assertEqual(expected, list(got.samples[1::2]))

    def test_a_shell_plays_with_cat(self):
        loop = self.loop(**FREE)
        server = self.agent(loop)
        fd = server.open(SERVER, os.O_RDONLY)
        played = sound.noise(20000).bytes()
        loop.file("song.raw").write_bytes(played)
        reading = server.later("read_to_end", fd)
        loop.start("sh", "-c", "test -c /dev/dsp && cat song.raw > /dev/dsp").succeed()
        self.assertEqual((played, errno.ECONNRESET), reading.result(PROMPT_SECONDS)[::2])

    def test_a_shell_records_with_head(self):
        loop = self.loop(**FREE)
        played = sound.noise(20000)
        recorder = loop.start(
            "sh", "-c", "head -c 80000 < /dev/dsp > heard.raw", env={"OSSLOOP_DSP": "server0"}
        )
        loop.wait_until_listening(recorder)
        loop.partner_plays(CLIENT, played).wait()
        recorder.succeed()
        self.assertEqual(played.bytes(), loop.file("heard.raw").read_bytes())

    def test_a_player_that_execs_a_player_hands_its_device_on(self):
        loop = self.loop(**FREE)
        recorder = loop.partner_records(SERVER)
        loop.wait_until_listening(recorder)
        loop.file("song.raw").write_bytes(sound.noise(5000).bytes())
        script = (
            "import os\n"
            f"fd = os.open('{CLIENT}', os.O_WRONLY)\n"
            "os.dup2(fd, 1)\n"
            "os.close(fd)\n"
            "os.execvp('cat', ['cat', 'song.raw'])\n"
        )
        loop.start(PYTHON, "-E", "-c", script).succeed()
        self.assert_identical(sound.noise(5000), loop.recorded(recorder))

    def test_the_lowest_free_descriptor_is_given(self):
        loop = self.loop()
        agent = self.agent(loop)
        lowest = agent.open("/dev/null", os.O_RDONLY)
        agent.close(lowest)
        self.assertEqual(lowest, agent.open(SERVER, os.O_RDONLY))

    def test_a_number_used_again_for_another_file_is_that_file(self):
        loop = self.loop()
        agent = self.agent(loop)
        fd = agent.open(SERVER, os.O_RDONLY)
        agent.close(fd)
        loop.file("plain").write_bytes(b"plain")
        self.assertEqual(fd, agent.open(str(loop.file("plain")), os.O_RDONLY))
        self.assertEqual(b"plain", agent.read(fd, 64))

    def test_threads_that_ask_for_a_busy_device_cost_nothing_of_what_two_processes_play(self):
        loop = self.loop(**FREE)
        for number in range(10):  # most of what can go wrong does so at the start
            done = loop.start(PROGRAMS / "busy", SERVER, CLIENT, 6000)
            status = done.wait(30)
            self.assertEqual("ready\nkept\n", done.output, f"round {number}: {done.errors}")
            self.assertEqual(0, status)

    def test_a_child_may_open_a_device_while_its_parent_s_thread_opened_the_first(self):
        done = self.loop().start(PROGRAMS / "loading", SERVER, "/dev/mixer")
        status = done.wait(30)
        self.assertEqual("ready\nkept\n", done.output, done.errors)
        self.assertEqual(0, status)


class Signals(DrivenTest):
    def test_a_blocked_write_gives_eintr_or_a_partial_count(self):
        loop = self.loop()
        server, client = self.pair(loop)
        client.handle(signal.SIGUSR1, False)
        free = fields(client.ioctl_bytes(client.fd, GETOSPACE, bytes(16)), "4i")[3]
        self.assertEqual(free, client.write(client.fd, bytes(free)))
        writing = client.later("libc_write", client.fd, bytes(4096))
        self.assert_waits(writing, 0.2)
        client.interrupt(writing, signal.SIGUSR1)
        self.assert_errno(errno.EINTR, writing.result, 1)

        server.close(server.fd)
        server.fd = server.open(SERVER, os.O_RDONLY)
        client.close(client.fd)
        client.fd = client.open(CLIENT, os.O_WRONLY)
        writing = client.later("libc_write", client.fd, bytes(free + 4096))
        self.assert_waits(writing, 0.6)  # a new server has a moment to choose its format
        client.interrupt(writing, signal.SIGUSR1)
        self.assertEqual(free, writing.result(PROMPT_SECONDS))

    def test_a_read_in_the_midst_of_a_stream_gives_eintr(self):
        loop = self.loop(underrun="stall")
        server, client = self.pair(loop)
        server.handle(signal.SIGUSR1, False)
        played = sound.count(480).bytes()
        client.write(client.fd, played)
        server.read_bytes(server.fd, len(played))
        reading = server.later("libc_read", server.fd, 4096)
        self.assert_waits(reading, 0.2)
        server.interrupt(reading, signal.SIGUSR1)
        self.assert_errno(errno.EINTR, reading.result, 1)

    def test_a_blocked_write_goes_on_after_a_signal_with_sa_restart(self):
        loop = self.loop(**FREE)
        server, client = self.pair(loop)
        client.handle(signal.SIGUSR1, True)
        free = fields(client.ioctl_bytes(client.fd, GETOSPACE, bytes(16)), "4i")[3]
        client.write(client.fd, bytes(free))
        writing = client.later("libc_write", client.fd, bytes(4096))
        self.assert_waits(writing, 0.2)
        client.signal(signal.SIGUSR1)
        self.assert_waits(writing, 0.2)
        server.read_bytes(server.fd, free + 4096)
        self.assertEqual(4096, writing.result(PROMPT_SECONDS))


if __name__ == "__main__":
    unittest.main()
