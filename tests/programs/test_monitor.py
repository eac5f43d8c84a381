"""`ossloopctl monitor` on a terminal: rows, meters, keys, any size, and a terminal as it was."""

import math
import re
import signal
import termios
import time
import unittest

import sound
from control import ControlTest
from loop import CLIENT, SERVER
from terminal import ScreenTerminal

RATE = 48000
BLOCKS = "\u258f\u258e\u258d\u258c\u258b\u258a\u2589\u2588"
HOLD = "\u2502"


def sine(seconds, dbfs, hz=1000, channels=2):
    most = 32768 * 10 ** (dbfs / 20)
    one = [round(most * math.sin(2 * math.pi * hz * i / RATE)) for i in range(RATE // 10)]
    samples = [sample for sample in one for _ in range(channels)]
    return sound.Sound(RATE, channels, sound.array.array("h", samples * round(seconds * 10)))


class MonitorTest(ControlTest):
    def monitor(self, loop, *words, lines=24, columns=80, **options):
        terminal = ScreenTerminal(lines, columns)
        self.addCleanup(terminal.close)
        return terminal.start(loop, "monitor", *words, **options)

    def shown(self, loop, *words, **options):
        """One on which something stands."""
        terminal = self.monitor(loop, *words, **options)
        terminal.wait_for(lambda lines: "ossloop: " in lines[0])
        return terminal

    def playing(self, loop, *sounds):
        """A recorder, and players that go on for as long as a test takes."""
        recorder = loop.partner_records(SERVER)
        loop.wait_until_listening(recorder)
        players = [loop.partner_plays(CLIENT, played) for played in sounds]
        self.wait_until(lambda: len(self.status(loop)["clients"]) == len(sounds))
        return recorder, players

    def assert_as_before(self, terminal):
        self.assertEqual(terminal.before, termios.tcgetattr(terminal.slave))


class Rows(MonitorTest):
    def test_a_row_for_each_side_tells_who_what_and_how_loud(self):
        loop = self.loop(2)
        recorder, (player,) = self.playing(loop, sine(60, -6))
        terminal = self.shown(loop)
        for device, program in ("server0", recorder), ("pcm0", player):
            terminal.wait_for(lambda lines: " -6.0 " in terminal.row(device))
            row = terminal.row(device)
            self.assertIn(f" {program.pid} ", row)
            self.assertIn(" S16 2x48000 ", row)
        self.assertTrue(terminal.row("server1"), terminal.lines())
        self.assertRegex(terminal.lines()[0], "ossloop: 2 instances, 1 running")

    def test_a_meter_is_as_long_as_the_level_of_sixty_decibels(self):
        loop = self.loop()
        self.playing(loop, sine(60, -15))
        for env, full in ({}, "[^ ]"), ({"LC_ALL": "C"}, "#"):
            with self.subTest(env):
                terminal = self.shown(loop, lines=24, columns=160, env=env)
                terminal.wait_for_text(" -15.0 dBFS, RMS -18.0, held -15.0, highest -15.0")
                line = next(line for line in terminal.lines() if " -15.0 dBFS, RMS" in line)
                meter = line[5 : line.index(" -15.0 dBFS")]
                # Three quarters, where the mark of the held peak stands.
                mark = meter.index(HOLD if not env else "|")
                self.assertAlmostEqual(0.75, mark / (160 - 56), delta=0.02)
                self.assertRegex(meter[: mark - 1], rf"\A{full}+\Z")

    def test_two_players_have_a_row_each_with_their_own_level(self):
        loop = self.loop(clients=2)
        self.playing(loop, sine(60, -6), sine(60, -20, channels=1))
        terminal = self.shown(loop)
        terminal.wait_for(lambda lines: {terminal.row(f"pcm0.{slot}").split()[-5] for slot in (0, 1)
                                         if len(terminal.row(f"pcm0.{slot}").split()) > 6} == {"-6.0", "-20.0"})
        self.assertEqual({"S16 2x48000", "S16 1x48000"},
                         {re.search(r"S16 \dx48000", terminal.row(f"pcm0.{slot}"))[0] for slot in (0, 1)})
        self.assertTrue(terminal.row("server0"))

    def test_one_instance_alone_if_it_is_named(self):
        terminal = self.shown(self.loop(3), 1)
        terminal.wait_for(lambda lines: terminal.row("server1"))
        self.assertEqual(("", ""), (terminal.row("server0"), terminal.row("server2")))

    def test_the_pace_of_a_clock_is_measured(self):
        loop = self.loop(ppm=5000)
        self.playing(loop, sine(60, -6))
        terminal = self.shown(loop, "-t", "0.1")

        def near(lines):
            pace = terminal.row("pcm0").split()[-1:] or [""]
            return re.fullmatch(r"\+[0-9]+", pace[0]) and abs(int(pace[0]) - 5000) < 500

        terminal.wait_for(near)

    def test_watching_changes_not_one_sample(self):
        loop = self.loop()
        played = sound.noise(2 * RATE)
        recorder = loop.partner_records(SERVER)
        loop.wait_until_listening(recorder)
        terminal = self.shown(loop, "-t", "0.01")
        loop.partner_plays(CLIENT, played).succeed()
        self.assert_identical(played, loop.recorded(recorder))
        terminal.press("q")
        self.assertEqual(0, terminal.finish())


class Sizes(MonitorTest):
    def test_it_fits_when_the_window_changes(self):
        loop = self.loop(2)
        self.playing(loop, sine(60, -6))
        terminal = self.shown(loop)
        terminal.wait_for_text("policy ")
        terminal.set_size(10, 40)
        terminal.wait_for(lambda lines: lines[-1].startswith(" q quit") and "policy" not in "".join(lines[:9]))
        terminal.wait_for(lambda lines: " -6.0" in terminal.row("pcm0") and terminal.row("server1"))
        for lines, columns in ((1, 1), (2, 7), (3, 200), (50, 20), (24, 80)):
            terminal.set_size(lines, columns)
            time.sleep(0.3)
        terminal.wait_for_text("policy ")
        terminal.press("q")
        self.assertEqual(0, terminal.finish())

    def test_a_small_one_shows_the_selected_row(self):
        terminal = self.shown(self.loop(16), lines=10, columns=40)
        for last in range(1, 16):
            terminal.press("j")
            terminal.wait_for(lambda lines: any(line.startswith(f">server{last} ") for line in lines))
        self.assertLessEqual(max(map(len, terminal.lines())), 40)
        terminal.press("g")
        terminal.wait_for(lambda lines: any(line.startswith(">server0 ") for line in lines))


class Terminals(MonitorTest):
    def test_ascii_where_the_locale_has_no_more(self):
        loop = self.loop()
        self.playing(loop, sine(60, -6))
        terminal = self.shown(loop, term="vt100", env={"LC_ALL": "C"})
        terminal.wait_for(lambda lines: "###" in terminal.row("pcm0"))
        self.assertTrue(terminal.shown.isascii())
        self.assertNotRegex(terminal.shown, rb"\x1b\[[0-9;]*3[0-7]")

    def test_blocks_where_it_has(self):
        loop = self.loop()
        self.playing(loop, sine(60, -6))
        terminal = self.shown(loop)
        terminal.wait_for(lambda lines: BLOCKS[-1] * 3 in terminal.row("pcm0"))
        self.assertRegex(terminal.shown, rb"\x1b\[[0-9;]*3[0-7]")

    def test_no_colours_where_they_are_not_wanted(self):
        loop = self.loop()
        self.playing(loop, sine(60, -6))
        terminal = self.shown(loop, env={"NO_COLOR": "1"})
        terminal.wait_for(lambda lines: BLOCKS[-1] in terminal.row("pcm0"))
        self.assertNotRegex(terminal.shown, rb"\x1b\[[0-9;]*[34][0-7]m")

    def test_lines_where_there_is_no_screen(self):
        loop = self.loop()
        for term in None, "dumb", "no-such-terminal":
            with self.subTest(term):
                terminal = self.monitor(loop, "-t", "0.05", term=term)
                terminal.wait_for(lambda lines: lines[0].startswith("TIME ") and len(lines[2]) > 20)
                terminal.press("\x03")
                self.assertEqual(-signal.SIGINT, terminal.finish())
                self.assert_as_before(terminal)

    def test_lines_where_they_are_asked_for(self):
        loop = self.loop()
        for words in (["--lines", "-t", "0.05"], ["-n", "20", "-t", "0.05"]):
            terminal = self.monitor(loop, *words)
            terminal.wait_for(lambda lines: lines[0].startswith("TIME ") and len(lines[2]) > 20)

    def test_one_that_is_gone_ends_it_with_status_1(self):
        loop = self.loop()
        for wrapper in (), ("env", "--ignore-signal=HUP"):
            with self.subTest(wrapper):
                terminal = self.shown(loop, "-t", "0.05", wrapper=wrapper)
                terminal.hang_up()
                self.assertEqual(1, terminal.finish())
                self.assertRegex(terminal.errors, r"\Aossloopctl: the terminal is gone\n\Z")


class Keys(MonitorTest):
    def test_q_escape_and_the_interrupt_leave_the_terminal_as_it_was(self):
        loop = self.loop()
        for key in "q", "\x1b", "\x03":
            with self.subTest(key):
                terminal = self.shown(loop)
                self.assertNotEqual(terminal.before, termios.tcgetattr(terminal.slave))
                terminal.press(key)
                self.assertEqual((0, ""), (terminal.finish(), terminal.errors))
                self.assert_as_before(terminal)
                self.wait_until(lambda: b"\x1b[?1049l" in terminal.shown)

    def test_a_key_that_it_does_not_know_does_nothing(self):
        terminal = self.shown(self.loop(2))
        for keys in "\x1b[B", "\x1b[15~", "\x1bx", "\x1b[1;5C", "\u00e4", "\x01":
            terminal.press(keys)
            time.sleep(0.2)
        # The first of them is an arrow of other terminals.
        terminal.wait_for(lambda lines: any(line.startswith(">server1") for line in lines))

    def test_a_signal_that_ends_it_does_too(self):
        terminal = self.shown(self.loop())
        terminal.process.send_signal(signal.SIGTERM)
        self.assertEqual(-signal.SIGTERM, terminal.finish())
        self.assert_as_before(terminal)

    def test_mute_is_heard(self):
        loop = self.loop()
        recorder, (player,) = self.playing(loop, sine(4, -6))
        terminal = self.shown(loop)
        terminal.press("m")
        terminal.wait_for_text("instance 0 is muted")
        self.assertTrue(self.status(loop)["mixer"]["muted"])
        player.succeed()
        heard = loop.recorded(recorder)
        self.assertFalse(any(heard.tail(heard.frames - RATE // 10).samples))
        terminal.press("m")
        terminal.wait_for_text("is heard again")
        self.assertFalse(self.status(loop)["mixer"]["muted"])

    def test_levels_are_those_of_the_mixer_or_of_the_client(self):
        loop = self.loop()
        self.playing(loop, sine(60, -6))
        terminal = self.shown(loop)
        terminal.press("-")
        terminal.wait_for_text("instance 0: vol 98:98")
        terminal.press("\x1bOB--+")
        terminal.wait_for_text("instance 0: pcm 98:98")
        mixer = self.status(loop)["mixer"]
        self.assertEqual(([98, 98], [98, 98]), (mixer["vol"], mixer["pcm"]))
        terminal.press("+++")
        terminal.wait_for_text("instance 0: pcm 100:100")

    def test_locked_levels_are_told(self):
        loop = self.loop(volume="lock")
        self.playing(loop, sine(60, -6))
        terminal = self.shown(loop)
        for key in "m", "-":
            terminal.press(key)
            terminal.wait_for_text("volume=lock")
        mixer = self.status(loop)["mixer"]
        self.assertEqual((False, [100, 100]), (mixer["muted"], mixer["vol"]))

    def test_a_policy_is_completed_checked_and_set(self):
        loop = self.loop(2, eof="eof")
        terminal = self.shown(loop)
        terminal.press("jpund\t")
        terminal.wait_for_text("policy of instance 1: underrun=")
        terminal.press("\t")
        terminal.wait_for_text("silence stall")
        terminal.press("t\t\r")
        terminal.wait_for_text("instance 1: underrun=stall")
        self.assertEqual(("silence", "stall"), tuple(self.status(loop, n)["policy"]["underrun"] for n in (0, 1)))

    def test_a_bad_policy_is_one_line_and_changes_nothing(self):
        loop = self.loop(eof="eof")
        terminal = self.shown(loop, columns=120)
        for word, told in (("eof=never", "expected reset, eof, silence or wait"), ("nix=1", "nix"), ("eof", "no '='")):
            terminal.press("p" + word + "\r")
            terminal.wait_for(lambda lines: told in lines[-1])
        terminal.press("peof=wait\x1b")
        terminal.wait_for(lambda lines: lines[-1].startswith(" q quit"))
        self.assertEqual("eof", self.status(loop)["policy"]["eof"])

    def test_help_names_every_key(self):
        terminal = self.shown(self.loop())
        terminal.press("?")
        for label in "q, Esc", "Up, k", "Down, j", "m ", "+ ", "- ", "p ", "r ", "?, h":
            terminal.wait_for(lambda lines: any(line.startswith(" " + label) for line in lines))
        terminal.press("h")
        terminal.wait_for(lambda lines: terminal.row("server0"))


if __name__ == "__main__":
    unittest.main()
