"""A runtime folder that another user has made first: nothing in it is opened, by
whatever way to a device, and the user is told once what to do."""

import errno
import os
import pathlib
import shutil
import struct
import unittest

from hardship import *
import layout
import oss_api
from loop import CONTROL

REFUSED = {errno.EACCES, errno.EPERM}
GROUP = 43000


class StrangersTest(DrivenTest):
    def setUp(self):
        self.library = library_for_all(self)
        # Each test has users and a folder of its own.
        self.user, self.stranger = 100000 + 2 * os.getpid(), 100001 + 2 * os.getpid()
        self.folder = pathlib.Path(f"/dev/shm/ossloop-{self.user}")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def new_loop(self, **conf):
        loop = self.loop(**conf)
        open_to_all(loop)
        return loop

    def the_user(self, loop, groups=(), **options):
        return self.agent(loop, wrapper=User(self.user, groups).words,
                          env={**self.library, "OSSLOOP_DIR": None}, **options)

    def squat(self, loop, mode=0o755, groups=()):
        """A stranger's instance where the user's would be, open to all; who opens a file there."""
        self.folder.mkdir()
        os.chown(self.folder, self.stranger, groups[0] if groups else self.stranger)
        stranger = self.agent(loop, wrapper=User(self.stranger, groups).words,
                              env={**self.library, "OSSLOOP_DIR": self.folder})
        stranger.open(SERVER, os.O_RDONLY)
        stranger.open("/dev/mixer", os.O_RDWR)
        for path in self.folder.iterdir():
            path.chmod(0o666)
        self.folder.chmod(mode)
        with open(self.folder / "loop0", "r+b") as file:
            file.seek(layout.half("server", "command"))
            file.write(b"STRANGER\0")
        opens = Opens(self.folder)
        self.addCleanup(opens.close)
        return opens

    def assert_refuses(self, agent, path, flags):
        self.assert_errno(REFUSED, agent.open, path, flags)

    def assert_told(self, agent):
        """In one line, with the remedy."""
        agent.kill()
        lines = set(agent.program.errors.splitlines())
        self.assertEqual(1, len(lines), lines)
        line = lines.pop()
        for text in (str(self.folder), "belongs to another user", "OSSLOOP_DIR"):
            self.assertIn(text, line)


