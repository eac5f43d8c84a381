"""Programs with the library preloaded, each with its children in a process group of its own."""

import ctypes
import os
import pathlib
import queue
import signal
import struct
import subprocess
import threading
import time

# A program that should come to its end has come there after so long.
LIMIT_SECONDS = 60
KILLED = -signal.SIGKILL
# Has no handler for it.
TERMINATED = -signal.SIGTERM
PEER_GONE = 3
OPEN, FORKED = 1, 2  # stages of a journal

PR_SET_CHILD_SUBREAPER = 36


class Failed(Exception):
    pass


def adopt_orphans():
    """Children whose parent has gone become ours, so that their end is seen."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "PR_SET_CHILD_SUBREAPER")


class Program:
    """`companions`: all programs of the scene, whose faults are told at once."""

    def __init__(self, name, words, environment, journal, companions):
        self.name = name
        self.companions = companions
        self.words = [str(word) for word in words]
        self.journal = pathlib.Path(journal)
        self.journal.write_bytes(bytes(24))
        self.killed = False
        self.gone = False
        self.may_break = False  # where what it hears tells nothing
        self.orphans = []  # what became of them: exit statuses
        self.said = []
        self.errors = []
        self.last_words = None
        self.process = subprocess.Popen(
            [*self.words, "--journal", str(self.journal)], env=environment, text=True, process_group=0,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.lines = queue.Queue()
        self.pumps = [threading.Thread(target=self.pump, args=pipe, daemon=True)
                      for pipe in ((self.process.stdout, self.said, self.lines), (self.process.stderr, self.errors, None))]
        for pump in self.pumps:
            pump.start()

    @property
    def pid(self):
        return self.process.pid

    def __str__(self):
        options = " ".join(self.words[1:])
        return f"{self.name} ({options})"

    @staticmethod
    def pump(pipe, said, lines):
        for line in pipe:
            said.append(line.strip())
            if lines is not None:
                lines.put(line.strip())
        if lines is not None:
            lines.put(None)

    # --- what it has done so far -------------------------------------------------------

    def wrote_down(self):
        """Stage, and the frames of each of two senders."""
        return self.last_words or struct.unpack("=3q", self.journal.read_bytes())

    def accepted(self):
        return self.wrote_down()[1:]

    def wait_for_stage(self, stage, beside=()):
        """False if it has ended before, which those `beside` it must not have."""
        deadline = time.monotonic() + LIMIT_SECONDS
        while self.wrote_down()[0] < stage:
            if self.has_gone():
                return False
            for program in beside:
                if program.has_gone():
                    raise Failed(f"{program} has ended by itself: {program.outcome()}")
            if time.monotonic() > deadline:
                raise Failed(f"{self} has not come to stage {stage} in {LIMIT_SECONDS} s")
            time.sleep(0.002)
        return True

    def next_line(self):
        """None when it has ended."""
        try:
            return self.lines.get(timeout=LIMIT_SECONDS)
        except queue.Empty:
            raise Failed(f"{self} has said nothing for {LIMIT_SECONDS} s") from None

    # --- its end ------------------------------------------------------------------------

    def has_gone(self):
        """With all its children."""
        if self.process.poll() is None:
            return False
        while not self.gone:
            try:
                child, status = os.waitpid(-self.pid, os.WNOHANG)
            except ChildProcessError:
                child = 0
            if child:
                self.orphans.append(os.waitstatus_to_exitcode(status))
                continue
            try:
                os.killpg(self.pid, 0)
                return False
            except ProcessLookupError:
                self.gone = True
        return True

    def must_be_sound(self):
        """Of several processes one may have found a fault that the others wait for."""
        if not self.may_break:
            for line in list(self.errors):
                if line.startswith("broken"):
                    raise Failed(f"{self}: {line}")

    def wait(self, seconds):
        """False if it has not come to its end in that time."""
        deadline = time.monotonic() + seconds
        pause = 0.0005
        while not self.has_gone():
            for program in self.companions:
                program.must_be_sound()
            if time.monotonic() > deadline:
                return False
            time.sleep(pause)
            pause = min(2 * pause, 0.02)
        return True

    def finish(self, allowed=(0,), leader=()):
        """What it has said, when it and its children have come to their end; `leader`:
        what may become of the first process besides."""
        if not self.wait(LIMIT_SECONDS):
            raise Failed(f"{self} still runs after {LIMIT_SECONDS} s")
        self.collect()
        self.must_be_sound()
        if self.killed:
            allowed = (*allowed, KILLED)
        of_leader = self.process.returncode
        bad = [status for status in self.orphans if status not in allowed]
        if of_leader not in (*allowed, *leader):
            bad.append(of_leader)
        if bad:
            raise Failed(f"{self}: {self.outcome()}")
        return self.said

    def collect(self):
        if self.last_words is not None:
            return
        for pump in self.pumps:
            pump.join(LIMIT_SECONDS)
        self.last_words = self.wrote_down()
        self.process.stdout.close()
        self.process.stderr.close()
        self.journal.unlink()

    def statuses(self):
        return [self.process.returncode, *self.orphans]

    def outcome(self):
        statuses = " ".join(map(str, self.statuses())) if self.has_gone() else "none yet"
        return "; ".join([f"exit status {statuses}", *self.said[-3:], *self.errors[-3:]])

    def send(self, number):
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:
            pass

    def kill(self):
        self.killed = True
        self.send(signal.SIGKILL)

    def stop(self, allowed=(0,), leader=()):
        """SIGTERM, again and again: one that comes just before a call interrupts nothing."""
        deadline = time.monotonic() + LIMIT_SECONDS
        while not self.has_gone():
            if time.monotonic() > deadline:
                raise Failed(f"{self} still runs {LIMIT_SECONDS} s after SIGTERM")
            self.send(signal.SIGTERM)
            self.wait(0.5)
        return self.finish((*allowed, TERMINATED), leader)
