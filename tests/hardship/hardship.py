"""What the tests of hard surroundings share: the C programs of this folder."""

import pathlib
import sys

for folder in ("process", "programs"):
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / folder))

from driven import *  # noqa: E402,F403
from loop import CLIENT, LIBRARY, PYTHON, SERVER, LoopTest, limit, serial  # noqa: E402,F401

PROGRAMS = pathlib.Path(LIBRARY).parents[1] / "tests" / "hardship"


class User:
    """Another user, as words that run a program as him; what he makes is cut by a umask."""

    def __init__(self, number, groups=(), umask=0o022, group=None):
        self.number = number
        group = number if group is None else group
        groups = f"--groups={','.join(map(str, groups))}" if groups else "--clear-groups"
        self.words = ["setpriv", f"--reuid={number}", f"--regid={group}", groups,
                      "sh", "-c", f'umask {umask:04o} && exec "$@"', "sh"]


__all__ = [name for name in dir() if not name.startswith("__")]
