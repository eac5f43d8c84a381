"""Tests that drive preloaded processes call by call: see agent.py."""

import errno
import os
import pathlib
import pickle
import select
import shutil
import struct
import subprocess
import tempfile
import time

from loop import (
    LIBRARY, LIMIT_SECONDS, PYTHON, LoopTest, Program, ProgramFailed, die_with_the_test, text_of,
)

AGENT = pathlib.Path(__file__).with_name("agent.py")

# For what should return at once: a machine with other things to do is late, but a call
# that nobody wakes would wait for ever, or for LIMIT_SECONDS.
PROMPT_SECONDS = 10

# OSS 4 requests and constants the tests need.
SETFMT, CHANNELS, SPEED = 0xC0045005, 0xC0045006, 0xC0045002
GETFMTS, GETCAPS, GETBLKSIZE = 0x8004500B, 0x8004500F, 0xC0045004
GETOSPACE, GETISPACE, GETODELAY = 0x8010500C, 0x8010500D, 0x80045017
GETOPTR, GETIPTR, GETERROR = 0x800C5012, 0x800C5011, 0x80685019
SETFRAGMENT, SETTRIGGER, POLICY = 0xC004500A, 0x40045010, 0x4004502D
HALT, SYNC, POST = 0x5000, 0x5001, 0x5008
CURRENT_OPTR, CURRENT_IPTR = 0x80905024, 0x80905023
LOW_WATER, ENGINEINFO, AUDIOINFO, SYSINFO = 0x40045022, 0xC49C580C, 0xC49C5807, 0x84E05801
ENABLE_INPUT, ENABLE_OUTPUT = 1, 2
S16_LE, S32_LE = 0x10, 0x1000


class Failed(Exception):
    """A call of an agent failed; errno as the kernel or the library set it."""

    def __init__(self, number, call):
        super().__init__(f"{call}: {errno.errorcode.get(number, number)}")
        self.errno = number


class Pending:
    """A call that is under way in an agent."""

    def __init__(self, agent, call):
        self.agent, self.call = agent, call
        self.start = self.end = None  # when it began and returned, CLOCK_MONOTONIC

    def done(self, within):
        """Whether it returns within so many seconds."""
        return bool(select.select([self.agent.answers], [], [], within)[0])

    def wait_until_asleep(self):
        """Returns once the call has begun and sleeps, or has returned."""
        deadline = time.monotonic() + LIMIT_SECONDS
        while not self.done(0):
            before = self.agent.sleeps()
            time.sleep(0.01)
            if before is not None and self.agent.sleeps() == before:
                return
            if time.monotonic() > deadline:
                raise ProgramFailed(self.agent.program.explain(f"{self.call} neither slept nor returned"))

    def result(self, within=LIMIT_SECONDS):
        if not self.done(within):
            where = self.agent.program.where()
            self.agent.program.kill()
            raise ProgramFailed(
                self.agent.program.explain(f"{self.call} did not return within {within} s{where}")
            )
        try:
            kind, value, self.start, self.end = pickle.load(self.agent.answers)
        except (EOFError, pickle.UnpicklingError):
            status = self.agent.program.wait()
            raise ProgramFailed(
                self.agent.program.explain(f"ended with {status} in {self.call}")
            ) from None
        finally:
            self.agent.busy = None
        if kind == "errno":
            raise Failed(value, self.call)
        return value


