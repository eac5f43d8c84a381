"""What takes too long for every build: run by tools/nightly."""

import unittest

from test_cpython import CPython
from loop import LIBRARY, ROOT, LoopTest


class LongCPython(CPython):
    def test_signals(self):
        self.same("signal")

    def test_sockets(self):
        # A virtual machine may have vsock and nobody to accept on it: then these hang,
        # without the library.
        self.same("socket", ignore="*VSOCK*")

    def test_asyncio(self):
        self.same("asyncio")


class Build(LoopTest):
    def test_this_project_builds_under_its_own_library(self):
        loop = self.loop()
        tree = loop.file("build")
        loop.start("cmake", "-S", ROOT, "-B", tree, "-G", "Ninja", "-DOSSLOOP_WERROR=ON").succeed(120)
        loop.start("cmake", "--build", tree).succeed(1800)
        made = loop.start(tree / "bin" / "ossloopctl", "--version", preload=False).succeed().output
        self.assertIn("ossloop", made)
        self.assertTrue((tree / "lib" / LIBRARY.name).exists())


del CPython

if __name__ == "__main__":
    unittest.main(verbosity=2)
