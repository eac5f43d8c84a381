"""`ossloopctl record --tap`: it hears what others play, takes no side and delays nobody."""

import math
import os
import signal
import time
import unittest

import sound
from control import ControlTest
from driven import AS_NOBODY, PROMPT_SECONDS, S16_LE, library_for_all, open_to_all
from loop import CLIENT, CONTROL, SERVER

RATE = 48000


class TapTest(ControlTest):
    def tap(self, loop, name, *words):
        """One that has begun, or that waits."""
        program = loop.start(CONTROL, "record", "--tap", *words, name, preload=False)
        if "--wait" not in words:
            self.wait_until_it_hears(loop, program)
        return program

    def wait_until_it_hears(self, loop, program):
        """It keeps the rings from then on."""
        self.wait_until(lambda: loop.holds_device(program.pid) or not program.running())
        time.sleep(0.1)

    def heard(self, loop, tap, name):
        self.assertNotIn("lost", tap.succeed().output)
        return sound.read_wav(loop.file(name))

    def assert_hears_the_rest(self, played, heard, at_least):
        """From some frame on all that was played."""
        self.assertGreaterEqual(heard.frames, at_least)
        self.assert_identical(played.tail(played.frames - heard.frames), heard)


class Hearing(TapTest):
    def test_it_hears_a_player_from_the_next_frame_to_the_last(self):
        played = sound.noise(4 * RATE)
        loop = self.loop()
        recorder = loop.partner_records(SERVER)
        loop.wait_until_listening(recorder)
        player = loop.partner_plays(CLIENT, played)
        time.sleep(0.5)
        tap = self.tap(loop, "tap.wav")
        player.succeed()
        self.assert_identical(played, loop.recorded(recorder))
        self.assert_hears_the_rest(played, self.heard(loop, tap, "tap.wav"), RATE)

    def test_one_that_waits_hears_all(self):
        played = sound.noise(RATE)
        loop = self.loop()
        tap = self.tap(loop, "tap.wav", "--wait", "30")
        recorder = loop.partner_records(SERVER)
        loop.wait_until_listening(recorder)
        self.wait_until_it_hears(loop, tap)
        loop.partner_plays(CLIENT, played).succeed()
        loop.recorded(recorder)
        self.assert_identical(played, self.heard(loop, tap, "tap.wav"))

    def test_it_hears_a_server_that_plays(self):
        played = sound.noise(2 * RATE)
        loop = self.loop()
        player = loop.partner_plays(SERVER, played)
        loop.wait_until_listening(player)
        tap = self.tap(loop, "tap.wav")
        recorder = loop.partner_records(CLIENT)
        player.succeed()
        self.assert_identical(played, loop.recorded(recorder))
        self.assert_identical(played, self.heard(loop, tap, "tap.wav"))

    def test_it_hears_a_stream_once_somebody_records_it(self):
        played = sound.noise(RATE)
        loop = self.loop()
        server, client = self.pair(loop)
        tap = self.tap(loop, "tap.wav")
        client.write_all(client.fd, played.head(4000).bytes())
        time.sleep(0.3)  # nobody records: it lies there
        reading = server.later("read_to_end", server.fd)
        client.write_all(client.fd, played.tail(4000).bytes())
        client.close(client.fd)
        self.assertEqual(played.bytes(), reading.result()[0])
        self.assert_identical(played, self.heard(loop, tap, "tap.wav"))

    def test_it_hears_players_together_in_a_format_of_its_own(self):
        loop = self.loop(clients=2)
        recorder = loop.partner_records(SERVER, 44100)
        loop.wait_until_listening(recorder)
        tap = self.tap(loop, "tap.wav", "-r", 44100)
        players = [loop.partner_plays(CLIENT, sound.tone(2, rate, hz=(hz, hz)))
                   for rate, hz in ((44100, 440), (32000, 700))]
        for player in players:
            player.succeed()
        got = loop.recorded(recorder, 44100)
        heard = self.heard(loop, tap, "tap.wav")
        # The two are joined where their first frames were seen: by so much they may lie apart.
        self.assertLess(abs(got.frames - heard.frames), 4410)
        for hz in (440, 700):
            self.assertAlmostEqual(power_at(got, hz), power_at(heard, hz), delta=power_at(got, hz) / 50)


def power_at(played, hz):
    """Of a frequency in the middle of a sound of 44100 Hz, by Goertzel's way."""
    samples = played.channel(0).samples[22050:66150]
    turn = 2 * math.cos(2 * math.pi * hz / 44100)
    one = two = 0.0
    for sample in samples:
        one, two = sample + turn * one - two, one
    return one * one + two * two - turn * one * two


