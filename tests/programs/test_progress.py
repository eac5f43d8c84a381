"""The line that ossloopctl record and play show on a terminal."""

import fcntl
import os
import pty
import signal
import struct
import subprocess
import termios
import threading
import time

import sound
from control import ControlTest
from loop import CONTROL, LIMIT_SECONDS, die_with_the_test

TIME = r"\d+:\d\d\.\d"
LEVEL = r" +(-inf|-?\d+\.\d) dBFS"


class Terminal:
    """One that a program has as its standard error."""

    def __init__(self, columns):
        self.master, self.slave = pty.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        self.shown = b""

    def start(self, loop, *words):
        self.process = subprocess.Popen(
            [CONTROL, *words], env=loop.environment(preload=False), cwd=loop.work, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=self.slave, text=True, start_new_session=True,
            preexec_fn=die_with_the_test)
        os.close(self.slave)
        return self

    def watch(self):
        self.reader = threading.Thread(target=self.read)
        self.reader.start()
        return self

    def read(self):
        try:
            while data := os.read(self.master, 4096):
                self.shown += data
        except OSError:
            pass  # its last user has gone

    def finish(self):
        """The exit status."""
        try:
            self.output = self.process.communicate(timeout=LIMIT_SECONDS)[0]
        finally:
            self.process.kill()
        if hasattr(self, "reader"):
            self.reader.join()
        os.close(self.master)
        return self.process.returncode

    def lines(self):
        """What stood there, one after another."""
        return [line.rstrip() for line in self.shown.decode().split("\r") if line.strip()]


class ProgressTest(ControlTest):
    def song(self, loop, seconds=1.0):
        samples = sound.array.array("h", [16384, -3277] * round(48000 * seconds))
        return sound.write_wav(loop.file("song.wav"), sound.Sound(48000, 2, samples))

    def listening(self, loop, *words):
        return loop.wait_until_listening(loop.start(CONTROL, "record", *words, "out.wav", preload=False))

    def playing(self, columns, *words):
        """A terminal on which a player has done its work."""
        loop = self.loop(underrun="stall")
        self.song(loop)
        recorder = self.listening(loop)
        terminal = Terminal(columns).start(loop, "play", *words, "song.wav").watch()
        self.assertEqual(0, terminal.finish())
        recorder.succeed()
        return terminal

    def assert_erased(self, terminal):
        self.assertRegex(terminal.shown.decode(), r"\r +\r\Z")
        self.assertNotIn("\n", terminal.shown.decode())


class Lines(ProgressTest):
    def test_a_player_tells_time_length_level_and_xruns(self):
        terminal = self.playing(80)
        for line in terminal.lines():
            self.assertRegex(line, rf"\A{TIME} of 0:01\.0 {LEVEL}  \d+ xruns?\Z")
        self.assertTrue(any("  -6.0 dBFS" in line for line in terminal.lines()), terminal.shown)
        self.assert_erased(terminal)
        self.assertIn("48000 frames", terminal.output)

    def test_a_narrow_terminal_gets_what_fits(self):
        terminal = self.playing(20)
        self.assertTrue(terminal.lines())
        for line in terminal.shown.decode().split("\r"):
            self.assertLess(len(line), 20)
        for line in terminal.lines():
            self.assertRegex(line, rf"\A{TIME} {LEVEL}\Z")
        self.assert_erased(terminal)

    def test_a_recorder_tells_them_too(self):
        loop = self.loop(underrun="stall")
        self.song(loop)
        terminal = Terminal(80).start(loop, "record", "out.wav").watch()
        self.wait_until(lambda: terminal.lines())
        loop.start(CONTROL, "play", "--wait", "30", "song.wav", preload=False).succeed()
        self.assertEqual(0, terminal.finish())
        for line in terminal.lines():
            self.assertRegex(line, rf"\A{TIME} {LEVEL}  \d+ xruns?\Z")
        self.assertTrue(any("  -6.0 dBFS" in line for line in terminal.lines()), terminal.shown)
        self.assert_erased(terminal)
        self.assertEqual(48000, sound.read_wav(loop.file("out.wav")).frames)

    def test_it_is_drawn_at_most_ten_times_a_second(self):
        start = time.monotonic()
        terminal = self.playing(80)
        self.assertLessEqual(len(terminal.lines()), (time.monotonic() - start) * 10 + 1)

    def test_a_failure_is_told_on_a_line_of_its_own(self):
        loop = self.loop(underrun="stall")
        self.song(loop, 5)
        recorder = self.listening(loop, "-d", "0.5")
        terminal = Terminal(80).start(loop, "play", "song.wav").watch()
        self.assertEqual(1, terminal.finish())
        recorder.succeed()
        self.assertRegex(terminal.shown.decode(), r"\r +\rossloopctl: pcm0: [ -~]*\r\n\Z")

    def test_a_player_that_is_interrupted_takes_its_line_away(self):
        loop = self.loop(underrun="stall")
        self.song(loop, 20)
        self.listening(loop)
        terminal = Terminal(80).start(loop, "play", "song.wav").watch()
        self.wait_until(lambda: len(terminal.lines()) > 3)
        terminal.process.send_signal(signal.SIGINT)
        self.assertEqual(-signal.SIGINT, terminal.finish())
        self.assert_erased(terminal)

    def test_a_terminal_that_is_stopped_delays_nobody(self):
        loop = self.loop(underrun="stall")
        self.song(loop, 2)
        recorder = self.listening(loop)
        terminal = Terminal(80)
        termios.tcflow(terminal.slave, termios.TCOOFF)
        terminal.start(loop, "play", "song.wav")
        self.assertEqual(0, terminal.finish())
        recorder.succeed()
        self.assertEqual(96000, sound.read_wav(loop.file("out.wav")).frames)


class Nothing(ProgressTest):
    def test_is_drawn_where_there_is_no_terminal(self):
        loop = self.loop(clock="free")
        self.song(loop)
        recorder = self.listening(loop)
        player = loop.start(CONTROL, "play", "song.wav", preload=False).succeed()
        self.assertEqual(("", ""), (player.errors, recorder.succeed().errors))

    def test_is_told_by_those_that_are_quiet(self):
        terminal = self.playing(80, "--quiet")
        self.assertEqual((b"", ""), (terminal.shown, terminal.output))
        loop = self.loop(clock="free")
        self.song(loop)
        recorder = self.listening(loop, "-q")
        loop.start(CONTROL, "play", "song.wav", preload=False).succeed()
        self.assertEqual(("", ""), (recorder.succeed().output, recorder.errors))
