"""Completion in the shells: every command, option, policy and value, numbers, files and programs."""

import functools
import re
import unittest

import shells
from control import COMMANDS, ControlTest

SHELLS = [shells.Bash, shells.BashWithFramework, shells.Zsh, shells.Fish]


def in_each_shell(test):
    """A test of (self, loop, shell): instance 0 is configured, 5 was made, song.wav is there."""
    @functools.wraps(test)
    def run(self):
        for kind in SHELLS:
            with self.subTest(kind.__name__):
                loop = self.loop()
                loop.file("song.wav").touch()
                self.does(loop, "create", "5")
                shell = kind(loop)
                try:
                    test(self, loop, shell)
                finally:
                    shell.close()
    return run


class Completion(ControlTest):
    def policies(self, loop):
        """The values by key, as `set --help` accepts them; none where a number is accepted."""
        text = self.does(loop, "set", "--help")
        rows = re.findall(r"\n  (\w+)\n.*\n      (.*); default", text)
        return {key: [] if "integer" in values else re.split(", | or ", re.sub(r" or a factor.*", "", values))
                for key, values in rows}

    @in_each_shell
    def test_every_command_and_every_option_is_offered(self, loop, shell):
        options = {command: re.findall(r"--[a-z]+", self.does(loop, command, "--help").partition("Options:")[2])
                   for command in COMMANDS}
        self.assertEqual(sorted(COMMANDS), sorted(shell.offers("ossloopctl ")))
        self.assertLessEqual({"--help", "--version"}, set(shell.offers("ossloopctl -")))
        for command in COMMANDS:
            self.assertIn("--help", options[command])
            self.assertEqual(set(options[command]), set(shell.offers(f"ossloopctl {command} --")), command)

    @in_each_shell
    def test_every_policy_and_its_values_are_offered(self, loop, shell):
        policies = self.policies(loop)
        self.assertIn("very-high", policies["quality"])
        self.assertEqual(["realtime", "free"], policies["clock"][:2])
        keys = sorted(f"{key}=" for key in policies)
        self.assertEqual(keys, sorted(shell.offers("ossloopctl set 0 ")))
        self.assertEqual(keys, sorted(shell.offers("ossloopctl set 0 eof=eof ")))
        self.assertLessEqual(set(keys), set(shell.offers("ossloopctl create ")))
        for key, values in policies.items():
            offered = shell.offers(f"ossloopctl set 0 {key}=")
            self.assertLessEqual({f"{key}={value}" for value in values}, set(offered))
            for word in offered:
                self.does(loop, "set", "0", word)
        self.assertEqual(["quality=very-high"], shell.offers("ossloopctl create quality=v"))

    @in_each_shell
    def test_instances_are_offered_where_one_is_meant(self, loop, shell):
        for line in ("destroy ", "status ", "set ", "monitor ", "run -i ", "record --instance "):
            self.assertEqual(["0", "5"], sorted(shell.offers(f"ossloopctl {line}")), line)
        new = shell.offers("ossloopctl create ")
        self.assertIn("6", new)
        self.assertNotIn("5", new)
        self.assertNotIn("7", shell.offers("ossloopctl create 6 "))

    @in_each_shell
    def test_kinds_and_encodings_are_offered(self, loop, shell):
        self.assertLessEqual({"wav", "flac", "raw"}, set(shell.offers("ossloopctl record -t ")))
        self.assertEqual(["mu-law"], shell.offers("ossloopctl play --encoding m"))
        self.assertEqual(["--type=w64", "--type=wav"], sorted(shell.offers("ossloopctl play --type=w")))
        self.assertLessEqual({"bash", "zsh", "fish"}, set(shell.offers("ossloopctl completion ")))

    @in_each_shell
    def test_files_are_offered_for_files_alone(self, loop, shell):
        for line in ("play so", "record --tap so", "play -t raw so"):
            self.assertTrue(shell.offers_files(f"ossloopctl {line}"), line)
        for line in ("status so", "play song.wav so", "play -w so", "bogus so"):
            self.assertFalse(shell.offers_files(f"ossloopctl {line}"), line)

    @in_each_shell
    def test_programs_and_their_own_words_are_offered_to_run(self, loop, shell):
        for line in ("run fals", "run -- fals", "run --instance=0 --server -w 1 -- fals"):
            self.assertIn("false", shell.offers(f"ossloopctl {line}"), line)
        self.assertTrue(shell.offers_files("ossloopctl run --alsa -- cat so"))

    def test_each_script_is_printed_as_it_is_installed(self):
        loop = self.loop()
        for shell in ("bash", "zsh", "fish"):
            installed = (shells.SCRIPTS / f"ossloopctl.{shell}").read_text()
            self.assertEqual(installed, self.does(loop, "completion", shell))

    def test_nothing_is_said_about_a_line_that_is_wrong(self):
        loop = self.loop(eof="never")
        for words in ([], ["bogus", ""], ["set", "16", "nothing="], ["--bogus="], ["play", "--type=x"], ["status", ""]):
            self.assertEqual("", self.control(loop, "complete", *words).stderr, words)
            self.does(loop, "complete", *words)


if __name__ == "__main__":
    unittest.main()
