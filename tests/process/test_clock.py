"""The clock of a loop, as programs that stop, stall and hurry see it."""

import errno
import hashlib
import json
import os
import signal
import subprocess
import time
import unittest

from driven import *
import sound
from loop import CLIENT, CONTROL, SERVER, limit

FRAME = 4
RATE = 48000


class Clock(DrivenTest):
    def status(self, loop):
        words = [CONTROL, "status", "0", "--json"]
        environment = loop.environment(preload=False)
        shown = subprocess.run(words, env=environment, capture_output=True, check=True, timeout=60)
        return json.loads(shown.stdout)

    def test_a_stopped_recorder_holds_the_clock_and_no_burst_follows(self):
        loop = self.loop()
        server, client = self.pair(loop)
        played = sound.count(4 * RATE).bytes()
        reading = server.later("read_bytes", server.fd, RATE // 2 * FRAME)
        writing = client.later("write_all", client.fd, played, len(played))
        first = reading.result()
        server.signal(signal.SIGSTOP)
        time.sleep(2)
        server.signal(signal.SIGCONT)
        resumed = time.monotonic()
        # Two buffers may be full; what is beyond them comes at its pace.
        rest = server.read_bytes(server.fd, 2 * RATE * FRAME)
        self.assertGreater(time.monotonic() - resumed, 2 - 2 * 0.45, "a burst")
        self.assertEqual(played[: len(first) + len(rest)], first + rest)
        clock = self.status(loop)["clock"]
        self.assertTrue(clock["running"])
        self.assertLessEqual(abs(clock["error_frames"]), 1)
        self.assertGreater(clock["held_ms"], 1000)
        self.assertEqual(0, clock["stalled_ms"])
        ending = server.later("read_to_end", server.fd)
        writing.result()
        client.close(client.fd)
        data, _, ended = ending.result()
        self.assertEqual((played, errno.ECONNRESET), (first + rest + data, ended))

    def test_a_stopped_player_costs_silence_and_no_sound(self):
        loop = self.loop()
        server, client = self.pair(loop)
        played = sound.count(2 * RATE).bytes()
        recording = server.later("read_to_end", server.fd)
        writing = client.later("write_all", client.fd, played)
        time.sleep(0.5)
        client.signal(signal.SIGSTOP)
        time.sleep(1.5)
        client.signal(signal.SIGCONT)
        writing.result()
        client.close(client.fd)
        data, _, ended = recording.result()
        self.assertEqual(errno.ECONNRESET, ended)
        heard = [number for number in sound.numbers(data) if number >= 0]
        self.assertEqual(sound.numbers(played), heard)
        silence = len(data) // FRAME - len(heard)
        self.assertGreater(silence, RATE // 2)

    def assert_pace(self, rate_hz, first, last):
        """Between two looks at a position so many frames a second have passed."""
        moved = last[1] - first[1]
        self.assertLessEqual((moved - 1) / (last[2] - first[0]), rate_hz)
        self.assertGreaterEqual((moved + 1) / (last[0] - first[2]), rate_hz)

    def test_a_ppm_set_while_a_stream_runs_changes_its_pace_and_no_frame(self):
        loop = self.loop()
        server, client = self.pair(loop)
        played = sound.count(2 * RATE).bytes()
        writing = client.later("write_all", client.fd, played, len(played))
        heard = server.read_bytes(server.fd, RATE // 5 * FRAME)
        for ppm in (-200000, 200000):
            words = [CONTROL, "set", "0", f"ppm={ppm}"]
            subprocess.run(words, env=loop.environment(preload=False), check=True, timeout=60)
            first = server.position(server.fd, CURRENT_IPTR)
            heard += server.read_bytes(server.fd, RATE // 2 * FRAME)
            last = server.position(server.fd, CURRENT_IPTR)
            self.assert_pace(RATE * (1_000_000 + ppm) / 1_000_000, first, last)
            self.assertLessEqual(len(heard) // FRAME, last[1], "read before it was due")
            self.assertLessEqual(abs(self.status(loop)["clock"]["error_frames"]), 1)
        ending = server.later("read_to_end", server.fd)
        writing.result()
        client.close(client.fd)
        data, _, _ = ending.result()
        self.assertEqual(sound.numbers(played), [number for number in sound.numbers(heard + data) if number >= 0])

    def test_a_clock_may_be_ten_times_as_slow_or_a_thousand_times_as_fast(self):
        def play(factor, frames):
            """How much longer it takes than it must."""
            server, client = self.pair(self.loop(clock=factor, underrun="stall"))
            reading = server.later("read_bytes", server.fd, frames * FRAME, 1 << 16)
            client.write_blocks(client.fd, frames // 480, 480 * FRAME)
            self.assertEqual(frames * FRAME, len(reading.result()))
            took, must = reading.end - reading.start, frames / RATE / factor
            self.assertGreater(took, must - 0.001)
            return took - must

        for factor, frames in ((0.1, RATE // 20), (1000, 100 * RATE)):
            with self.subTest(factor=factor):
                self.assert_quick(1, lambda: play(factor, frames))

    def assert_the_same_whatever_the_load(self, seconds, rate, to, channels):
        """Plays so much as fast as it goes, on an idle and on a busy machine."""
        song = self.loop(clock="free").file("song.raw")
        song.write_bytes(sound.tone(10, rate=rate, channels=channels).bytes() * (seconds // 10))
        recordings = set()
        for busy in (False, True):
            loop = self.loop(clock="free")
            burners = [loop.start("sh", "-c", "while :; do :; done", preload=False) for _ in range(3 * busy)]
            try:
                recorder = loop.partner_records(SERVER, rate=to, channels=channels)
                loop.wait_until_listening(recorder)
                player = loop.partner("play", CLIENT, song, rate=rate, channels=channels)
                player.succeed(120)
                recorder.succeed(120)
            finally:
                for burner in burners:
                    burner.kill()
            data = loop.recorded(recorder, rate=to, channels=channels).bytes()
            self.assertEqual(seconds * to * channels * 2, len(data))
            recordings.add(hashlib.sha256(data).digest())
        self.assertEqual(1, len(recordings), "the load of the machine changed the sound")

    @limit(300)
    def test_a_free_clock_plays_an_hour_in_seconds_and_the_same_bytes_each_time(self):
        # As a speech program would: 8000 Hz, recorded at another rate.
        self.assert_the_same_whatever_the_load(3600, 8000, 11025, 1)

    @limit(300)
    def test_a_free_clock_gives_the_same_bytes_where_it_converts_in_long_blocks(self):
        self.assert_the_same_whatever_the_load(300, 44100, 48000, 2)


if __name__ == "__main__":
    unittest.main()
