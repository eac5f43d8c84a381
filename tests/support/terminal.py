"""A terminal on which a program fills the screen, and what stands on it."""

import fcntl
import os
import pty
import struct
import subprocess
import termios
import threading
import time

import pyte

from loop import CONTROL, LIMIT_SECONDS, die_with_the_test


class ScreenTerminal:
    """pyte repeats no character by count, as xterm does: the program is told of a screen."""

    def __init__(self, lines=24, columns=80):
        self.master, self.slave = pty.openpty()
        self.screen = pyte.Screen(columns, lines)
        self.stream = pyte.ByteStream(self.screen)
        self.lock = threading.Lock()
        self.shown = b""
        self.set_size(lines, columns)
        self.before = termios.tcgetattr(self.slave)

    def set_size(self, lines, columns):
        """As if the window had been drawn to that."""
        with self.lock:
            self.screen.resize(lines, columns)
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def start(self, loop, *words, term="screen-256color", env=None, wrapper=()):
        environment = loop.environment({"LC_ALL": "C.UTF-8", **({"TERM": term} if term else {}), **(env or {})},
                                       preload=False)

        def take_terminal():
            die_with_the_test()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        self.process = subprocess.Popen(
            [*wrapper, CONTROL, *map(str, words)], env=environment, cwd=loop.work, stdin=self.slave, stdout=self.slave,
            stderr=subprocess.PIPE, start_new_session=True, preexec_fn=take_terminal)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        return self

    def read(self):
        try:
            while data := os.read(self.master, 4096):
                with self.lock:
                    self.shown += data
                    self.stream.feed(data)
        except OSError:
            pass  # it is gone

    def lines(self):
        with self.lock:
            return [line.rstrip() for line in self.screen.display]

    def row(self, device):
        """What stands in the row of a device, or nothing."""
        return next((line for line in self.lines() if line[1:].split(" ")[0] == device), "")

    def press(self, keys):
        os.write(self.master, keys.encode())

    def wait_for(self, condition):
        """`condition` of the lines."""
        deadline = time.monotonic() + LIMIT_SECONDS
        while not condition(self.lines()):
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise AssertionError("not seen: ended %s\n%s" % (self.process.poll(), "\n".join(self.lines())))
            time.sleep(0.02)

    def wait_for_text(self, text):
        self.wait_for(lambda lines: any(text in line for line in lines))

    def finish(self):
        """The exit status."""
        try:
            self.errors = self.process.communicate(timeout=LIMIT_SECONDS)[1].decode()
        finally:
            self.process.kill()
        return self.process.returncode

    def hang_up(self):
        """The window is closed."""
        os.close(self.slave)
        master, self.master = self.master, os.open(os.devnull, os.O_RDWR)
        # Whoever reads from it keeps it until there is something to be read.
        os.close(master)

    def close(self):
        if hasattr(self, "process"):
            self.process.kill()
            self.process.wait()
            self.process.stderr.close()
        for fd in self.master, self.slave:
            try:
                os.close(fd)
            except OSError:
                pass
