"""What the tests of hard surroundings share: the C programs of this folder."""

import pathlib
import sys

for folder in ("process", "programs"):
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / folder))

from driven import *  # noqa: E402,F403
from loop import CLIENT, LIBRARY, PYTHON, SERVER, LoopTest, limit, serial  # noqa: E402,F401

PROGRAMS = pathlib.Path(LIBRARY).parents[1] / "tests" / "hardship"

__all__ = [name for name in dir() if not name.startswith("__")]