class Agent:
    """A preloaded process; every call that agent.py can make is a method of this."""

    def __init__(self, loop, wrapper=(), env=None, pass_fds=(), **popen):
        environment = loop.environment(env)
        words = [PYTHON, "-B", "-E", "-s", environment.pop("AGENT", AGENT)]
        if wrapper:
            # The wrapper itself runs without the library.
            preload = environment.pop("LD_PRELOAD")
            words = [*wrapper, "env", f"LD_PRELOAD={preload}", *words]
        # It counts the calls that have begun; `coming` are those that have not.
        self.begun, self.coming = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK), 0
        words.append(self.begun)
        folder = pathlib.Path(loop.work / f"agent-{len(loop.programs)}")
        folder.mkdir()
        (folder / "stdout").touch()
        with open(folder / "stderr", "wb") as err:
            process = subprocess.Popen(
                [str(word) for word in words],
                env=environment,
                cwd=loop.work,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=err,
                start_new_session=True,
                preexec_fn=die_with_the_test,
                pass_fds=(self.begun, *pass_fds),
                **popen,
            )
        self.program = Program(words, process, folder)
        self.commands, self.answers = process.stdin, process.stdout
        self.busy = None
        loop.programs.append(self.program)

    @property
    def pid(self):
        return self.program.pid

    def later(self, name, *arguments):
        """Starts a call and does not wait for it."""
        if self.busy:
            raise RuntimeError(f"{self.busy.call} is still under way")
        self.busy = Pending(self, f"{name}{arguments!r:.100}")
        self.coming += 1
        try:
            pickle.dump((name, arguments), self.commands)
            self.commands.flush()
        except BrokenPipeError:
            pass  # result() tells how it ended
        return self.busy

    def __getattr__(self, name):
        def call(*arguments):
            return self.later(name, *arguments).result()

        return call

    def timed(self, name, *arguments):
        """The value of a call, and how long it took in the agent."""
        pending = self.later(name, *arguments)
        value = pending.result()
        return value, pending.end - pending.start

    def sleeps(self):
        """How often its first thread has gone to sleep, if it does now in the call
        that is under way."""
        try:
            self.coming -= os.eventfd_read(self.begun)
        except BlockingIOError:
            pass
        status = text_of(f"/proc/{self.pid}/task/{self.pid}/status")
        if self.coming > 0 or "\nState:\tS" not in status:
            return None
        return next(line for line in status.splitlines() if line.startswith("voluntary_ctxt_switches"))

    def kill(self):
        self.program.kill()

    def signal(self, number):
        os.kill(self.pid, number)

    def interrupt(self, pending, number):
        """Signals until the call returns. One signal may hit it just as it looks
        around between two sleeps, where no library can notice; programs that
        rely on EINTR use interval timers for that very reason."""
        deadline = time.monotonic() + LIMIT_SECONDS
        while time.monotonic() < deadline:
            self.signal(number)
            if pending.done(0.03):
                break


class DrivenTest(LoopTest):
    # An agent lives on after its close: the end of its stream would be told half a second later.
    def loop(self, instances=1, **conf):
        return super().loop(instances, **{"linger_ms": 0, **conf})

    def agent(self, loop, **options):
        agent = Agent(loop, **options)
        self.addCleanup(os.close, agent.begun)
        self.addCleanup(agent.answers.close)
        self.addCleanup(self._close_commands, agent)
        return agent

    @staticmethod
    def _close_commands(agent):
        try:
            agent.commands.close()
        except BrokenPipeError:
            pass

    def assert_errno(self, number, function, *arguments):
        """The call fails with this errno, or with one of these."""
        expected = number if isinstance(number, (tuple, set)) else (number,)
        with self.assertRaises(Failed) as caught:
            function(*arguments)
        names = [errno.errorcode[n] for n in expected]
        self.assertIn(caught.exception.errno, expected, f"{caught.exception}, expected {names}")

    def assert_waits(self, pending, seconds=0.3):
        """The call has gone to sleep and does so for so long."""
        pending.wait_until_asleep()
        self.assertFalse(pending.done(seconds), f"{pending.call} did not wait")

    def pair(self, loop, server_flags=os.O_RDONLY, client_flags=os.O_WRONLY, instance=0):
        """A server and a client agent, each with its side open as descriptor."""
        server, client = self.agent(loop), self.agent(loop)
        base = "/dev/oss/oss_audioloop0"
        server.fd = server.open(f"{base}/server{instance}", server_flags)
        client.fd = client.open(f"{base}/pcm{instance}", client_flags)
        return server, client


def fields(data, layout):
    return struct.unpack_from(layout, data)


# Other users and other worlds.

NOBODY = 65534
AS_NOBODY = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]


def open_to_all(loop):
    """Lets another user into the folders of a loop."""
    loop.folder.chmod(0o755)
    loop.work.chmod(0o777)
    loop.conf.chmod(0o644)


def library_for_all(test):
    """A copy of the library where every user can read it, as environment."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="ossloop-test-"))
    test.addCleanup(shutil.rmtree, folder)
    folder.chmod(0o755)
    shutil.copy(LIBRARY, folder)
    shutil.copytree(LIBRARY.parent / "ossloop", folder / "ossloop")
    for part in AGENT.parent.glob("agent*.py"):
        shutil.copy(part, folder)
    return {"LD_PRELOAD": str(folder / LIBRARY.name), "AGENT": str(folder / AGENT.name)}


def in_namespace(test, setup="true"):
    """Words that run a program in a user and mount namespace of its own, after
    `setup`; root does with a mount namespace where the system forbids the other."""
    for kinds in ("-Urm", "-m"):
        words = ["unshare", kinds, "sh", "-c"]
        tried = subprocess.run([*words, setup], capture_output=True, text=True, check=False)
        if tried.returncode == 0:
            return [*words, f'{setup} && exec "$@"', "sh"]
    return test.fail(f"no mount namespace to be had: {tried.stderr.strip()}")


__all__ = [name for name in dir() if not name.startswith("__")]
