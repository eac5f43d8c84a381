"""What must not grow and what must not stay."""

import os
import pathlib
import re
import time

from programs import Failed

# The first conversion loads libsoxr, and longer streams take longer buffers; a leak goes on.
GROWTH_KIB = 2048
# The memory that an instance nobody uses may keep: its tables, and a ring of the default
# size with room to spare.
IDLE_KIB = 4096
GIVES_BACK_SECONDS = 10


def sizes(process):
    """KiB of memory, descriptors and threads of a program; None if it has ended."""
    proc = pathlib.Path(f"/proc/{process.pid}")
    try:
        kib = sum(int(line.split()[1]) for line in (proc / "smaps_rollup").read_text().splitlines()
                  if line.startswith("Private_"))
        return kib, len(list((proc / "fd").iterdir())), len(list((proc / "task").iterdir()))
    except (OSError, ProcessLookupError):
        return None


class Growth:
    """The programs that live on: samples of the second quarter against those of the
    last one."""

    def __init__(self, soak, seconds):
        self.soak = soak
        self.seconds = seconds

    def watch(self):
        early, late = {}, {}
        start = time.monotonic()
        while self.soak.going_on():
            time.sleep(0.5)
            share = (time.monotonic() - start) / self.seconds
            samples = early if 0.25 <= share < 0.5 else late if share >= 0.75 else None
            if samples is None:
                continue
            for name, process in list(self.soak.lasting.items()):
                found = sizes(process)
                if found:
                    samples.setdefault((name, process.pid), []).append(found)
        for key in early.keys() & late.keys():
            for what, unit, slack in ((0, "KiB of memory", GROWTH_KIB), (1, "descriptors", 0), (2, "threads", 0)):
                before = max(sample[what] for sample in early[key])
                after = max(sample[what] for sample in late[key])
                if after > before + slack:
                    raise Failed(f"{key[0]}: {before} {unit} became {after}")


class Leftovers:
    """Of an instance whose programs have all gone."""

    def __init__(self, folder, instances):
        self.folder = pathlib.Path(folder)
        self.known = {instance: {f"loop{instance}", f"mix{instance}", *self.nodes(instance)} for instance in range(instances)}

    @staticmethod
    def nodes(instance):
        """Of each place: a client has one of eight, and each has a node for both ways and one for each."""
        places = [f"server{instance}", f"pcm{instance}", *(f"pcm{instance}.{slot}" for slot in range(1, 8))]
        return {place + way for place in places for way in ("", ".playing", ".recording")}

    def expect_maps(self, instance):
        """Of a program that is killed and cannot remove them."""
        self.known[instance] |= {f"{side}{instance}.{kind}" for side in ("server", "pcm") for kind in ("played", "recorded")}

    def names(self, instance):
        """Its files."""
        of = re.compile(rf"(loop|server|pcm|mix){instance}(\D.*)?")
        return sorted(file.name for file in self.folder.iterdir() if of.fullmatch(file.name))

    def must_be_none(self, instance):
        locks = self.locks(instance)
        if locks:
            raise Failed(f"locks that nobody can hold: {'; '.join(locks)}")
        more = set(self.names(instance)) - self.known[instance]
        if more:
            self.known[instance] |= more  # told once
            raise Failed(f"files left behind: {', '.join(sorted(more))}")

    def locks(self, instance):
        """Lines of /proc/locks about its files, whoever holds them."""
        ours = set()
        for name in self.names(instance):
            status = os.stat(self.folder / name)
            ours.add(f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}")
        lines = pathlib.Path("/proc/locks").read_text().splitlines()
        return [line for line in lines if len(line.split()) > 5 and ours & set(line.split())]

    def kib(self, instance):
        return sum(os.stat(self.folder / name).st_blocks for name in self.names(instance)) // 2

    def must_be_small(self, instance):
        deadline = time.monotonic() + GIVES_BACK_SECONDS
        while (found := self.kib(instance)) > IDLE_KIB and time.monotonic() < deadline:
            time.sleep(0.05)
        if found > IDLE_KIB:
            raise Failed(f"instance {instance}, which nobody uses, keeps {found} KiB of memory")


def living(folder):
    """Processes that were given this runtime folder."""
    mark = os.fsencode(f"OSSLOOP_DIR={folder}")
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            if mark in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
        except OSError:
            pass
    return found
