"""The arrows between the folders of lib: what a source of one may include."""

import json
import os
import pathlib
import shlex
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ["OSSLOOP_LIBRARY"]).parents[1]
# Of each layer, those that it may see.
ARROWS = {
    "base": "base",
    "config": "base abi config",
    "shm": "base abi shm",
    "audio": "base audio",
    "stream": "base abi config audio stream",
    "device": "base abi config audio stream shm device",
    "oss": "base abi config audio stream shm device oss",
    "control": "base abi config audio stream shm device control",
}
LAYERS = [*ARROWS, "abi"]


def preprocessor(layer):
    """The command that compiles the sources of a layer, made to read from its input and
    to stop after the preprocessor."""
    commands = json.loads((BUILD / "compile_commands.json").read_text())
    command = next(entry for entry in commands
                   if pathlib.Path(entry["file"]).parent == ROOT / "lib" / layer)
    words = shlex.split(command["command"])
    words = words[1:] if pathlib.Path(words[0]).name == "ccache" else words
    words[words.index("-o") + 1] = os.devnull
    words[words.index("-c")] = "-E"
    words[words.index(command["file"]):] = ["-x", "c++", "-"]
    return words, command["directory"]


class Layers(unittest.TestCase):
    def test_each_folder_of_the_loop_is_a_layer(self):
        folders = {entry.name for entry in (ROOT / "lib").iterdir() if entry.is_dir()}
        self.assertEqual(folders, set(LAYERS))

    def test_an_include_against_the_arrows_does_not_compile(self):
        for layer, seen in ARROWS.items():
            words, directory = preprocessor(layer)
            for other in LAYERS:
                header = min((ROOT / "lib" / other).glob("*.h"))
                done = subprocess.run(words, cwd=directory, text=True, capture_output=True,
                                      input=f'#include "{other}/{header.name}"\n')
                with self.subTest(layer=layer, includes=f"{other}/{header.name}"):
                    self.assertEqual(done.returncode == 0, other in seen.split(), done.stderr)


if __name__ == "__main__":
    unittest.main()