class PrivateFolder(StrangersTest):
    def test_no_side_of_a_stranger_s_instance_is_opened(self):
        loop = self.new_loop()
        opens = self.squat(loop)
        agent = self.the_user(loop)
        self.assert_refuses(agent, CLIENT, os.O_WRONLY)
        self.assert_refuses(agent, "/dev/dsp", os.O_WRONLY)
        self.assertEqual(set(), opens.names())
        self.assert_told(agent)

    def test_no_mixer_of_a_stranger_s_instance_is_opened(self):
        loop = self.new_loop()
        opens = self.squat(loop)
        agent = self.the_user(loop)
        for path in ("/dev/mixer", "/dev/mixer0", "/dev/oss/oss_audioloop0/mix0"):
            for flags in (os.O_RDONLY, os.O_RDWR):
                self.assert_refuses(agent, path, flags)
        self.assertEqual(set(), opens.names())
        self.assert_told(agent)

    def test_a_stranger_who_cuts_his_segment_short_ends_nobody(self):
        loop = self.new_loop()
        self.squat(loop)
        agent = self.the_user(loop)
        try:
            mixer = agent.open("/dev/mixer", os.O_RDWR)
        except Failed as failed:
            self.assertIn(failed.errno, REFUSED)
            mixer = None
        os.truncate(self.folder / "loop0", 0)
        if mixer is not None:
            agent.ioctl(mixer, oss_api.read_channel(oss_api.VOLUME))
        self.assertGreater(agent.now(), 0)

    def test_the_status_text_tells_nothing_of_a_stranger_s_instance(self):
        loop = self.new_loop()
        opens = self.squat(loop)
        agent = self.the_user(loop)
        try:
            text = agent.read(agent.open("/dev/sndstat", os.O_RDONLY), 1 << 16)
            self.assertFalse(b"STRANGER" in text, text.decode())
        except Failed as failed:
            self.assertIn(failed.errno, REFUSED)
        self.assertEqual(set(), opens.names())

    def test_requests_of_an_open_device_tell_nothing_of_a_folder_that_has_become_a_stranger_s(self):
        loop = self.new_loop()
        agent = self.the_user(loop)
        server, mixer = agent.open(SERVER, os.O_RDONLY), agent.open("/dev/mixer", os.O_RDWR)
        self.folder.rename(loop.folder / "moved")
        opens = self.squat(loop)
        for request, size in ((AUDIOINFO, 1180), (ENGINEINFO, 1180), (oss_api.AUDIOINFO_EX, 1180)):
            for device in (-1, 0, 1):
                for number in (server, mixer):
                    try:
                        answer = agent.ioctl_bytes(number, request, struct.pack("i", device).ljust(size, b"\0"))
                    except Failed:
                        continue
                    self.assertFalse(b"STRANGER" in answer, "told of the stranger")
        for request, size in ((SYSINFO, SYSINFO >> 16 & 0x3FFF), (oss_api.MIXERINFO, 1136), (oss_api.CARDINFO, 1176)):
            for number in (server, mixer):
                try:
                    agent.ioctl_bytes(number, request, bytes(size))
                except Failed:
                    continue
        self.assert_refuses(agent, CLIENT, os.O_WRONLY)
        self.assert_refuses(agent, "/dev/mixer", os.O_RDWR)
        self.assertEqual(set(), opens.names())
        self.assertEqual(48000, agent.ioctl(server, SPEED, 0))

    def test_a_node_of_a_stranger_that_is_inherited_is_no_device(self):
        loop = self.new_loop()
        opens = self.squat(loop)
        for name in ("server0", "pcm0", "mix0"):
            with self.subTest(name):
                inherited = os.open(self.folder / name, os.O_RDWR | os.O_NONBLOCK)
                self.addCleanup(os.close, inherited)
                opens.names()
                agent = self.the_user(loop, pass_fds=[inherited])
                for request in (SPEED, oss_api.read_channel(oss_api.VOLUME)):
                    self.assert_errno(errno.ENOTTY, agent.ioctl, inherited, request, 0)
                self.assertEqual(set(), opens.names())

    def test_ossloopctl_refuses_a_stranger_s_folder_in_one_line(self):
        loop = self.new_loop()
        opens = self.squat(loop)
        control = shutil.copy(CONTROL, pathlib.Path(self.library["LD_PRELOAD"]).parent)
        for command in (["list"], ["status"], ["status", "0"], ["monitor"], ["set", "0", "eof=eof"], ["destroy", "0"],
                        ["create", "0"], ["create"], ["list", "--json"]):
            with self.subTest(" ".join(command)):
                done = loop.start(*User(self.user).words, control, *command, preload=False,
                                  env={"OSSLOOP_DIR": None})
                self.assertEqual(1, done.wait(), done.output)
                self.assertEqual(1, len(done.errors.splitlines()), done.errors)
                self.assertIn("OSSLOOP_DIR", done.errors)
                self.assertEqual(set(), opens.names())


class SharedFolder(StrangersTest):
    """With mode=0660 a folder may be another's, but not just anybody's."""

    def refuses(self, groups):
        loop = self.new_loop(mode="0660")
        opens = self.squat(loop, 0o775, groups)
        agent = self.the_user(loop, [GROUP])
        self.assert_refuses(agent, CLIENT, os.O_WRONLY)
        self.assert_refuses(agent, SERVER, os.O_RDONLY)
        self.assert_refuses(agent, "/dev/mixer", os.O_RDWR)
        self.assertEqual(set(), opens.names())
        agent.kill()
        self.assertEqual(1, len(set(agent.program.errors.splitlines())), agent.program.errors)
        self.assertIn(str(self.folder), agent.program.errors)

    def test_a_stranger_s_folder_for_his_own_group_is_refused(self):
        self.refuses([])

    def test_a_stranger_s_folder_for_a_common_group_is_refused(self):
        self.refuses([GROUP])


if __name__ == "__main__":
    unittest.main()
