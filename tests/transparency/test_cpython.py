"""CPython's own tests of what lies under it: files, descriptors, waiting, processes,
signals, threads. Test by test, the result with the library preloaded is the one
without it; what goes wrong without it too, on a machine like this, is not ours.
"""

import unittest
import xml.etree.ElementTree as xml

from loop import LoopTest, limit

# Debian's, which its testsuite belongs to.
INTERPRETER = "/usr/bin/python3"
# A busy machine makes a few of them fail for want of time, with and without us, and
# others at the next attempt.
ATTEMPTS = 3


class CPython(LoopTest):
    def results(self, loop, module, preload, ignore):
        """The outcome of each test: "passed", "skipped", "failed"."""
        report = loop.file(f"report-{len(loop.programs)}.xml")
        loop.start(
            INTERPRETER, "-m", "test", "--junit-xml", report, "-i", ignore, f"test_{module}",
            preload=preload,
        ).wait(600)
        outcomes = {}
        for case in xml.parse(report).iter("testcase"):
            kinds = {child.tag for child in case}
            outcomes[case.get("name")] = (
                "failed" if kinds & {"failure", "error"} else "skipped" if "skipped" in kinds else "passed"
            )
        self.assertGreater(len(outcomes), 1, f"test_{module} ran nothing")
        return outcomes

    def same(self, *modules, ignore="none of them"):
        loop = self.loop()
        for module in modules:
            with self.subTest(module):
                differences = None
                for _ in range(ATTEMPTS):
                    without = self.results(loop, module, False, ignore)
                    differences = {
                        name: (without.get(name), outcome)
                        for name, outcome in self.results(loop, module, True, ignore).items()
                        if without.get(name) != outcome and (differences is None or name in differences)
                    }
                    if not differences:
                        break
                self.assertEqual({}, differences, "without and with the library, at each attempt")
                self.assertIn("passed", without.values())

    @limit(1800)
    def test_os(self):
        self.same("os", "posix")

    @limit(1800)
    def test_files(self):
        self.same("io", "fileio", "file", "mmap")

    @limit(1800)
    def test_waiting(self):
        self.same("select", "poll", "epoll", "selectors")

    @limit(1800)
    def test_descriptors_and_processes(self):
        self.same("fcntl", "fork1", "pty")

    @limit(1800)
    def test_subprocess(self):
        self.same("subprocess")

    @limit(1800)
    def test_threading(self):
        self.same("threading")

    @limit(1800)
    def test_names_in_folders(self):
        self.same("glob", "shutil", "tempfile")


if __name__ == "__main__":
    unittest.main()
