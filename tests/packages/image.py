"""The steps of a Dockerfile, run in roots of a bare Debian 12: for where there is no Docker.

Of the language it knows what tools/image/Dockerfile uses.
"""

import json
import pathlib
import re
import shlex
import shutil

from root import ROOT, run


def instructions(text):
    """(word, rest) of each, comments left out and continued lines joined."""
    lines = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    for line in re.sub(r"\\\n\s*", "", lines).splitlines():
        if line.strip():
            word, _, rest = line.partition(" ")
            yield word, rest.strip()


def context(folder):
    """A copy of the tree without what .dockerignore names."""
    ignored = [line.removeprefix("**/") for line in (ROOT / ".dockerignore").read_text().split()]
    return shutil.copytree(ROOT, folder, symlinks=True, ignore=shutil.ignore_patterns(*ignored))


class Stage:
    def __init__(self, root, name):
        self.root, self.name = root, name
        self.folder, self.user, self.environment, self.command = "/", None, {}, None

    def inside(self, path):
        return self.root.path / str(pathlib.PurePosixPath(self.folder) / path).lstrip("/")

    def start(self, *words):
        user = ["setpriv", "--reuid", self.user, "--regid", self.user, "--clear-groups"] if self.user else []
        script = f"cd {shlex.quote(self.folder)} && exec {shlex.join([*user, *words])}"
        return self.root.run("sh", "-c", script, **self.environment)

    def copy(self, sources, base, target):
        target_path = self.inside(target)
        for source in sources:
            found = base / source.strip("/")
            target_path.mkdir(parents=True, exist_ok=True)
            run("cp", "-a", f"{found}/." if found.is_dir() else found, target_path)


class Image:
    """The last stage of tools/image/Dockerfile; `new_root()` makes the root of each."""

    def __init__(self, new_root, folder):
        stages = []
        tree = context(folder / "context")
        for word, rest in instructions((ROOT / "tools/image/Dockerfile").read_text()):
            if word == "FROM":
                assert rest.split()[0] == "debian:12-slim", rest
                stages.append(Stage(new_root(), rest.partition(" AS ")[2]))
            elif word == "COPY":
                *sources, target = rest.split()
                origin = sources.pop(0).removeprefix("--from=") if sources[0].startswith("--from=") else None
                base = next((stage.root.path for stage in stages if stage.name == origin), tree)
                stages[-1].copy(sources, base, target)
            else:
                self.follow(stages[-1], word, rest)
        self.stage = stages[-1]

    def follow(self, stage, word, rest):
        if word == "RUN":
            stage.start("sh", "-c", rest)
        elif word == "WORKDIR":
            stage.folder = rest
            stage.inside(".").mkdir(parents=True, exist_ok=True)
        elif word == "USER":
            stage.user = rest
        elif word == "ENV":
            stage.environment.update(pair.split("=", 1) for pair in shlex.split(rest))
        elif word == "CMD":
            stage.command = json.loads(rest)
        else:
            raise AssertionError(f"{word}: not known")

    def start(self):
        return self.stage.start(*self.stage.command)
