"""What the compiler says of the loops that convert samples: a line of lib/audio that
ends with "// vectorized: N" is vectorized at least N times, one for each type and
processor it is compiled for."""

import json
import os
import pathlib
import re
import shlex
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ["OSSLOOP_LIBRARY"]).parents[1]
MARK = re.compile(r"// vectorized: (\d+)$")


def reports(source):
    """Line number: how many loops there the compiler says it vectorized."""
    commands = json.loads((BUILD / "compile_commands.json").read_text())
    command = next(entry for entry in commands if entry["file"] == str(source))
    words = shlex.split(command["command"])
    words = words[1:] if pathlib.Path(words[0]).name == "ccache" else words
    words[words.index("-o") + 1] = os.devnull
    done = subprocess.run([*words, "-fopt-info-vec-optimized"], cwd=command["directory"],
                          capture_output=True, text=True, check=True)
    found = {}
    for line in done.stderr.splitlines():
        match = re.match(rf"{re.escape(str(source))}:(\d+):\d+: optimized: loop vectorized", line)
        if match:
            found[int(match[1])] = found.get(int(match[1]), 0) + 1
    return found


class Vectorized(unittest.TestCase):
    def test_every_kernel_that_is_marked(self):
        kernels = 0
        for source in sorted((ROOT / "lib/audio").glob("*.cc")):
            marked = {number: int(match[1]) for number, line in enumerate(source.read_text().splitlines(), 1)
                      if (match := MARK.search(line))}
            if not marked:
                continue
            found = reports(source)
            for number, least in marked.items():
                with self.subTest(kernel=f"{source.name}:{number}"):
                    self.assertGreaterEqual(found.get(number, 0), least)
            kernels += len(marked)
        self.assertGreaterEqual(kernels, 10)


if __name__ == "__main__":
    unittest.main()
