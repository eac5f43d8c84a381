"""Works for an ordinary user, without /proc, in a namespace of its own, and with
every instance in use."""

import errno
import os
import pathlib
import shutil
import unittest

from driven import *
import sound
from loop import CLIENT, SERVER, client, server

FREE = {"clock": "free"}


class Surroundings(DrivenTest):
    def assert_plays(self, loop, server_agent, client_agent, instance=0):
        played = sound.noise(5001, seed=instance).bytes()
        recording = server_agent.open(server(instance), os.O_RDONLY)
        playing = client_agent.open(client(instance), os.O_WRONLY)
        reading = server_agent.later("read_to_end", recording)
        self.assertEqual((len(played), None), client_agent.write_all(playing, played))
        client_agent.close(playing)
        self.assertEqual((played, errno.ECONNRESET), reading.result(PROMPT_SECONDS)[::2])
        server_agent.close(recording)

    def test_as_an_ordinary_user_with_nothing_but_dev_shm(self):
        loop = self.loop(**FREE)
        wrapper, user = [], os.geteuid()
        if user == 0:
            open_to_all(loop)
            wrapper, user = AS_NOBODY, NOBODY
        folder = pathlib.Path(f"/dev/shm/ossloop-{user}")
        if folder.exists() and os.geteuid() != 0:
            self.skipTest(f"{folder} is in use")
        shutil.rmtree(folder, ignore_errors=True)
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        env = {**library_for_all(self), "OSSLOOP_DIR": None}
        agents = [self.agent(loop, wrapper=wrapper, env=env) for _ in range(2)]
        self.assert_plays(loop, *agents)
        self.assertEqual((user, 0o40700), (folder.stat().st_uid, folder.stat().st_mode))

    def test_in_a_user_and_mount_namespace(self):
        loop = self.loop(**FREE)
        wrapper = in_namespace(self)
        self.assert_plays(loop, self.agent(loop, wrapper=wrapper), self.agent(loop, wrapper=wrapper))

    def test_between_a_namespace_and_the_world_outside(self):
        loop = self.loop(**FREE)
        self.assert_plays(loop, self.agent(loop), self.agent(loop, wrapper=in_namespace(self)))

    def test_without_proc(self):
        loop = self.loop(**FREE)
        wrapper = in_namespace(self, "mount -t tmpfs none /proc")
        agents = [self.agent(loop, wrapper=wrapper) for _ in range(2)]
        self.assertFalse(agents[0].exists("/proc/self"))
        self.assert_plays(loop, *agents)

    def test_exec_without_proc_hands_the_device_on(self):
        loop = self.loop(**FREE)
        wrapper = in_namespace(self, "mount -t tmpfs none /proc")
        server_agent, client_agent = self.agent(loop), self.agent(loop, wrapper=wrapper)
        recording = server_agent.open(SERVER, os.O_RDONLY)
        played = sound.noise(5000).bytes()
        loop.file("song.raw").write_bytes(played)
        reading = server_agent.later("read_to_end", recording)
        child = client_agent.spawn(["sh", "-c", "test -c /dev/dsp && cat song.raw > /dev/dsp"])
        self.assertEqual(0, client_agent.reap(child))
        self.assertEqual((played, errno.ECONNRESET), reading.result(PROMPT_SECONDS)[::2])

    def test_sixteen_instances_in_two_processes(self):
        loop = self.loop(instances=16, **FREE)
        servers, clients = self.agent(loop), self.agent(loop)
        recording = [servers.open(server(n), os.O_RDONLY) for n in range(16)]
        playing = [clients.open(client(n), os.O_WRONLY) for n in range(16)]
        songs = [sound.noise(2000 + n, seed=n).bytes() for n in range(16)]
        for fd, song in zip(playing, songs):
            self.assertEqual(len(song), clients.write(fd, song))
        for written, fd, song in zip(playing, recording, songs):
            reading = servers.later("read_to_end", fd)
            clients.close(written)
            self.assertEqual((song, errno.ECONNRESET), reading.result(PROMPT_SECONDS)[::2])

    def test_a_program_that_opens_no_device_leaves_no_trace(self):
        loop = self.loop()
        loop.runtime.rmdir()
        loop.start("sh", "-c", "cat /etc/hostname > /dev/null; ls / > /dev/null").succeed()
        self.assertFalse(loop.runtime.exists())


class Configuration(DrivenTest):
    def test_a_bad_line_is_reported_with_its_place_and_the_rest_counts(self):
        bad = {
            "audioloop_instances": "17",
            "eof": "never",
            "clock": "-3",
            "tick_ms": "0",
            "no_such_key": "1",
        }
        for key, value in bad.items():
            with self.subTest(f"{key}={value}"):
                loop = self.loop()
                loop.conf.write_text(f"# a comment\n{key}={value}\nloop0.eof=eof\n")
                agent = self.agent(loop)
                fd = agent.open(SERVER, os.O_RDONLY)
                self.assertEqual(48000, agent.ioctl(fd, SPEED, 0))
                agent.close(fd)
                agent.kill()
                lines = agent.program.errors.splitlines()
                self.assertEqual(1, len(lines), lines)
                self.assertIn(f"{loop.conf}:2", lines[0])

    def test_a_missing_file_means_the_defaults(self):
        loop = self.loop()
        loop.conf.unlink()
        agent = self.agent(loop)
        agent.open(SERVER, os.O_RDONLY)
        self.assertFalse(agent.exists("/dev/dsp1"))

    def test_default_device_off_hides_it(self):
        agent = self.agent(self.loop(), env={"OSSLOOP_DSP": "off"})
        self.assertEqual(os.path.exists("/dev/dsp"), agent.exists("/dev/dsp"))
        self.assertTrue(agent.exists(CLIENT))


if __name__ == "__main__":
    unittest.main()
