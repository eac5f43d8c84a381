"""Players and recorders that come, go and are killed, for as long as is asked.

Started by tools/soak. Four instances run at once: one hears players of all formats,
one plays to recorders, one converts rates, one runs without a clock. Every frame
tells its place, and what stays must not grow: memory, descriptors and threads of
the programs that live on, and the files of the runtime folder.
"""

import argparse
import os
import pathlib
import queue
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIBRARY = pathlib.Path(os.environ.get("OSSLOOP_LIBRARY", ROOT / "build/lib/libossloop.so")).resolve()
ACTOR = LIBRARY.parents[1] / "soak/actor"

S16, S24, S32, FLOAT = 0x10, 0x8000, 0x1000, 0x4000
FORMATS = (S16, S24, S32, FLOAT)
PEER_GONE = 3
KILLED = -9
# A program that was started must have come to its end after so long.
LIMIT_SECONDS = 60
# The filter of the first player that is killed is made up with libsoxr, and longer
# streams take longer buffers; a leak goes on.
GROWTH_KIB = 2048


class Failed(Exception):
    pass


class Soak:
    def __init__(self, seconds, seed):
        self.random = random.Random(seed)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="ossloop-soak-", dir="/dev/shm"))
        self.end = time.monotonic() + seconds
        self.failures = queue.Queue()
        self.lasting = {}  # name: process
        self.running = set()
        self.counts = {"streams": 0, "frames": 0, "kills": 0}
        self.lock = threading.Lock()

    # --- programs ------------------------------------------------------------------

    def environment(self):
        return {"PATH": os.environ["PATH"], "LD_PRELOAD": str(LIBRARY), "OSSLOOP_OPEN_WAIT": "20",
                "OSSLOOP_DIR": str(self.folder / "loop"), "OSSLOOP_CONF": str(self.folder / "conf")}

    def start(self, role, instance, server, **options):
        device = f"/dev/oss/oss_audioloop0/{'server' if server else 'pcm'}{instance}"
        words = [ACTOR, role, "--path", device]
        for key, value in options.items():
            words += [f"--{key}", value]
        process = subprocess.Popen(list(map(str, words)), env=self.environment(), text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        with self.lock:
            self.running.add(process)
        return process

    def finish(self, process, allowed=(0,)):
        """Its output, when it has come to its end."""
        try:
            if hasattr(process, "lines"):
                process.wait(LIMIT_SECONDS)
                out, errors = "".join(line for line in iter(process.lines.get, None)), process.stderr.read()
            else:
                out, errors = process.communicate(timeout=LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            raise Failed(f"{' '.join(process.args[1:])} still runs after {LIMIT_SECONDS} s") from None
        finally:
            with self.lock:
                self.running.discard(process)
        process.errors = errors
        if process.returncode not in allowed:
            raise Failed(f"{' '.join(process.args[1:])}: exit status {process.returncode}: {(out + errors).strip()}")
        return out

    def outcome(self, process):
        """What became of one that should live: how it ended, and what it said."""
        try:
            status = process.wait(1)
        except subprocess.TimeoutExpired:
            process.kill()
            status = "still running"
        out = self.finish(process, range(-64, 256))
        return f"exit status {status}: {(out + process.errors).strip()}"

    def maybe_kill(self, process, chance, longest):
        """Kills it at some moment, or not. True if it was killed."""
        with self.lock:
            kills = self.random.random() < chance
            wait = self.random.uniform(0, longest)
        if not kills:
            return False
        try:
            process.wait(wait)
            return False
        except subprocess.TimeoutExpired:
            process.kill()
            self.count(kills=1)
            return True

    def count(self, **more):
        with self.lock:
            for key, value in more.items():
                self.counts[key] += value

    def pick(self, function):
        with self.lock:
            return function(self.random)

    def going_on(self):
        return time.monotonic() < self.end and self.failures.empty()

    # --- instances -----------------------------------------------------------------

    def heard(self, recorder, ident, whole, most):
        """Looks for the recorder's line about a player; of one that was killed there
        may be none, and never too much."""
        killed = recorder.__dict__.setdefault("killed", {})
        if not whole:
            killed[ident] = most
            return
        while True:
            try:
                line = self.lines_of(recorder).get(timeout=LIMIT_SECONDS)
            except queue.Empty:
                raise Failed(f"nothing was heard of stream {ident}") from None
            words = (line or f"broken {recorder.stderr.read()}").split()
            if words[0] != "stream":
                raise Failed(" ".join(words))
            of, frames = int(words[1]), int(words[2])
            self.count(streams=1, frames=frames)
            if of == ident:
                if frames != most:
                    raise Failed(f"stream {ident}: {frames} frames heard of {most}")
                killed.clear()
                return
            # A stream that was cut off before it could tell its number has none.
            if (of != 0 and of not in killed) or frames > max(killed.values(), default=0):
                raise Failed(f"stream {ident} expected, heard: {line.strip()}")

    @staticmethod
    def lines_of(process):
        """What it prints, as it comes; None at the end."""
        if not hasattr(process, "lines"):
            process.lines = queue.Queue()

            def pump():
                for line in process.stdout:
                    process.lines.put(line)
                process.lines.put(None)
            threading.Thread(target=pump, daemon=True).start()
        return process.lines

    def players(self, name, instance, own, player_of, expected, ramp):
        """A recorder that stays, as server, and players one after another."""
        recorder = self.start("record", instance, True, ramp=ramp, **own)
        self.lasting[name] = recorder
        ident = 0
        while self.going_on():
            ident = ident % 120 + 1
            options = player_of()
            player = self.start("play", instance, False, id=ident, ramp=ramp, **options)
            killed = self.maybe_kill(player, 0.3, 1.0)
            self.finish(player, (0, PEER_GONE, KILLED) if killed else (0, PEER_GONE))
            if player.returncode == PEER_GONE:
                raise Failed(f"{name} has gone: {self.outcome(recorder)}")
            self.heard(recorder, ident, player.returncode == 0, expected(options))
        recorder.kill()
        self.finish(recorder, (KILLED,))

    def formats(self):
        def player():
            return {"format": self.pick(lambda r: r.choice(FORMATS)), "rate": 48000,
                    "frames": self.pick(lambda r: r.randint(1, 60000)), "block": self.pick(lambda r: r.randint(1, 4000))}
        self.players("recorder of all formats", 0, {"format": S16, "rate": 48000}, player,
                     lambda sent: sent["frames"], 0)

    def rates(self):
        def player():
            return {"format": S32, "rate": self.pick(lambda r: r.choice((8000, 11025, 48000, 96000))),
                    "frames": self.pick(lambda r: r.randint(8000, 60000)), "block": self.pick(lambda r: r.randint(100, 4000))}
        self.players("recorder that converts", 2, {"format": S32, "rate": 44100}, player,
                     lambda sent: (2 * sent["frames"] * 44100 + sent["rate"]) // (2 * sent["rate"]), 1)

    def recorders(self):
        """A player that stays, as server, and recorders one after another."""
        player = self.start("play", 1, True, id=1, times=1 << 30, format=S32, rate=44100, frames=100000)
        self.lasting["player"] = player
        while self.going_on():
            limit = self.pick(lambda r: r.randint(1, 60000)) * 4
            recorder = self.start("record", 1, False, format=S16, rate=44100, limit=limit,
                                  block=self.pick(lambda r: r.randint(1, 4000)))
            killed = self.maybe_kill(recorder, 0.3, 1.0)
            out = self.finish(recorder, (0, PEER_GONE, KILLED) if killed else (0, PEER_GONE))
            if "broken" in out:
                raise Failed(out.strip())
            if player.poll() is not None:
                raise Failed(f"player: {player.stderr.read().strip()}")
            self.count(streams=1)
        player.kill()
        self.finish(player, (KILLED,))

    def no_clock(self):
        """Both sides are killed at any time."""
        while self.going_on():
            recorder = self.start("record", 3, True, format=S32, rate=96000, block=self.pick(lambda r: r.randint(1, 9000)))
            for ident in range(1, self.pick(lambda r: r.randint(1, 5)) + 1):
                frames = self.pick(lambda r: r.randint(1, 2_000_000))
                player = self.start("play", 3, False, id=ident, format=S16, rate=96000, frames=frames,
                                    block=self.pick(lambda r: r.randint(1, 9000)))
                if self.maybe_kill(recorder, 0.2, 0.2):
                    # One that has not yet opened its side would wait for a server.
                    killed = self.maybe_kill(player, 1, 2)
                    self.finish(player, (0, PEER_GONE, KILLED) if killed else (0, PEER_GONE))
                    break
                killed = self.maybe_kill(player, 0.2, 0.2)
                self.finish(player, (0, PEER_GONE, KILLED) if killed else (0, PEER_GONE))
                if player.returncode == PEER_GONE:
                    raise Failed(f"recorder without a clock has gone: {self.outcome(recorder)}")
                self.heard(recorder, ident, player.returncode == 0, frames)
            recorder.kill()
            out = self.finish(recorder, (KILLED,))
            if "broken" in out:
                raise Failed(out.strip())

    # --- what must not grow ------------------------------------------------------------

    def sizes(self):
        found = {}
        for name, process in self.lasting.items():
            proc = pathlib.Path(f"/proc/{process.pid}")
            try:
                kib = sum(int(line.split()[1]) for line in (proc / "smaps_rollup").read_text().splitlines()
                          if line.startswith("Private_"))
                found[name] = (kib, len(list((proc / "fd").iterdir())), len(list((proc / "task").iterdir())))
            except (OSError, ProcessLookupError):
                pass
        folder = self.folder / "loop"
        return found, sorted(file.name for file in folder.iterdir()) if folder.exists() else []

    def watch(self, seconds):
        """Samples of the second quarter against those of the last one."""
        early, late = [], []
        start = time.monotonic()
        while self.going_on():
            time.sleep(0.5)
            share = (time.monotonic() - start) / seconds
            if 0.25 <= share < 0.5:
                early.append(self.sizes())
            if share >= 0.75:
                late.append(self.sizes())
        if not self.failures.empty() or not early or not late:
            return
        for name in early[0][0]:
            for what, unit, slack in ((0, "KiB of memory", GROWTH_KIB), (1, "descriptors", 0), (2, "threads", 0)):
                before = max(sample[0][name][what] for sample in early if name in sample[0])
                after = max(sample[0][name][what] for sample in late if name in sample[0])
                if after > before + slack:
                    raise Failed(f"{name}: {before} {unit} became {after}")
        known = set().union(*(files for _, files in early))
        # A player whose recorder is killed before it has chosen its rate converts: two
        # files an instance, at any time.
        tails = {f"tail{instance}.{number}" for instance in range(4) for number in range(2)}
        new = set().union(*(files for _, files in late)) - known - tails
        if new:
            raise Failed(f"new files in the runtime folder: {', '.join(sorted(new))}")

    def run(self, seconds):
        (self.folder / "conf").write_text(
            "audioloop_instances=4\nloop2.underrun=stall\nloop3.clock=free\n")

        def guarded(work):
            try:
                work()
            except Exception as error:  # whatever it is, it ends the run
                self.failures.put(f"{work.__name__}: {error}" if isinstance(error, Failed) else f"{work.__name__}: {error!r}")

        works = [self.formats, self.recorders, self.rates, self.no_clock]
        threads = [threading.Thread(target=guarded, args=(work,)) for work in works]

        def growth():
            self.watch(seconds)
        threads.append(threading.Thread(target=guarded, args=(growth,)))
        try:
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        finally:
            for process in list(self.running):
                process.kill()
            shutil.rmtree(self.folder, ignore_errors=True)
        return list(self.failures.queue)


def main():
    parser = argparse.ArgumentParser(prog="tools/soak", description="Runs four loops for a long time.")
    parser.add_argument("--seconds", type=float, default=1800, help="how long (1800)")
    parser.add_argument("--seed", type=int, default=None, help="of the random choices")
    chosen = parser.parse_args()
    seed = chosen.seed if chosen.seed is not None else random.SystemRandom().randrange(1 << 30)
    soak = Soak(chosen.seconds, seed)
    failures = soak.run(chosen.seconds)
    counts = soak.counts
    print(f"{counts['streams']} streams, {counts['frames']} frames compared, {counts['kills']} programs killed, seed {seed}")
    for failure in failures:
        print(f"tools/soak: {failure}", file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
