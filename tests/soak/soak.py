"""Players and recorders of all kinds that come, go, share, fork and are killed, for as
long as is asked.

Started by tools/soak. Every scene (lasting.py, pairs.py, conversions.py, crowds.py, others.py) has an
instance of its own. Every frame tells its place; each program must come to its end; and nothing
may stay: memory, descriptors, threads, locks, files.
"""

import argparse
import os
import pathlib
import queue
import random
import shutil
import signal
import sys
import tempfile
import threading
import time

import checks
import conversions
import crowds
import lasting
import others
import pairs
import programs

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIBRARY = pathlib.Path(os.environ.get("OSSLOOP_LIBRARY", ROOT / "build/lib/libossloop.so")).resolve()
SCENES = (lasting.Formats, lasting.Recorders, lasting.Rates, lasting.Unclocked, pairs.Pairs, pairs.Pairs, crowds.Headsets,
          conversions.Conversions, conversions.Conversions, crowds.Companies,
          others.Storms, others.Shared, others.Handlers, others.Wakers, others.Redirections, others.Starts)

# What a run should have seen.
ROLES = [
    *(f"{role} {kind}" for role in ("player", "recorder") for kind in pairs.KINDS),
    *(f"fate: {fate}" for fate in pairs.FATES),
    "formats", "rates", "recorders", "unclocked", "server that plays", "server that records",
    *(f"converting {killed}s killed as {side}" for killed in ("player", "recorder") for side in ("server", "client")),
    *(f"headset: server by {server}, client by {client}"
      for server in crowds.PROGRAMS.values() for client in crowds.PROGRAMS.values()),
    "company of players", "company of recorders",
    "both killed at once, then a server",
    "writers of one open beside busy opens", "readers of one open beside busy opens",
    "handler that is to close", "handler that is to reopen",
    "recorder whose wakers are killed",
    "redirections by vfork", "redirections: clients play", "redirections: server plays", "redirections: clients record",
    "forks beside a first open", "memory of 16 channels",
]


class Soak:
    actor = LIBRARY.parents[1] / "soak/actor"

    def __init__(self, seconds, seed, scenes, goes_on, least=0):
        self.seed = seed
        self.least = least
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="ossloop-soak-", dir="/dev/shm"))
        self.loops = self.folder / "loop"
        self.start = time.monotonic()
        self.seconds = seconds
        self.goes_on = goes_on
        self.failures = queue.Queue()
        self.lasting = {}  # name: program
        self.counts = {"streams": 0, "frames": 0, "kills": 0, "converting": 0, "rates": 0, "crowd": 0}
        self.roles = {}
        self.decks = {}
        self.lock = threading.Lock()
        self.leftovers = checks.Leftovers(self.loops, len(SCENES))
        self.scenes = [scene(self, instance) for instance, scene in enumerate(SCENES) if scene.name() in scenes]

    # --- what scenes ask for ----------------------------------------------------------

    def going_on(self):
        if not (self.goes_on or self.failures.empty()):
            return False
        return time.monotonic() < self.start + self.seconds or any(self.roles.get(role, 0) < self.least for role in ROLES)

    def failed(self, text):
        text = f"after {time.monotonic() - self.start:.0f} s: {text}"
        self.failures.put(text)
        print(f"tools/soak: {text}", file=sys.stderr, flush=True)

    def random_of(self, instance):
        return random.Random(f"{self.seed} {instance}")

    def environment(self, policy):
        # Each stream ends with its player's close, also where that opens again.
        policy = {"linger_ms": 0, **policy}
        lines = [f"audioloop_instances={len(SCENES)}", *(f"{key}={value}" for key, value in policy.items())]
        conf = self.folder / ("conf" + "".join(f"-{line}" for line in lines[1:]))
        with self.lock:
            if not conf.exists():
                conf.write_text("\n".join(lines) + "\n")
        return {"PATH": os.environ["PATH"], "LD_PRELOAD": str(LIBRARY), "OSSLOOP_OPEN_WAIT": "20",
                "OSSLOOP_DIR": str(self.loops), "OSSLOOP_CONF": str(conf)}

    def deal(self, name, cards):
        """One of them by chance; none again before all have been dealt."""
        with self.lock:
            deck = self.decks.setdefault(name, [])
            if not deck:
                deck.extend(cards)
                random.Random(f"{self.seed} {name} {self.counts}").shuffle(deck)
            return deck.pop()

    def rest(self, seconds=0.2):
        """So that scenes without a clock leave the processors to the others."""
        time.sleep(seconds)

    def count(self, **more):
        with self.lock:
            for key, value in more.items():
                self.counts[key] += value

    def count_role(self, name):
        with self.lock:
            self.roles[name] = self.roles.get(name, 0) + 1

    # --- the run ------------------------------------------------------------------------

    def run(self):
        self.loops.mkdir(mode=0o700)
        growth = checks.Growth(self, self.seconds)

        def watch():
            try:
                growth.watch()
            except programs.Failed as failure:
                self.failed(str(failure))

        threads = [threading.Thread(target=work) for work in (watch, *(scene.run for scene in self.scenes))]
        try:
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.must_be_empty()
        finally:
            for pid in checks.living(self.loops):
                os.kill(pid, signal.SIGKILL)
            shutil.rmtree(self.folder, ignore_errors=True)

    def must_be_empty(self):
        left = checks.living(self.loops)
        if left:
            self.failed(f"processes left behind: {left}")
        strange = {file.name for file in self.loops.iterdir()}.difference(
            *(self.leftovers.names(instance) for instance in range(len(SCENES))))
        if strange:
            self.failed(f"files left behind: {', '.join(sorted(strange))}")


def main():
    names = sorted({scene.name() for scene in SCENES})
    parser = argparse.ArgumentParser(
        prog="tools/soak",
        description="Runs players and recorders of all kinds, on a dozen instances at once, and checks every frame.")
    parser.add_argument("--seconds", type=float, default=1800, help="how long (1800)")
    parser.add_argument("--seed", type=int, default=None, help="of the random choices")
    parser.add_argument("--scene", action="append", choices=names, help="only this one; may be given again")
    parser.add_argument("--least", type=int, default=0, metavar="N",
                        help="longer, until each kind of scene came so often (0)")
    parser.add_argument("--keep-going", action="store_true", help="go on after a failure, to see more of them")
    chosen = parser.parse_args()
    if chosen.least and chosen.scene:
        parser.error("--least is for all scenes, not for those of --scene")
    seed = chosen.seed if chosen.seed is not None else random.SystemRandom().randrange(1 << 30)
    programs.adopt_orphans()
    soak = Soak(chosen.seconds, seed, chosen.scene or names, chosen.keep_going, chosen.least)
    soak.run()
    counts = soak.counts
    print(f"{counts['streams']} streams, {counts['frames']} frames compared, {counts['kills']} programs killed, seed {seed}")
    print(f"{counts['converting']} of them killed while sound was converted, {counts['rates']} to another rate")
    print(f"{counts['crowd']} of them one of several on an instance")
    for role, times in sorted(soak.roles.items()):
        print(f"{times:7} x {role}")
    return 0 if soak.failures.empty() else 1


if __name__ == "__main__":
    sys.exit(main())
