"""Roots of a bare Debian 12, to install packages in. Needs root."""

import os
import pathlib
import shlex
import shutil
import subprocess
import tempfile

import pages

ROOT = pathlib.Path(__file__).resolve().parents[2]
PACKAGES = ROOT / "out/packages"

LIMIT_SECONDS = 1500

# Mounts of its own, which go with the command.
MOUNTS = ('mount -t proc proc "$0/proc" && mount -t tmpfs tmpfs "$0/dev/shm" && '
          'mount -t devpts -o ptmxmode=0666 devpts "$0/dev/pts"')
INSIDE = f'{MOUNTS} && exec chroot "$0" "$@"'


def run(*words, **options):
    """What it prints; it must succeed."""
    done = subprocess.run([str(word) for word in words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=LIMIT_SECONDS, check=False, **options)
    assert done.returncode == 0, f"{shlex.join(map(str, words))}: {done.returncode}\n{done.stdout}"
    return done.stdout


class Root:
    """A fresh one, like a container's: no recommended packages, nothing but what is needed to install."""

    def __init__(self, like=None):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="ossloop-root-"))
        if like is None:
            run("mmdebstrap", "--variant=minbase", "--format=directory", "bookworm", self.path)
            # It need not outlast a loss of power.
            (self.path / "etc/dpkg/dpkg.cfg.d/ossloop").write_text("force-unsafe-io\n")
        else:
            run("cp", "-a", f"{like.path}/.", self.path)

    def run(self, *words, **env):
        inside = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8",
                  "DEBIAN_FRONTEND": "noninteractive"}
        network = {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}
        return run("unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", INSIDE, self.path, *words,
                   env={**network, **inside, **env}, cwd="/")

    def shell(self, script, **env):
        return self.run("bash", "-euo", "pipefail", "-c", script, **env)

    def install(self, *words):
        """Packages by name, or files of this machine."""
        folder = self.path / "tmp/packages"
        folder.mkdir(exist_ok=True)
        inside = []
        for word in words:
            if isinstance(word, pathlib.Path):
                shutil.copy(word, folder)
                word = f"/tmp/packages/{word.name}"
            inside.append(word)
        return self.shell("apt-get -qq update; apt-get -qq install -y --no-install-recommends "
                          "-o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold " + shlex.join(inside))

    def follow(self, recipe):
        """The test of a recipe, with what is installed; of this tree only the test's own files are there."""
        tree = self.path / "ossloop"
        for name in "conf", "tests/support", "tests/programs", "tests/browsers":
            shutil.copytree(ROOT / name, tree / name, dirs_exist_ok=True)
        shutil.copy(ROOT / "RECIPES.md", tree)
        return self.shell("export OSSLOOP_LIBRARY=$(echo /usr/lib/*/libossloop.so) OSSLOOP_CONTROL=/usr/bin/ossloopctl; "
                          "export PYTHONPATH=../support:../programs; cd /ossloop/tests; "
                          'module=$(grep -l "def $TEST(" */test_*.py); cd "${module%/*}"; module=${module#*/}; '
                          'exec /usr/bin/python3 -B -m unittest -k "$TEST" "${module%.py}"', TEST=pages.test_of(recipe))

    def files(self):
        """All but what the package manager keeps of itself."""
        own = ("./var/", "./tmp/", "./proc/", "./etc/ld.so.cache")
        found = self.shell("cd / && find . -xdev -not -type d -o -empty").splitlines()
        return {path for path in found if not path.startswith(own)}

    def close(self):
        shutil.rmtree(self.path)


def package(name):
    """The file of a package that tools/package has built."""
    found, = PACKAGES.glob(f"{name}_*.deb")
    return found


def older(deb, folder, **changed):
    """The same package as version 0.0.1, with other texts in some of its files (by path)."""
    tree = folder / f"{deb.name}.tree"
    run("dpkg-deb", "-R", deb, tree)
    version = run("dpkg-deb", "-f", deb, "Version").strip()
    control = tree / "DEBIAN/control"
    control.write_text(control.read_text().replace(version, "0.0.1"))
    for path, text in changed.items():
        (tree / path).write_text(text)
    made = folder / f"{deb.name.partition('_')[0]}_0.0.1.deb"
    run("dpkg-deb", "--root-owner-group", "-b", tree, made)
    return made
