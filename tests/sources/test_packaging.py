"""The Debian packages: in step with what is built."""

import os
import pathlib
import re
import subprocess
import tempfile
import unittest

from loop import LIBRARY, ROOT, serial

BUILD = LIBRARY.parents[1]


def run(*words, **options):
    return subprocess.run(words, text=True, stdin=subprocess.DEVNULL, capture_output=True, check=False, **options)


class Packages(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def succeed(self, *words, **options):
        done = run(*words, **options)
        self.assertEqual(0, done.returncode, f"{words}: {done.stdout}{done.stderr}")
        return done.stdout

    def tree(self, name="tree"):
        """The source package."""
        self.succeed(ROOT / "tools/package", "--tree", self.folder / name)
        return self.folder / name

    def test_the_version_is_that_of_cmake_and_of_the_changelog(self):
        number = re.search(r"project\(ossloop VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text())[1]
        told, when = re.search(r"(?m)^## \[(.*)\] - (.*)$", (ROOT / "CHANGELOG.md").read_text()).groups()
        self.assertEqual(number, told)
        expected = number + ("~unreleased" if when == "unreleased" else "")
        made = self.succeed("dpkg-parsechangelog", "-l", self.tree() / "debian/changelog", "-S", "Version")
        self.assertEqual(expected, made.strip())

    def test_pages_name_the_action_of_this_version(self):
        number = re.search(r"project\(ossloop VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text())[1]
        for page in "README.md", "RECIPES.md":
            self.assertEqual([number], re.findall(r"tools/action@v([\d.]+)$", (ROOT / page).read_text(), re.MULTILINE))

    def test_versions_that_differ_are_told_and_nothing_is_made(self):
        tree = self.tree()
        (tree / "debian").rename(tree / "tools/debian")
        page = tree / "CHANGELOG.md"
        page.write_text(page.read_text().replace("## [", "## [9", 1))
        done = run(tree / "tools/package", "--tree", self.folder / "new")
        self.assertEqual((1, ""), (done.returncode, done.stdout))
        self.assertRegex(done.stderr, r"\Atools/package: CMakeLists.txt has version .*, CHANGELOG.md begins with .*\n\Z")
        self.assertFalse((self.folder / "new").exists())

    @serial  # what is installed is made in the build folder first
    def test_each_installed_file_belongs_to_a_package(self):
        tree = self.tree()
        self.succeed("cmake", "--install", BUILD, "--prefix", "/usr", "--component", "Unspecified",
                     env={**os.environ, "DESTDIR": tree / "debian/tmp"})
        self.succeed("dh_install", cwd=tree)
        self.succeed("dh_missing", "--fail-missing", cwd=tree)
        extra = tree / "debian/tmp/usr/bin/extra"
        extra.touch()
        self.assertIn("usr/bin/extra", run("dh_missing", "--fail-missing", cwd=tree).stderr)

    def test_what_packages_need_to_be_built_is_what_this_project_needs(self):
        fields = re.search(r"Build-Depends:\n((?: .*\n)+)", (ROOT / "tools/debian/control").read_text())[1]
        listed = (ROOT / "tools/packages").read_text().split()
        for name in re.findall(r"(?m)^ ([a-z0-9-]+)", fields):
            if name != "debhelper-compat":
                self.assertIn(name, listed)


if __name__ == "__main__":
    unittest.main()