class Delaying(TapTest):
    def test_one_that_is_stopped_delays_nobody_and_says_what_it_lost(self):
        played = sound.noise(6 * RATE)
        loop = self.loop()
        recorder = loop.partner_records(SERVER)
        loop.wait_until_listening(recorder)
        player = loop.partner_plays(CLIENT, played)
        time.sleep(0.3)
        tap = self.tap(loop, "tap.wav")
        tap.send(signal.SIGSTOP)
        time.sleep(3)
        tap.send(signal.SIGCONT)
        player.succeed()
        self.assert_identical(played, loop.recorded(recorder))
        self.assertIn("frames were lost", tap.succeed().output)
        # Its last second is whole again.
        heard = sound.read_wav(loop.file("tap.wav"))
        self.assert_identical(played.tail(played.frames - RATE), heard.tail(heard.frames - RATE))

    def test_a_killed_one_leaves_nothing_behind(self):
        loop = self.loop(clock="free")
        server, client = self.pair(loop)
        tap = self.tap(loop, "tap.wav")
        client.write_all(client.fd, bytes(40000))
        tap.kill()
        client.close(client.fd)
        server.read_to_end(server.fd)
        server.close(server.fd)
        self.assertLess((loop.runtime / "loop0").stat().st_blocks * 512, 65536)

    def test_memory_is_given_back_when_the_last_listener_ends(self):
        loop = self.loop(clock="free")
        server, client = self.pair(loop)
        tap = self.tap(loop, "tap.wav")
        client.write_all(client.fd, bytes(40000))
        client.close(client.fd)
        server.read_to_end(server.fd)
        server.close(server.fd)
        tap.succeed()
        self.assertLess((loop.runtime / "loop0").stat().st_blocks * 512, 65536)

    def test_it_takes_no_side(self):
        loop = self.loop(clock="free")
        tap = self.tap(loop, "tap.wav", "--wait", "30")
        server, client = self.pair(loop)
        self.wait_until_it_hears(loop, tap)
        self.assertEqual((server.pid, client.pid), tuple(self.status(loop, 0)[side]["pid"] for side in ("server", "client")))
        client.close(client.fd)
        server.close(server.fd)
        tap.succeed()


    def test_one_with_few_descriptors_takes_nobody_for_dead(self):
        loop = self.loop(clock="free")
        server, client = self.pair(loop)
        limited = ["prlimit", "--nofile=6", CONTROL, "record", "--tap", "tap.wav"]
        tap = loop.start(*limited, preload=False)
        time.sleep(0.5)
        client.write_all(client.fd, bytes(4000))
        self.assertEqual(bytes(4000), server.read_bytes(server.fd, 4000))
        tap.kill()

    def test_one_that_is_overtaken_again_and_again_goes_on(self):
        loop = self.loop(clock="free")
        server, client = self.pair(loop)
        tap = self.tap(loop, "tap.wav", "-e", "float", "-c", 8)
        reading = server.later("move_to_end", server.fd, "read")
        for _ in range(20):
            client.write_all(client.fd, bytes(400_000))
            tap.send(signal.SIGSTOP)
            client.write_all(client.fd, bytes(4_000_000))
            tap.send(signal.SIGCONT)
        self.assertTrue(tap.running(), tap.output)
        client.close(client.fd)
        reading.result()
        tap.succeed()

    def test_it_ends_when_nobody_uses_the_instance(self):
        for eof in ("silence", "wait"):
            with self.subTest(eof=eof):
                loop = self.loop(eof=eof)
                server, client = self.pair(loop)
                tap = self.tap(loop, f"{eof}.wav")
                client.write_all(client.fd, bytes(4000))
                server.read_bytes(server.fd, 4000)
                time.sleep(0.3)  # it has heard all before the end comes
                client.close(client.fd)
                server.close(server.fd)
                tap.succeed(PROMPT_SECONDS)

    def test_it_ends_where_nobody_hears_what_was_played(self):
        loop = self.loop()
        server, client = self.pair(loop)
        client.write_all(client.fd, bytes(4000))
        tap = self.tap(loop, "tap.wav")
        for agent in server, client:
            agent.kill()
        tap.succeed(PROMPT_SECONDS)

    def test_a_change_of_format_costs_one_that_keeps_pace_nothing(self):
        loop = self.loop(underrun="stall")
        recorder = loop.partner_records(SERVER)
        loop.wait_until_listening(recorder)
        client = self.agent(loop)
        fd = client.open(CLIENT, os.O_WRONLY)
        client.write_all(fd, bytes(4 * 24000))
        tap = self.tap(loop, "tap.wav")
        for n in range(8):
            client.set_format(fd, S16_LE, 1 + n % 2, RATE)
            client.write_all(fd, bytes((2 + n % 2 * 2) * 6000))
        client.close(fd)
        self.assertNotIn("lost", tap.succeed().output)


