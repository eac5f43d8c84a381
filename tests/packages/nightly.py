"""The packages on a bare Debian 12: built, looked through, installed, used, upgraded, removed.

Run by tools/nightly, as root; what `tools/packages-packaging` lists must be installed.
"""

import pathlib
import shutil
import tempfile
import unittest

import pages
from image import Image
from root import MOUNTS, PACKAGES, ROOT, Root, older, package, run

NAMES = "libossloop", "ossloop", "ossloop-bridge"
# What these need of others.
OTHERS = ("libasound2", "libkissfft-float131", "libncursesw6", "libpng16-16", "libpulse0", "libsndfile1", "libsoxr0")
CONF = "etc/oss4/conf/oss_audioloop.conf"


def names(file):
    """What is set in a file of NAME=value."""
    return {line.partition("=")[0] for line in file.read_text().splitlines()}


class Packages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        run(ROOT / "tools/package")
        cls.bare = Root()
        cls.addClassCleanup(cls.bare.close)

    def root(self):
        root = Root(like=self.bare)
        self.addCleanup(root.close)
        return root

    def files(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        return [package(name) for name in NAMES], pathlib.Path(folder.name)

    def test_lintian_finds_no_error_and_no_warning(self):
        changes, = PACKAGES.glob("*.changes")
        run("lintian", "--allow-root", "--fail-on", "error,warning", changes)

    def test_their_own_tests_pass_where_they_are_installed(self):
        root = self.root()
        root.shell("apt-get -qq update")
        source, = PACKAGES.glob("*.dsc")
        script = f'{MOUNTS} && unset TMPDIR && exec autopkgtest "$@" -- chroot "$0"'
        shown = run("unshare", "--mount", "sh", "-c", script, root.path, source, *self.files()[0])
        for test in ("preload", "alsa", "bridge", "tool"):
            self.assertRegex(shown, rf"(?m)^{test} +PASS$")

    def test_an_upgrade_keeps_the_configuration_that_was_changed(self):
        debs, folder = self.files()
        for shipped_then in (None, "#eof=older\n"):
            root = self.root()
            changed = {} if shipped_then is None else {CONF: shipped_then}
            root.install(*(older(deb, folder, **(changed if deb == debs[1] else {})) for deb in debs))
            self.assertEqual("0.0.1", root.shell("dpkg-query -Wf '${Version}' ossloop"))
            file = root.path / CONF
            file.write_text(file.read_text() + "eof=eof\n")
            mine = file.read_text()
            root.install(*debs)
            self.assertEqual(mine, file.read_text())
            self.assertIn(" eof=eof ", root.shell("ossloopctl status 0"))
            run("rm", "-r", *folder.glob("*"))

    def test_an_upgrade_brings_the_new_configuration_where_nobody_changed_it(self):
        debs, folder = self.files()
        root = self.root()
        root.install(*(older(deb, folder, **({CONF: "#eof=older\n"} if deb == debs[1] else {})) for deb in debs))
        root.install(*debs)
        self.assertEqual((ROOT / "conf/oss_audioloop.conf").read_text(), (root.path / CONF).read_text())

    def test_removal_leaves_the_configuration_and_a_purge_leaves_nothing(self):
        root = self.root()
        root.install(*OTHERS)
        before = root.files()
        root.install(*self.files()[0])
        self.assertIn(f"./{CONF}", root.files() - before)
        root.shell("apt-get -qq remove -y " + " ".join(NAMES))
        self.assertEqual({f"./{CONF}"}, root.files() - before)
        root.shell("apt-get -qq purge -y " + " ".join(NAMES))
        self.assertEqual(before, root.files())
        self.assertFalse((root.path / "etc/oss4").exists())

    def test_the_bridge_is_told_where_it_is_not_installed(self):
        root = self.root()
        root.install(package("libossloop"), package("ossloop"))
        told = "ossloopctl: {}: ossloop-bridge is not installed (package ossloop-bridge)\n"
        for words in "bridge 0", "run --hear -- touch started":
            self.assertEqual(told.format(words.split()[0]), root.shell(f"! ossloopctl {words}; test ! -e started"))

    def test_each_recipe_is_followed_with_the_packages_that_it_names(self):
        for recipe in pages.headings("RECIPES.md"):
            with self.subTest(recipe):
                root = self.root()
                named = [package(name) if name in NAMES else name for name in pages.packages("RECIPES.md", recipe)]
                # The test is written in Python, and a desktop has a sound server.
                root.install(package("libossloop"), package("ossloop"), *named, "python3", "pulseaudio")
                print(root.follow(recipe))
                self.doCleanups()

    def test_the_action_installs_them_and_tells_the_later_steps(self):
        root = self.root()
        shutil.copytree(ROOT / "tools/action", root.path / "action")
        shutil.copytree(PACKAGES, root.path / "packages")
        root.shell("touch env output")
        inputs = {"INPUT_VERSION": "latest", "INPUT_PACKAGES": "packages", "INPUT_POLICIES": "clock=free eof=eof",
                  "INPUT_PRELOAD": "true", "INPUT_ALSA": "true", "REPOSITORY": "owner/ossloop"}
        files = {"GITHUB_ENV": "/env", "GITHUB_OUTPUT": "/output"}
        # A later step has what the file says, and what GitHub's runner would not lose: /dev/shm.
        shown = root.shell("/action/install; set -a; . /env; ossloopctl status 0; ls /dev/dsp; stat -c %a $OSSLOOP_DIR",
                           **inputs, **files)
        self.assertIn(" eof=eof ", shown)
        self.assertIn(" clock=free ", shown)
        self.assertTrue(shown.endswith("/dev/dsp\n700\n"), shown)
        self.assertEqual({"OSSLOOP_DIR", "LD_PRELOAD", "ALSA_CONFIG_PATH"}, names(root.path / "env"))
        self.assertEqual({"version", "directory"}, names(root.path / "output"))
        inputs["INPUT_POLICIES"] = "eof=never"
        told = root.shell("! /action/install | grep -v '^(Reading'; ls /dev/shm", **inputs, **files)
        self.assertRegex(told, r"::error::ossloop: policies: .*expected reset, eof, silence or wait\n\Z")

    def test_the_image_plays_the_demo(self):
        image = Image(self.root, self.files()[1])
        shown = image.start()
        self.assertIn("identical", shown)
        self.assertTrue((image.stage.root.path / "ossloop/out/spectrograms.png").exists())


if __name__ == "__main__":
    unittest.main(verbosity=2)
