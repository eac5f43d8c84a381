"""With mode=0660 the members of a group share instances, in any folder that is the
group's and root's, whatever they mask of the files that they make."""

import errno
import os
import shutil
import stat
import unittest

from hardship import *
import oss_api
import sound
from loop import CONTROL

GROUP = 43000
ALICE, BERTA, STRANGER = 41001, 41002, 41003
MASKS = (0o022, 0o077, 0o777)


class SharedFolder(DrivenTest):
    def shared_loop(self, **conf):
        """A loop in an ordinary folder of the group."""
        loop = self.loop(clock="free", mode="0660", **conf)
        open_to_all(loop)
        os.chown(loop.runtime, 0, GROUP)
        loop.runtime.chmod(0o770)
        return loop

    def member(self, loop, number, umask=0o022, env=None):
        user = User(number, [GROUP], umask)
        return self.agent(loop, wrapper=user.words, env={**self.library, **(env or {})})

    def setUp(self):
        self.library = library_for_all(self)

    def assert_plays(self, server, client, format=S16_LE, channels=2, rate=48000):
        """All that the client plays is heard, converted or not."""
        played = sound.noise(20000).bytes()
        recording = server.open(SERVER, os.O_RDONLY)
        playing = client.open(CLIENT, os.O_WRONLY)
        server.set_format(recording, S16_LE, 2, 48000)
        client.set_format(playing, format, channels, rate)
        reading = server.later("read_to_end", recording)
        self.assertEqual((len(played), None), client.write_all(playing, played))
        client.close(playing)
        got, _, ended = reading.result()
        self.assertEqual(errno.ECONNRESET, ended)
        if (format, channels, rate) == (S16_LE, 2, 48000):
            self.assertEqual(played, got)
        else:
            self.assertAlmostEqual(len(played) // 4 * 48000 / rate, len(got) / 4, delta=1)
        server.close(recording)

    def assert_mixes(self, first, second):
        fds = [agent.open("/dev/mixer", os.O_RDWR) for agent in (first, second)]
        first.ioctl(fds[0], oss_api.write_channel(oss_api.PCM), oss_api.both(40))
        self.assertEqual(oss_api.both(40), second.ioctl(fds[1], oss_api.read_channel(oss_api.PCM)))
        second.ioctl(fds[1], oss_api.write_channel(oss_api.PCM), oss_api.both(100))
        self.assertEqual(oss_api.both(100), first.ioctl(fds[0], oss_api.read_channel(oss_api.PCM)))

    def assert_shared(self, first, second):
        self.assert_plays(first, second)
        self.assert_plays(second, first)
        self.assert_mixes(second, first)
        for server, client in ((first, second), (second, first)):
            self.assert_plays(server, client, rate=44100)

    def members_share(self, umask, loop, env=None):
        with self.subTest(umask=f"{umask:04o}"):
            self.assert_shared(self.member(loop, ALICE, umask, env), self.member(loop, BERTA, umask, env))

    def test_members_share_a_folder_given_by_the_environment(self):
        for umask in MASKS:
            self.members_share(umask, self.shared_loop())

    def test_members_share_a_folder_given_by_the_configuration(self):
        for umask in MASKS:
            loop = self.shared_loop()
            loop.configure(mode="0660", clock="free", runtime_dir=loop.runtime)
            open_to_all(loop)
            self.members_share(umask, loop, {"OSSLOOP_DIR": None})

    def test_members_share_a_folder_whose_group_files_inherit(self):
        for umask in MASKS:
            loop = self.shared_loop()
            loop.runtime.chmod(0o2770)
            self.members_share(umask, loop)

    def test_a_member_and_root_share_a_folder(self):
        for order in (1, -1):
            loop = self.shared_loop()
            root = self.agent(loop, wrapper=User(0, umask=0o777).words, env=self.library)
            self.assert_shared(*[root, self.member(loop, BERTA)][::order])

    def test_nobody_else_enters_a_folder_of_the_group(self):
        loop = self.shared_loop()
        alice = self.member(loop, ALICE)
        alice.open(SERVER, os.O_RDONLY)
        stranger = self.agent(loop, wrapper=User(STRANGER).words, env=self.library)
        self.assert_errno(errno.EACCES, stranger.open, CLIENT, os.O_WRONLY)
        for path in loop.runtime.iterdir():
            self.assertEqual(GROUP, path.stat().st_gid, path.name)
            self.assertEqual(0, stat.S_IMODE(path.stat().st_mode) & 0o007, path.name)

    def test_ossloopctl_of_one_member_makes_instances_for_another(self):
        control = shutil.copy(CONTROL, self.library["LD_PRELOAD"].rpartition("/")[0])
        for umask in MASKS:
            with self.subTest(umask=f"{umask:04o}"):
                loop = self.shared_loop()
                words = [*User(ALICE, [GROUP], umask).words, control]
                for command in (("create", "0", "clock=free"), ("set", "0", "underrun=stall")):
                    loop.start(*words, *command, preload=False).succeed()
                self.assert_shared(self.member(loop, BERTA), self.member(loop, ALICE))
                loop.start(*User(BERTA, [GROUP], umask).words, control, "set", "0", "eof=eof",
                           preload=False).succeed()

    def made_by_its_first_opener(self, mode):
        for umask in MASKS:
            with self.subTest(umask=f"{umask:04o}"):
                loop = self.shared_loop()
                loop.configure(mode=f"{mode:04o}", clock="free")
                open_to_all(loop)
                loop.folder.chmod(0o777)
                loop.runtime.rmdir()
                alice = self.member(loop, ALICE, umask)
                self.assert_plays(alice, self.member(loop, ALICE, umask))
                self.assertEqual(0o700 if mode == 0o600 else 0o770, stat.S_IMODE(loop.runtime.stat().st_mode))

    def test_a_private_folder_is_its_owner_s_whatever_its_first_opener_masks(self):
        self.made_by_its_first_opener(0o600)

    def test_a_group_s_folder_is_the_group_s_whatever_its_first_opener_masks(self):
        self.made_by_its_first_opener(0o660)


if __name__ == "__main__":
    unittest.main()
