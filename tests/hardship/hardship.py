"""What the tests of hard surroundings share: the C programs of this folder."""

import ctypes
import os
import pathlib
import struct

from driven import *  # noqa: F403
from loop import CLIENT, LIBRARY, PYTHON, SERVER, LoopTest, limit, serial  # noqa: F401

PROGRAMS = pathlib.Path(LIBRARY).parents[1] / "tests" / "hardship"


class User:
    """Another user, as words that run a program as him; what he makes is cut by a umask."""

    def __init__(self, number, groups=(), umask=0o022, group=None):
        self.number = number
        group = number if group is None else group
        groups = f"--groups={','.join(map(str, groups))}" if groups else "--clear-groups"
        self.words = ["setpriv", f"--reuid={number}", f"--regid={group}", groups,
                      "sh", "-c", f'umask {umask:04o} && exec "$@"', "sh"]


class Opens:
    """Tells which files of a folder somebody has opened, by whichever name."""

    IN_OPEN, IN_ISDIR = 0x20, 0x40000000

    def __init__(self, folder):
        libc = ctypes.CDLL(None, use_errno=True)
        self.fd = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self.fd < 0 or libc.inotify_add_watch(self.fd, os.fsencode(folder), self.IN_OPEN) < 0:
            raise OSError(ctypes.get_errno(), "inotify")

    def names(self):
        """Of those opened since the last question."""
        found = set()
        while True:
            try:
                events = os.read(self.fd, 65536)
            except BlockingIOError:
                return found
            while events:
                _, mask, _, size = struct.unpack_from("iIII", events)
                if not mask & self.IN_ISDIR:
                    found.add(events[16 : 16 + size].rstrip(b"\0").decode())
                events = events[16 + size :]

    def close(self):
        os.close(self.fd)


__all__ = [name for name in dir() if not name.startswith("__")]
