"""Unmodified programs with one another, and many at once."""

import signal
import time
import unittest

import sound
from case import PartTest, sox_buffer
from loop import CLIENT, SERVER, client, server


class Pairs(PartTest):
    def test_python_plays_to_ffmpeg(self):
        played = sound.noise(round(1.517 * 48000))
        loop = self.loop(clock="free", eof="eof")
        recorder = loop.start(
            "ffmpeg", "-nostdin", "-y", "-loglevel", "error",
            "-f", "oss", "-ar", 48000, "-ac", 2, "-i", SERVER, "out.wav",
        )
        loop.wait_until_listening(recorder)
        loop.partner_plays(CLIENT, played).succeed()
        recorder.succeed()
        self.assert_identical(played, sound.read_wav(loop.file("out.wav")))

    def test_default_device_name_reaches_either_side(self):
        played = sound.noise(48000)
        loop = self.loop(clock="free", eof="eof")
        file = sound.write_wav(loop.file("song.wav"), played)
        recorder = loop.start(
            "sox", "-q", "-t", "oss", "-r", 48000, "-c", 2, "/dev/dsp", "out.wav",
            env={"OSSLOOP_DSP": "server0"},
        )
        loop.wait_until_listening(recorder)
        loop.start("sox", "-q", *sox_buffer(played), file, "-t", "oss", "/dev/dsp").succeed()
        recorder.succeed()
        self.assert_identical(played, sound.read_wav(loop.file("out.wav")))

    def test_cat_plays_in_a_preloaded_shell(self):
        played = sound.noise(48000)
        loop = self.loop(clock="free")
        loop.file("song.raw").write_bytes(played.bytes())
        recorder = loop.partner_records(SERVER)
        loop.wait_until_listening(recorder)
        # The client's own default is what the server has.
        loop.start("sh", "-c", "test -c /dev/dsp && cat song.raw > /dev/dsp").succeed()
        self.assert_identical(played, loop.recorded(recorder))

    def test_players_in_turn_on_one_descriptor_are_one_sound_at_another_rate(self):
        played = sound.noise(60_001).bytes()

        def heard(script):
            loop = self.loop(clock="free")
            for name, part in {"all": played, "one": played[: 4 * 20_001], "two": played[4 * 20_001 :]}.items():
                loop.file(f"{name}.raw").write_bytes(part)
            recorder = loop.partner_records(SERVER, 44100)
            loop.wait_until_listening(recorder)
            loop.start("sh", "-c", f"({script}) > /dev/dsp").succeed()
            return loop.recorded(recorder, 44100)

        whole = heard("cat all.raw")
        self.assertEqual(round(60_001 * 44100 / 48000), whole.frames)
        self.assert_identical(whole, heard("cat one.raw; cat two.raw"))
        self.assert_identical(whole, heard("head -c 4 one.raw; tail -c +5 one.raw; cat two.raw"))

    def test_recorders_in_turn_on_one_descriptor_hear_one_sound_at_another_rate(self):
        played = sound.noise(30_001, rate=44100)

        def heard(script):
            loop = self.loop(clock="free", eof="eof")
            player = loop.partner_plays(SERVER, played)
            loop.wait_until_listening(player)
            loop.start("sh", "-c", f"({script}) < /dev/dsp > out.raw").succeed()
            player.succeed()
            return sound.from_bytes(loop.file("out.raw").read_bytes())

        whole = heard("cat")
        self.assertEqual(round(30_001 * 48000 / 44100), whole.frames)
        for first in (4, 4000, 44444):
            with self.subTest(first=first):
                self.assert_identical(whole, heard(f"head -c {first}; cat"))
        self.assert_identical(whole, heard("head -c 1000; head -c 1000; head -c 1000; cat"))

    def test_bare_audio_device_plays_mu_law_at_8_kHz(self):
        table = sound.g711_table("MU_LAW")
        codes = bytes(range(256)) * 16
        loop = self.loop(clock="free")
        loop.file("song.au").write_bytes(codes)
        recorder = loop.partner_records(SERVER, rate=8000, channels=1)
        loop.wait_until_listening(recorder)
        loop.start("sh", "-c", "test -c /dev/audio && cat song.au > /dev/audio").succeed()
        got = loop.recorded(recorder, 8000, 1)
        self.assertEqual([table[code] for code in codes], list(got.samples))

    def test_sixteen_instances_at_once(self):
        loop = self.loop(instances=16, clock="free", eof="eof")
        songs = [sound.noise(16000 + n, seed=n) for n in range(16)]
        recorders = []
        for n, song in enumerate(songs):
            sound.write_wav(loop.file(f"song{n}.wav"), song)
            recorders.append(loop.start(
                "sox", "-q", "-t", "oss", "-r", 48000, "-c", 2, server(n), f"out{n}.wav"))
        for recorder in recorders:
            loop.wait_until_listening(recorder)
        players = []
        for n, song in enumerate(songs):
            words = ["sox", "-q", *sox_buffer(song), f"song{n}.wav", "-t", "oss", client(n)]
            players.append(loop.start(*words))
        for program in players + recorders:
            program.succeed()
        for n, song in enumerate(songs):
            with self.subTest(instance=n):
                self.assert_identical(song, sound.read_wav(loop.file(f"out{n}.wav")))

    def test_recorder_stopped_for_two_seconds_loses_nothing(self):
        played = sound.noise(3 * 48000)
        loop = self.loop(clock="realtime", underrun="stall", eof="eof")
        file = sound.write_wav(loop.file("song.wav"), played)
        recorder = loop.start("sox", "-q", "-t", "oss", "-r", 48000, "-c", 2, SERVER, "out.wav")
        loop.wait_until_listening(recorder)
        player = loop.start("sox", "-q", *sox_buffer(played), file, "-t", "oss", CLIENT)
        out = loop.file("out.wav")
        self.wait_until(lambda: out.exists() and out.stat().st_size > 48000)
        recorder.send(signal.SIGSTOP)
        time.sleep(2)
        recorder.send(signal.SIGCONT)
        player.succeed()
        recorder.succeed()
        self.assert_identical(played, sound.read_wav(loop.file("out.wav")))


if __name__ == "__main__":
    unittest.main()
