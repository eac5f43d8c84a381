"""What the library writes for itself, lines of the log and files, brings no signal to
the program: neither SIGPIPE nor SIGXFSZ."""

import resource
import shutil
import subprocess
import unittest

from hardship import *
from loop import CONTROL


class UnaskedSignals(LoopTest):
    def assert_none(self, what, **env):
        loop = self.loop()
        done = loop.start(PROGRAMS / "unasked", what, SERVER, env=env)
        status = done.wait()
        self.assertEqual((0, "kept\n"), (status, done.output), done.errors)

    def test_a_line_of_the_log_into_a_closed_pipe(self):
        self.assert_none("with_a_closed_pipe", OSSLOOP_LOG="trace")

    def test_a_line_of_the_log_into_a_closed_socket(self):
        self.assert_none("with_a_closed_socket", OSSLOOP_LOG="trace")

    def test_a_line_of_the_log_calls_no_handler_of_sigpipe(self):
        self.assert_none("with_a_handler", OSSLOOP_LOG="trace")

    def test_a_line_of_the_log_leaves_no_sigpipe_behind_where_it_is_blocked(self):
        self.assert_none("while_it_is_blocked", OSSLOOP_LOG="trace")

    def test_a_line_of_the_log_leaves_a_pending_sigpipe_of_the_thread_as_it_was(self):
        self.assert_none("while_one_of_the_thread_is_pending", OSSLOOP_LOG="trace")

    def test_a_line_of_the_log_leaves_a_pending_sigpipe_of_the_process_as_it_was(self):
        self.assert_none("while_one_of_the_process_is_pending", OSSLOOP_LOG="trace")

    def test_a_bad_line_of_the_configuration_told_into_a_closed_pipe(self):
        loop = self.loop()
        loop.conf.write_text("no_such_key=1\n")
        done = loop.start(PROGRAMS / "unasked", "with_a_closed_pipe", SERVER)
        self.assertEqual((0, "kept\n"), (done.wait(), done.output))

    def test_a_missing_engine_told_into_a_closed_pipe(self):
        loop = self.loop()
        alone = shutil.copy(LIBRARY, loop.work)
        done = loop.start(PROGRAMS / "unasked", "with_a_closed_pipe", SERVER, env={"LD_PRELOAD": alone})
        self.assertEqual((0, "kept\n"), (done.wait(), done.output))

    def run_small(self, loop, *words, preload=True, bytes_allowed=0):
        """With standard output a pipe, which has no size."""
        def shrink():
            resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_allowed, bytes_allowed))

        return subprocess.run([str(word) for word in words], env=loop.environment(preload=preload),
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
                              timeout=20, preexec_fn=shrink)

    def assert_clean(self, done):
        self.assertIn(done.returncode, (0, 1), f"{done.args}: {done.stderr}")
        self.assertEqual(done.returncode, len(done.stderr.splitlines()), done.stderr)

    def test_files_that_may_not_grow_call_no_handler_of_sigxfsz(self):
        done = self.run_small(self.loop(), PROGRAMS / "unasked", "with_files_that_may_not_grow", SERVER)
        self.assertEqual((0, "kept\n"), (done.returncode, done.stdout), done.stderr)

    def test_files_that_may_not_grow_for_cat(self):
        for size in (0, 100):
            with self.subTest(size):
                done = self.run_small(self.loop(), "cat", "/dev/sndstat", bytes_allowed=size)
                self.assert_clean(done)
                self.assertEqual(done.returncode == 0, "Audio devices:" in done.stdout)

    def test_files_that_may_not_grow_for_ossloopctl(self):
        for size in (0, 20000):
            with self.subTest(size):
                loop = self.loop()
                for words in (("create", 0, "clock=free"), ("set", 0, "eof=eof"), ("list",), ("destroy", 0)):
                    self.assert_clean(self.run_small(loop, CONTROL, *words, preload=False, bytes_allowed=size))


if __name__ == "__main__":
    unittest.main()