class Refusals(TapTest):
    def test_a_folder_that_may_not_be_entered_is_told(self):
        loop = self.loop()
        self.pair(loop)
        open_to_all(loop)
        tap = loop.start(*AS_NOBODY, CONTROL, "record", "--tap", "/tmp/none.wav", preload=False,
                         env=library_for_all(self))
        self.assertEqual(1, tap.wait())
        self.assertRegex(tap.errors, "belongs to another user")

    def test_nobody_to_hear_is_told_in_one_line(self):
        loop = self.loop()
        for words, expected in (((), "nobody uses instance 0"), (("-i", 3), "there is no instance 3"),
                                (("-i", 16), "0 to 15")):
            with self.subTest(words):
                tap = loop.start(CONTROL, "record", "--tap", *words, "tap.wav", preload=False)
                self.assertIn(tap.wait(), (1, 2))
                self.assertIn(expected, tap.errors)
                self.assertEqual(1, len(tap.errors.splitlines()))
                self.assertFalse(loop.file("tap.wav").exists())


class Levels(ControlTest):
    def test_levels_are_told_of_each_channel(self):
        loop = self.loop()
        server, client = self.pair(loop)
        stereo = sound.Sound(RATE, 2, sound.array.array("h", [16384, -3277] * 2 * RATE))
        reading = server.later("read_bytes", server.fd, 4 * RATE)
        client.write_all(client.fd, stereo.head(RATE).bytes())
        reading.result()
        left, right = self.status(loop, 0)["stream"]["levels"]
        for level, expected in ((left, -6.02), (right, -20.0)):
            self.assertAlmostEqual(expected, level["peak_dbfs"], delta=0.02)
            self.assertAlmostEqual(expected, level["rms_dbfs"], delta=0.02)
        self.assertIn("peak -6.0 -20.0 dBFS, RMS -6.0 -20.0 dBFS",
                      loop.start(CONTROL, "status", 0, preload=False).succeed().output)
        monitor = loop.start(CONTROL, "monitor", "-n", 1, preload=False).succeed().output.splitlines()
        self.assertEqual(["PEAK_DB", "RMS_DB"], monitor[0].split()[-2:])
        self.assertEqual(["-6.0", "-6.0"], monitor[1].split()[-2:])

    def test_silence_has_no_level(self):
        loop = self.loop()
        server, client = self.pair(loop)
        self.assertEqual([], self.status(loop, 0)["stream"]["levels"])
        reading = server.later("read_bytes", server.fd, 4000)
        client.write_all(client.fd, bytes(40000))
        reading.result()
        self.assertEqual([{"peak_dbfs": None, "rms_dbfs": None}] * 2, self.status(loop, 0)["stream"]["levels"])


class Headset(ControlTest):
    def test_both_directions_are_told(self):
        loop = self.loop(duplex="on")
        plays, records = self.agent(loop), self.agent(loop)
        plays.fd = plays.open(SERVER, os.O_WRONLY)
        records.fd = records.open(SERVER, os.O_RDONLY)
        both = self.agent(loop)
        fd = both.open(CLIENT, os.O_RDWR)
        both.set_format(fd, S16_LE, 1, 8000)
        told = self.status(loop, 0)
        other = told["other"]
        self.assertEqual(("client-to-server", "server-to-client"),
                         (told["stream"]["direction"], other["stream"]["direction"]))
        self.assertEqual((plays.pid, "write"), (other["server"]["pid"], other["server"]["direction"]))
        for direction in told, other:
            client, = direction["clients"]
            self.assertEqual((both.pid, "both", 8000), (client["pid"], client["direction"], client["rate_hz"]))
        text = loop.start(CONTROL, "status", 0, preload=False).succeed().output
        self.assertEqual(2, text.count(f"(PID {both.pid})"))
        for agent in plays, records:
            self.assertIn(f"(PID {agent.pid})", text)


if __name__ == "__main__":
    unittest.main()
