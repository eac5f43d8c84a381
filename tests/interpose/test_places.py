"""Names: every spelling, every call that takes one, and the folders they lie in."""

import pathlib
import shutil
import tempfile
import unittest

from compare import *

OURS = "/dev/oss/oss_audioloop0"


class Places(CompareTest):
    def scratch(self):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="ossloop-test-"))
        self.addCleanup(shutil.rmtree, folder)
        folder.chmod(0o777)
        return folder

    def as_user(self, loop, words, preload=True):
        """As an ordinary user: what root may do to a real /dev shall not happen."""
        if os.geteuid() != 0:
            return self.lines(loop, words, preload=preload)
        library = self.scratch()
        if preload:
            shutil.copy(LIBRARY, library)
            shutil.copytree(LIBRARY.parent / "ossloop", library / "ossloop")
            loop.runtime.chmod(0o700)
            os.chown(loop.runtime, NOBODY, NOBODY)
            loop.folder.chmod(0o755)
        shutil.copy(words[0], library / "program")
        loop.work.chmod(0o755)
        loop.conf.chmod(0o644)
        environment = [f"LD_PRELOAD={library / LIBRARY.name}", "OSSLOOP_DSP=server0"] if preload else []
        return self.lines(
            loop, [*AS_NOBODY, "env", *environment, library / "program", *words[1:]], preload=False)

    def compare_as_user(self, name, oracle, device, differences=None):
        for way in WAYS:
            with self.subTest(way):
                loop = self.loop()
                words = [program(name, way)]
                expected = self.as_user(loop, [*words, *oracle, self.scratch()], preload=False)
                got = self.as_user(loop, [*words, *device, self.scratch()])
                self.assert_agree(expected, got, differences or {})

    def test_every_spelling_reaches_the_device(self):
        self.compare_as_user("name", ["/dev", "null"], ["/dev", "dsp"])

    def test_every_spelling_reaches_a_device_in_a_virtual_folder(self):
        folder = OURS.removeprefix("/dev")
        self.compare_as_user(
            "name", ["/dev", "null"], [OURS, "server0"],
            {"  realpath: /dev": folder, "  canonicalize_file_name: /dev": folder})

    def test_no_call_changes_a_device(self):
        self.compare_as_user("change", ["/dev/null"], [f"{OURS}/server0"])


class Folders(CompareTest):
    def names(self, path, way, instances=2):
        lines = self.lines(self.loop(instances=instances), [program("folder", way), path])
        return ([line for line in lines if ": " not in line and " = " not in line],
                [line for line in lines if ": " in line or " = " in line])

    def assert_all_agree(self, told):
        self.assertGreaterEqual(len(told), 7)
        for line in told:
            self.assertRegex(line, "(: the same|= 0)$")

    def test_the_folder_of_an_instance_lists_its_devices_in_every_way(self):
        for way in WAYS:
            with self.subTest(way):
                names, told = self.names(OURS, way)
                self.assertEqual(["mix0", "mix1", "pcm0", "pcm1", "server0", "server1"],
                                 sorted({*names, "mix0", "mix1"}))
                self.assert_all_agree(told)

    def test_the_folder_above_lists_it(self):
        for way in WAYS:
            with self.subTest(way):
                names, told = self.names("/dev/oss", way)
                self.assertEqual(["oss_audioloop0"], names)
                self.assert_all_agree(told)

    def test_dev_lists_what_is_there_and_what_is_ours(self):
        ours = {"dsp", "dsp0", "dsp1", "audio", "audio1", "dspW", "adsp", "sndstat", "oss", "sound"}
        for way in WAYS:
            with self.subTest(way):
                real = set(os.listdir("/dev"))
                names, told = self.names("/dev", way)
                real &= set(os.listdir("/dev"))  # what stayed
                self.assertEqual(len(set(names)), len(names))
                self.assertEqual(set(), (real | ours) - set(names))
                self.assertNotIn("dsp2", names)
                self.assert_all_agree(told)

    def test_tools_walk_the_folders(self):
        loop = self.loop(instances=1)
        found = self.lines(loop, ["find", "/dev/oss", "-type", "c", "-name", "[ps]*"])
        self.assertEqual([f"{OURS}/pcm0", f"{OURS}/server0"], sorted(found))
        shell = "cd /dev/oss/oss_audioloop0 && ls server* && /bin/pwd && cd .. && ls && cd .. && /bin/pwd && echo /dev/oss/*/s*"
        self.assertEqual(["server0", OURS, "oss_audioloop0", "/dev", f"{OURS}/server0"],
                         self.lines(loop, ["bash", "-c", shell]))
        inner = "import os, glob; os.chdir('/dev/oss'); print(os.getcwd(), glob.glob('*/p*'), os.listdir('..') != [])"
        self.assertEqual(["/dev/oss ['oss_audioloop0/pcm0'] True"],
                         self.lines(loop, [PYTHON, "-E", "-c", inner]))
        outer = "cd /dev/oss/oss_audioloop0 && ls -l server0 | cut -c1 && exec /bin/pwd"
        self.assertEqual(["c", OURS], self.lines(loop, ["sh", "-c", outer]))


if __name__ == "__main__":
    unittest.main()
