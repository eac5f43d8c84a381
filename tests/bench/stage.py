"""Where the measures take place: built programs, a runtime folder of one's own,
and programs joined by a pipe or by the loop."""

import contextlib
import ctypes
import json
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIMIT_SECONDS = 120

PR_SET_PDEATHSIG = 1
libc = ctypes.CDLL(None)


class MeasureFailed(Exception):
    """A measurement, or its yardstick, could not be made."""


def server(instance):
    return f"/dev/oss/oss_audioloop0/server{instance}"


def client(instance):
    return f"/dev/oss/oss_audioloop0/pcm{instance}"


def die_with_the_bench():
    """In a new program: SIGKILL when the one that started it is gone."""
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def cpu_us(pid):
    """CPU that a process has used so far."""
    runtime_ns = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        runtime_ns += int((task / "schedstat").read_text().split()[0])
    return runtime_ns / 1000


class Running:
    """A measuring program at work; its report is the last line of its errors."""

    def __init__(self, words, **options):
        self.words = [str(word) for word in words]
        try:
            self.process = subprocess.Popen(self.words, stderr=subprocess.PIPE, text=True, **options)
        except OSError as error:
            raise MeasureFailed(f"cannot run {self.words[0]}: {error.strerror}") from None

    def report(self):
        try:
            _, errors = self.process.communicate(timeout=LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise MeasureFailed(f"{self.name()} still ran after {LIMIT_SECONDS} s") from None
        lines = errors.strip().splitlines()
        if self.process.returncode != 0 or not lines:
            why = lines[-1] if lines else f"exit status {self.process.returncode}"
            raise MeasureFailed(f"{self.name()}: {why}")
        return json.loads(lines[-1])

    def name(self):
        return pathlib.Path(self.words[0]).name

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.communicate()


class Stage:
    """Use it as a context: it leaves nothing behind."""

    def __init__(self, pairs, quick):
        self.pairs = pairs
        self.quick = quick
        self.library = pathlib.Path(os.environ.get("OSSLOOP_LIBRARY", ROOT / "build/lib/libossloop.so")).resolve()
        self.build = self.library.parents[1]
        self.empty = self.build / "bench/empty.so"
        self.running = []

    def __enter__(self):
        for needed in (self.library, self.empty):
            if not needed.exists():
                raise MeasureFailed(f"{needed} is not built: run tools/bench, or build bench_programs")
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="ossloop-bench-", dir="/dev/shm"))
        self.configure()
        return self

    def __exit__(self, *_):
        for program in self.running:
            if program.process.poll() is None:
                program.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def configure(self, **keys):
        """The loop's settings from here on; every instance is made anew."""
        shutil.rmtree(self.folder / "loop", ignore_errors=True)
        lines = ["audioloop_instances=16"] + [f"{key}={value}" for key, value in keys.items()]
        (self.folder / "conf").write_text("\n".join(lines) + "\n")

    def program(self, name):
        return self.build / "bench" / name

    def environment(self, preload=None):
        words = {"PATH": os.environ["PATH"], "OSSLOOP_DIR": str(self.folder / "loop"),
                 "OSSLOOP_CONF": str(self.folder / "conf"), "OSSLOOP_OPEN_WAIT": "20"}
        if preload:
            words["LD_PRELOAD"] = str(preload)
        return words

    def start(self, words, **options):
        program = Running(words, **options)
        self.running.append(program)
        return program

    def once(self, name, *words, preload=None):
        """Runs a program that prints its report, and returns it."""
        try:
            done = subprocess.run([self.program(name), *map(str, words)], env=self.environment(preload),
                                  capture_output=True, text=True, timeout=LIMIT_SECONDS)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise MeasureFailed(f"{name}: {error}") from None
        if done.returncode != 0:
            why = done.stderr.strip().splitlines()
            raise MeasureFailed(f"{name}: {why[-1] if why else f'exit status {done.returncode}'}")
        return json.loads(done.stdout)

    def wait_for_streams(self, count):
        """Waits until so many clients of the first instance play or record."""
        deadline = time.monotonic() + LIMIT_SECONDS
        running = 0
        while time.monotonic() < deadline:
            done = subprocess.run([self.build / "bin/ossloopctl", "status", "--json", "0"], env=self.environment(),
                                  capture_output=True, text=True)
            if done.returncode != 0:
                raise MeasureFailed(f"ossloopctl: {done.stderr.strip()}")
            clients = json.loads(done.stdout)["clients"]
            running = sum(client["state"] == "open" and client["clock"]["running"] for client in clients)
            if running >= count:
                return
            time.sleep(0.01)
        raise MeasureFailed(f"only {running} of {count} clients after {LIMIT_SECONDS} s")

    @contextlib.contextmanager
    def busy(self, loops):
        """So many programs that do nothing but keep the processors busy, and do not
        outlive us."""
        words = ["sh", "-c", "while :; do :; done"]
        started = [self.start(words, preexec_fn=die_with_the_bench) for _ in range(loops)]
        try:
            yield
        finally:
            for program in started:
                program.kill()

    def start_pipe(self, feed, drain):
        """The two programs, joined by a pipe and without the library."""
        feeder = self.start([self.program("feed"), *map(str, feed)], stdout=subprocess.PIPE,
                            env=self.environment())
        drainer = self.start([self.program("drain"), *map(str, drain)], stdin=feeder.process.stdout,
                             env=self.environment())
        feeder.process.stdout.close()
        feeder.process.stdout = None
        return feeder, drainer

    def start_preloaded(self, name, path, words):
        """One of the two on a device."""
        return self.start([self.program(name), "--path", path, *map(str, words)],
                          env=self.environment(self.library))

    def start_loop(self, feed, drain, instance=0, server_plays=False):
        """The same two programs on both sides of an instance."""
        names = {"drain": server(instance), "feed": client(instance)}
        if server_plays:
            names = {"feed": server(instance), "drain": client(instance)}
        programs = {}
        for name, path in names.items():  # the server first
            programs[name] = self.start_preloaded(name, path, feed if name == "feed" else drain)
        return programs["feed"], programs["drain"]

    def start_mix(self, count, feed, drain):
        """So many players on the client side of one instance, and its recorder."""
        recorder = self.start_preloaded("drain", server(0), drain)
        return [self.start_preloaded("feed", client(0), feed) for _ in range(count)], recorder

    def pipe(self, feed, drain):
        return [program.report() for program in self.start_pipe(feed, drain)]

    def loop(self, feed, drain, server_plays=False):
        return [program.report() for program in self.start_loop(feed, drain, server_plays=server_plays)]

    def compare(self, ours, yardstick, times=1):
        """Pairs by turns: (medians of both, median ratio, its quartiles). `times` as many pairs as others
        have, where the budget is narrower than what a machine varies by from one second to the next."""
        pairs = []
        for number in range(self.pairs * times):
            if number % 2 == 0:
                first = ours()
                pairs.append((first, yardstick()))
            else:
                second = yardstick()
                pairs.append((ours(), second))
        if any(other <= 0 for _, other in pairs):
            raise MeasureFailed("a yardstick measured nothing")
        ratios = [mine / other for mine, other in pairs]
        return (statistics.median(mine for mine, _ in pairs), statistics.median(other for _, other in pairs),
                statistics.median(ratios), quartiles(ratios))


def quartiles(values):
    if len(values) < 2:
        return (values[0], values[0])
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return (low, high)
