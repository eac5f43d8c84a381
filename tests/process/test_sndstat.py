"""/dev/sndstat: a character device that holds text, whoever reads it and how."""

import errno
import os
import stat

from driven import *
from loop import PYTHON

SNDSTAT = "/dev/sndstat"
ASK = (
    "import os,sys,stat; fd=int(sys.argv[1]); status=os.fstat(fd); "
    "sys.exit(0 if stat.S_ISCHR(status.st_mode) and os.major(status.st_rdev)==14"
    " and os.read(fd, 9)==sys.argv[2].encode() else 1)"
)


class Sndstat(DrivenTest):
    def test_it_is_a_character_device_by_name_and_by_descriptor(self):
        agent = self.agent(self.loop())
        number = agent.open(SNDSTAT, os.O_RDONLY)
        for status in (agent.stat(SNDSTAT), agent.fstat(number), agent.fstat(agent.dup(number))):
            self.assertTrue(stat.S_ISCHR(status.st_mode))
            self.assertEqual((14, 6), (os.major(status.st_rdev), os.minor(status.st_rdev)))

    def test_it_stays_one_over_fork_and_exec_and_the_place_goes_along(self):
        agent = self.agent(self.loop())
        number = agent.open(SNDSTAT, os.O_RDONLY)
        agent.set_inheritable(number, True)
        whole = agent.read(agent.open(SNDSTAT, os.O_RDONLY), 30)
        self.assertEqual(whole[:10], agent.read(number, 10))
        self.assertEqual(whole[10:20], agent.read(agent.dup(number), 10))
        child = agent.spawn([PYTHON, "-c", ASK, str(number), whole[20:29].decode()])
        self.assertEqual(0, agent.reap(child))

    def test_it_has_no_place_to_seek_to(self):
        agent = self.agent(self.loop())
        number = agent.open(SNDSTAT, os.O_RDONLY)
        self.assert_errno(errno.ESPIPE, agent.lseek, number, 0, os.SEEK_SET)
        self.assertEqual(b"OSS", agent.read(number, 3))

    def test_it_cannot_be_written(self):
        agent = self.agent(self.loop())
        self.assert_errno(errno.EACCES, agent.open, SNDSTAT, os.O_WRONLY)
        number = agent.open(SNDSTAT, os.O_RDONLY)
        self.assert_errno(errno.EBADF, agent.write, number, b"x")
        self.assert_errno(errno.EINVAL, agent.ioctl_none, number, SYNC)

    def test_every_way_of_reading_gives_the_same_text(self):
        loop = self.loop()
        words = (
            ["cat", SNDSTAT],
            ["sh", "-c", f"cat < {SNDSTAT}"],
            [PYTHON, "-c", f"import sys; sys.stdout.write(open('{SNDSTAT}').read())"],
        )
        texts = []
        for command in words:
            texts.append(loop.start(*command).succeed().output)
        self.assertTrue(texts[0].startswith("OSS"))
        self.assertEqual([texts[0]] * len(words), texts)

    def test_another_sealed_file_is_left_alone_and_loads_nothing(self):
        program = (
            "import fcntl,os,sys; fd=os.memfd_create('keymap', os.MFD_ALLOW_SEALING); os.write(fd, b'text');"
            "fcntl.fcntl(fd, fcntl.F_ADD_SEALS, 15); os.lseek(fd, 0, os.SEEK_SET);"
            "sys.exit(0 if os.read(fd, 9) == b'text' and 'ossloop-engine' not in open('/proc/self/maps').read() else 1)"
        )
        self.loop().start(PYTHON, "-E", "-s", "-c", program).succeed()
