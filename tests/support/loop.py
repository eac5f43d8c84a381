"""A loop of one's own: runtime folder, configuration, and the programs on it.

    loop = Loop(eof="eof", clock="free")
    recorder = loop.start("sox", "-q", "-t", "oss", SERVER, "out.wav")
    loop.wait_until_listening(recorder)
    ...
    loop.close()          # kills what still runs, removes every file

Programs run with the library preloaded, each in a process group of its own, and
are killed after a time limit: a hung program is a failure, never a hung test.

ctest has this folder in PYTHONPATH; whoever runs a test by hand puts it there:

    cd tests/process; PYTHONPATH=../support python3 -m unittest test_mixer
"""

import ctypes
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import sound

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIBRARY = pathlib.Path(os.environ.get("OSSLOOP_LIBRARY", ROOT / "build/lib/libossloop.so"))
CONTROL = pathlib.Path(os.environ.get("OSSLOOP_CONTROL", ROOT / "build/bin/ossloopctl"))
PYTHON = "/usr/bin/python3"  # Debian's own: it has ossaudiodev
PARTNER = pathlib.Path(__file__).with_name("partner.py")

SERVER = "/dev/oss/oss_audioloop0/server0"
CLIENT = "/dev/oss/oss_audioloop0/pcm0"

# Of a hang: far beyond what a busy machine takes.
LIMIT_SECONDS = 40

PR_SET_PDEATHSIG = 1
libc = ctypes.CDLL(None)


def server(instance):
    return f"/dev/oss/oss_audioloop0/server{instance}"


def client(instance):
    return f"/dev/oss/oss_audioloop0/pcm{instance}"


def die_with_the_test():
    """In a new program: SIGKILL when the test that started it is gone."""
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class ProgramFailed(AssertionError):
    """A program hung, crashed or could not be started."""


