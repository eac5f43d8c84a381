"""The inputs of the action in tools/action; tests/packages shows what it does with good ones."""

import pathlib
import re
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Action(unittest.TestCase):
    GOOD = {"version": "latest", "packages": "", "policies": "", "preload": "false", "alsa": "false"}

    def test_a_bad_input_is_one_line_before_anything_is_done(self):
        for name, value, told in (
            ("version", "v1", "version: bad value 'v1'; expected latest or a version such as 0.1.0"),
            ("version", "1.2.3; id", "version: bad value '1.2.3; id'"),
            ("policies", "eof", "policies: bad value 'eof'; expected words such as clock=free eof=eof"),
            ("policies", "eof=eof\nLD_PRELOAD=x", "policies: bad value 'eof=eof?LD_PRELOAD=x'"),
            ("preload", "yes", "preload: bad value 'yes'; expected true or false"),
            ("alsa", "", "alsa: bad value ''; expected true or false"),
            ("packages", "/nowhere", "packages: no folder '/nowhere'"),
        ):
            with self.subTest(name=name, value=value), tempfile.TemporaryDirectory() as folder:
                inputs = {f"INPUT_{key.upper()}": word for key, word in {**self.GOOD, name: value}.items()}
                # No command is found but what bash has.
                done = subprocess.run(["/bin/bash", ROOT / "tools/action/install"], env={**inputs, "PATH": folder},
                                      capture_output=True, text=True, check=False)
                self.assertEqual((1, ""), (done.returncode, done.stderr))
                self.assertTrue(done.stdout.startswith(f"::error::ossloop: {told}"), done.stdout)
                self.assertEqual(1, done.stdout.count("\n"))

    def test_each_input_is_handed_on_and_checked(self):
        action = (ROOT / "tools/action/action.yml").read_text()
        inputs = re.findall(r"(?m)^  ([a-z]+):$", action.partition("inputs:")[2].partition("outputs:")[0])
        self.assertEqual(sorted(self.GOOD), sorted(inputs))
        script = (ROOT / "tools/action/install").read_text()
        for name in inputs:
            self.assertIn(f"INPUT_{name.upper()}: ${{{{ inputs.{name} }}}}", action)
            self.assertIn(f"$INPUT_{name.upper()}", script)


if __name__ == "__main__":
    unittest.main()
