"""The command line of ossloopctl: what is wrong is told in one line, what there is in its help."""

import subprocess
import unittest

from control import COMMANDS, MEMBERS, POLICIES, SIDE_MEMBERS, ControlTest
from loop import CONTROL, ROOT

# A word or two that each command accepts, to which one bad word is added.
WRONG_USAGE = [
    [],
    ["bogus"],
    ["--bogus"],
    ["list", "0"],
    ["list", "--bogus"],
    ["status", "16"],
    ["status", "-1"],
    ["status", "zero"],
    ["status", "00"],
    ["status", "0", "1"],
    ["create", "16"],
    ["create", "3", "4"],
    ["create", "three"],
    ["create", "3", "no_such_key=1"],
    ["create", "3", "eof=never"],
    ["create", "3", "eof"],
    ["create", "3", "eof="],
    ["create", "3", "audioloop_instances=2"],
    ["create", "buffer_ms=19"],
    ["create", "buffer_ms=5001"],
    ["create", "tick_ms=0"],
    ["create", "ppm=200001"],
    ["create", "clock=0"],
    ["create", ""],
    ["destroy"],
    ["destroy", "16"],
    ["destroy", "0", "1"],
    ["destroy", "eof=eof"],
    ["set"],
    ["set", "0"],
    ["set", "16", "eof=eof"],
    ["set", "eof=eof"],
    ["set", "0", "eof=never"],
    ["set", "0", "no_such_key=1"],
    ["set", "0", "mode=0660"],
    ["set", "0", "eof=eof", "eof"],
    ["bridge", "16"],
    ["bridge", "0", "1"],
    ["bridge", "--latency", "0"],
    ["bridge", "--latency", "1001"],
    ["bridge", "--to", "oss"],
    ["bridge", "--device"],
    ["run", "--speak", "--", "true"],
    ["run", "--hear", "-i", "1", "--", "true"],
    ["run", "--hear"],
    ["run"],
    ["run", "--"],
    ["run", "-i"],
    ["run", "-i", "16", "--", "true"],
    ["run", "-i", "x", "--", "true"],
    ["run", "--bogus", "--", "true"],
    ["run", "--server", "--client", "--", "true"],
    ["run", "-w", "nan", "--", "true"],
    ["run", "-w", "--", "true"],
    ["record", "-d", "nan", "a.wav"],
    ["record", "-r", "44100.5", "a.wav"],
    ["record", "-e", "\udcff", "a.wav"],
    ["monitor", "-t", "0x1"],
    ["monitor", ""],
    ["completion"],
    ["completion", "tcsh"],
    ["completion", "bash", "zsh"],
    ["status", ""],
    ["\udcff"],
    ["-\udcff"],
    ["status", "\udc9b\n"],
    ["list", "\udcff"],
    ["create", "\udcff"],
    ["set", "0", "eof=eof", "\udcff"],
]


class Usage(ControlTest):
    def test_wrong_usage_is_one_line_and_status_2_and_changes_nothing(self):
        loop = self.loop()
        for words in WRONG_USAGE:
            with self.subTest(" ".join(words)):
                self.fails(loop, *words, status=2)
        self.assertEqual([], list(loop.runtime.iterdir()))

    def test_a_line_about_a_long_word_stays_short(self):
        loop = self.loop()
        for words in ([], ["list"], ["status"], ["create"], ["set", "0"], ["set", "0", "eof=eof"], ["record", "-r"]):
            with self.subTest(words):
                self.assertLess(len(self.fails(loop, *words, "x" * 5000, status=2)), 250)

    def test_a_bad_log_setting_is_told_once_and_passed_over(self):
        loop = self.loop()
        for setting, part in (
            ("loud", "expected off, error, warning, info or trace"),
            ("trace:/nowhere/log", "No such file"),
            ("trace:" + "x" * 5000, "too long"),
        ):
            for words in (["list"], ["run", "--", "true"], ["record", "-d", "0", "a.wav"]):
                with self.subTest(setting=setting[:20], words=words):
                    done = self.control(loop, *words, env={"OSSLOOP_LOG": setting})
                    self.assertEqual((0, 1), (done.returncode, done.stderr.count("\n")), done.stderr)
                    self.assertIn(part, done.stderr)

    def test_an_unknown_key_or_value_tells_what_is_accepted(self):
        loop = self.loop()
        self.assertIn("buffer_ms", self.fails(loop, "set", "0", "no_such_key=1", status=2))
        self.assertIn("reset, eof, silence or wait", self.fails(loop, "set", "0", "eof=x", status=2))

    def test_help_names_every_command_and_every_policy(self):
        loop = self.loop(linger_ms=500)  # its default
        text = self.does(loop, "--help")
        for command in COMMANDS:
            self.assertIn(command, text)
        for command in ("set", "create"):
            text = self.does(loop, command, "--help")
            for policy, value in self.status(loop)["policy"].items():
                self.assertRegex(text, rf"\n  {policy}\n.*\n.*; default {value}\n")

    def test_the_manual_names_every_command_and_member(self):
        manual = (ROOT / "tools/man/ossloopctl.1").read_text()
        names = [*COMMANDS, *MEMBERS, *SIDE_MEMBERS]
        names += [name for kind in MEMBERS.values() if isinstance(kind, set) for name in kind]
        for name in set(names) - POLICIES:
            self.assertRegex(manual, rf"\b{name}\b")

    def test_a_bad_configuration_line_stops_every_command(self):
        loop = self.loop()
        loop.conf.write_text("# a comment\neof=never\n")
        for words in ("list", "status", "create", "destroy 0", "set 0 eof=eof", "run -- true"):
            with self.subTest(words):
                self.assertIn(f"{loop.conf}:2: ", self.fails(loop, *words.split()))

    def test_a_configuration_that_cannot_be_read_is_told(self):
        loop = self.loop()
        loop.conf.unlink()
        self.assertIn(str(loop.conf), self.fails(loop, "list"))

    def test_an_output_that_cannot_be_written_is_a_failure(self):
        loop = self.loop()
        with open("/dev/full", "w") as full:
            done = subprocess.run(
                [CONTROL, "list"], env=loop.environment(preload=False), stdout=full, stderr=subprocess.PIPE, check=False
            )
        self.assertEqual(1, done.returncode)
        self.assertIn(b"standard output", done.stderr)


if __name__ == "__main__":
    unittest.main()