class Program:
    """A running program; its output is kept in files."""

    def __init__(self, words, process, folder):
        self.words = [str(word) for word in words]
        self.process = process
        self.folder = folder

    @property
    def pid(self):
        return self.process.pid

    @property
    def output(self):
        return (self.folder / "stdout").read_text(errors="replace")

    @property
    def errors(self):
        return (self.folder / "stderr").read_text(errors="replace")

    def running(self):
        return self.process.poll() is None

    def wait(self, seconds=LIMIT_SECONDS):
        """Its exit status; ProgramFailed when it has to be killed."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            where = self.where()
            self.kill()
            raise ProgramFailed(self.explain(f"still ran after {seconds} s{where}")) from None

    def succeed(self, seconds=LIMIT_SECONDS, statuses=(0,)):
        """Waits and expects one of these exit statuses."""
        status = self.wait(seconds)
        if status not in statuses:
            how = f"was killed by signal {-status}" if status < 0 else f"exited with {status}"
            raise ProgramFailed(self.explain(how))
        return self

    def report(self, seconds=LIMIT_SECONDS):
        """The report of a partner that has succeeded."""
        return json.loads(self.succeed(seconds).output.splitlines()[-1])

    def send(self, number):
        os.killpg(self.pid, number)

    def kill(self):
        """SIGKILL to it and to all it has started."""
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()

    def explain(self, what):
        tail = "\n".join(self.errors.splitlines()[-15:])
        return f"{' '.join(self.words)}\n  {what}\n{tail}".rstrip()

    def where(self):
        """What its threads sleep in, for the report of a hang."""
        tasks = f"/proc/{self.pid}/task"
        lines = [f"thread {thread} in {text_of(f'{tasks}/{thread}/wchan') or '?'}" for thread in sorted(entries_of(tasks))]
        return f" ({', '.join(lines)})" if lines else ""


class Loop:
    def __init__(self, instances=1, **conf):
        if not LIBRARY.exists():
            raise ProgramFailed(f"{LIBRARY} is not there: build first")
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="ossloop-test-", dir="/dev/shm"))
        self.runtime = self.folder / "run"
        self.runtime.mkdir(mode=0o700)
        self.work = pathlib.Path(tempfile.mkdtemp(prefix="ossloop-test-"))
        self.conf = self.work / "ossloop.conf"
        self.configure(audioloop_instances=instances, **conf)
        self.programs = []

    def configure(self, **conf):
        self.conf.write_text("".join(f"{key}={value}\n" for key, value in conf.items()))

    def environment(self, extra=None, preload=True):
        environment = {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "LC_ALL": "C.UTF-8",
            "HOME": str(self.work),  # no ~/.asoundrc, ~/.libao or ~/.mpg123 of the user's
            "OSSLOOP_DIR": str(self.runtime),
            "OSSLOOP_CONF": str(self.conf),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        if preload:
            environment["LD_PRELOAD"] = str(LIBRARY)
        for name in ("OSSLOOP_LOG",):
            if name in os.environ:
                environment[name] = os.environ[name]
        environment.update(extra or {})  # None takes a name away
        return {name: str(value) for name, value in environment.items() if value is not None}

    def start(self, *words, env=None, preload=True, stdin=subprocess.DEVNULL, **popen):
        """Starts a program in the work folder, preloaded."""
        if shutil.which(str(words[0])) is None:
            raise ProgramFailed(f"{words[0]} is not installed")
        folder = pathlib.Path(tempfile.mkdtemp(prefix=f"{pathlib.Path(words[0]).name}-", dir=self.work))
        with open(folder / "stdout", "wb") as out, open(folder / "stderr", "wb") as err:
            process = subprocess.Popen(
                [str(word) for word in words],
                env=self.environment(env, preload),
                cwd=self.work,
                stdin=stdin,
                stdout=out,
                stderr=err,
                start_new_session=True,
                preexec_fn=die_with_the_test,
                **popen,
            )
        program = Program(words, process, folder)
        self.programs.append(program)
        return program

    def run(self, *words, **options):
        """Runs a program that uses no device, such as one that makes a file."""
        return self.start(*words, preload=False, **options).succeed()

    def file(self, name):
        return self.work / name

    # The other end: partner.py.

    def partner(self, role, device, path, rate=48000, channels=2, format="S16_LE", frames=None):
        words = [PYTHON, "-E", "-s", PARTNER, role, device, format, channels, rate, path]
        return self.start(*words, *([] if frames is None else [frames]))

    def partner_plays(self, device, played, format="S16_LE"):
        path = self.file(f"partner-{len(self.programs)}.raw")
        path.write_bytes(sound.encode(played.samples, format))
        return self.partner("play", device, path, played.rate, played.channels, format)

    def partner_records(self, device, rate=48000, channels=2, format="S16_LE", frames=None):
        path = self.file(f"partner-{len(self.programs)}.raw")
        program = self.partner("record", device, path, rate, channels, format, frames)
        program.recording = path
        return program

    def recorded(self, program, rate=48000, channels=2):
        program.succeed()
        return sound.from_bytes(program.recording.read_bytes(), rate, channels)

    # When is a server ready? When it holds its device and sleeps.

    def processes_of(self, program):
        found = []
        for pid in filter(str.isdigit, entries_of("/proc")):
            fields = text_of(f"/proc/{pid}/stat").rpartition(")")[2].split()
            if fields and int(fields[2]) == program.pid and fields[0] != "Z":
                found.append(pid)
        return found

    def holds_device(self, pid):
        for number in entries_of(f"/proc/{pid}/fd"):
            try:
                if os.readlink(f"/proc/{pid}/fd/{number}").startswith(f"{self.runtime}/"):
                    return True
            except OSError:
                pass  # closed meanwhile
        return False

    def switches(self, pids):
        return sum(map(voluntary_switches, pids))

    def wait_until_listening(self, program, seconds=LIMIT_SECONDS):
        """Returns once a server holds its device and has gone to sleep in its
        first read or write. Only then is its format settled for a client."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if not program.running():
                raise ProgramFailed(program.explain(f"ended early, status {program.process.poll()}"))
            processes = self.processes_of(program)
            if any(map(self.holds_device, processes)) and all(map(asleep, processes)):
                before = self.switches(processes)
                time.sleep(0.04)
                if self.switches(processes) - before <= 1 and all(map(asleep, processes)):
                    return program
            time.sleep(0.005)
        where = program.where()
        program.kill()
        raise ProgramFailed(program.explain(f"did not sleep on its device within {seconds} s{where}"))

    def close(self):
        for program in self.programs:
            program.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.rmtree(self.work, ignore_errors=True)


# Whoever walks over /proc meets processes that have just ended, of others too.


def entries_of(folder):
    """The names in a folder of /proc; none when its process has ended."""
    try:
        return os.listdir(folder)
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return []


def text_of(path):
    """What a file of /proc says; nothing when its process has ended."""
    try:
        return pathlib.Path(path).read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return ""


def asleep(pid):
    """Whether all threads of a process sleep. One that waits for a processor, or for
    a page of a file, does not."""
    statuses = [text_of(f"/proc/{pid}/task/{thread}/status") for thread in entries_of(f"/proc/{pid}/task")]
    return all("\nState:\tS" in status for status in statuses if status)


def voluntary_switches(pid):
    """Times the threads of a process went to sleep of their own will."""
    total = 0
    for thread in entries_of(f"/proc/{pid}/task"):
        for line in text_of(f"/proc/{pid}/task/{thread}/status").splitlines():
            if line.startswith("voluntary_ctxt_switches"):
                total += int(line.split()[1])
    return total


def cpu_seconds(pid):
    """User and system time of a process so far."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class LoopTest(unittest.TestCase):
    """A test that uses loops, and throws them away whatever happens."""

    @classmethod
    def setUpClass(cls):
        # A test that is told to stop cleans up first.
        signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))

    def loop(self, instances=1, **conf):
        loop = Loop(instances, **conf)
        self.addCleanup(loop.close)
        return loop

    def wait_until(self, condition):
        deadline = time.monotonic() + LIMIT_SECONDS
        while not condition():
            self.assertLess(time.monotonic(), deadline, "what was waited for has not come")
            time.sleep(0.005)

    def wait_until_ready(self, program):
        """Until it has said so."""
        def ready():
            self.assertTrue(program.running(), program.explain("ended early"))
            return "ready" in program.output

        self.wait_until(ready)
        return program

    def assert_quick(self, seconds, attempt):
        """`attempt` returns how long it took. A machine that has other things to do is
        late now and then; what the library takes, it takes each time."""
        took = []
        while not took or took[-1] >= seconds:
            self.assertLess(len(took), 5, f"took {took} s, and should take less than {seconds}")
            took.append(attempt())

    def assert_once(self, attempt):
        """For what other programs' lateness spoils now and then; a fault of the library
        spoils each try."""
        for _ in range(4):
            try:
                return attempt()
            except (AssertionError, ProgramFailed):
                pass
        return attempt()

    def assert_identical(self, sent, got):
        comparison = sound.compare(sent, got)
        self.assertTrue(comparison.identical, comparison)

    def assert_begins_with(self, sent, got, padding_frames=0):
        """All that was sent, then nothing but up to `padding_frames` of silence:
        for players that fill up their last block."""
        self.assert_identical(sent, got.head(sent.frames))
        self.assertLessEqual(got.frames - sent.frames, padding_frames)
        self.assertFalse(any(got.tail(sent.frames).samples), "what follows the sound is not silence")

    def assert_contains(self, sent, got):
        """All of a sound, bit for bit, with anything before and after it."""
        frame = 2 * sent.channels
        data, begin = got.bytes(), sent.bytes()[: 16 * frame]
        at = data.find(begin)
        while at > 0 and at % frame:
            at = data.find(begin, at + 1)
        loud = sum(sample != 0 for sample in got.samples)
        self.assertGreaterEqual(at, 0, f"no beginning in {got.frames} frames, {loud} samples not silent")
        self.assert_identical(sent, got.tail(at // frame).head(sent.frames))

    def assert_close(self, expected, got, snr_db):
        comparison = sound.compare(expected, got)
        self.assertEqual(expected.frames, got.frames, comparison)
        self.assertGreaterEqual(comparison.snr_db, snr_db, comparison)


def serial(method):
    """Marks a test that measures time: ctest runs it alone (tests/list_tests.py)."""
    return method


def limit(seconds):
    """Gives a test more than the usual minute (tests/list_tests.py)."""
    del seconds
    return lambda method: method
