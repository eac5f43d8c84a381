"""Players through OpenAL, by its OSS driver and by ALSA: the device is opened, plays a
few blocks of silence, is closed, and opened again before the sound begins."""

import math
import unittest

import sound
from case import PartTest
from loop import CLIENT, CONTROL, SERVER

RATE = 48000
# What is in its buffer when a player closes is dropped, so the songs end in silence.
REST = sound.silence(RATE // 2, RATE)
SONG = sound.tone(2.017, RATE) + REST


class Openal(PartTest):
    conf = {"underrun": "stall"}

    def heard_of(self, loop, *words, driver=f"oss\n[oss]\ndevice={CLIENT}", **options):
        """What a recorder hears that is told once of the end of a sound."""
        conf = loop.file("alsoft.conf")
        conf.write_text(f"[general]\nfrequency={RATE}\ndither=false\ndrivers={driver}\n")
        recorder = loop.partner_records(SERVER, RATE)
        loop.wait_until_listening(recorder)
        loop.start(*words, env={"ALSOFT_CONF": conf}, **options).succeed()
        return loop.recorded(recorder, RATE)

    def assert_hears_all(self, sent, got):
        part = sent.head(sent.frames - REST.frames)
        self.assert_close(part, sound.part_like(part, got), snr_db=75)

    def song_of_mpg123(self, loop):
        wav = sound.write_wav(loop.file("song.wav"), SONG)
        loop.run("ffmpeg", "-nostdin", "-loglevel", "error", "-i", wav, "-b:a", "128k", "song.mp3")
        loop.run("mpg123", "-q", "-w", "decoded.wav", "song.mp3")
        return sound.read_wav(loop.file("decoded.wav"))

    def test_mpg123_is_heard_from_its_first_frame_to_its_last(self):
        loop = self.loop(**self.conf)
        song = self.song_of_mpg123(loop)
        self.assert_hears_all(song, self.heard_of(loop, "mpg123", "-q", "-o", "openal", "song.mp3"))

    def test_by_alsa_mpg123_is_heard_from_its_first_frame_to_its_last(self):
        # A stream of OpenAL's that has ended is gone on with by the next open.
        loop = self.loop(linger_ms=500, **self.conf)
        song = self.song_of_mpg123(loop)
        words = [CONTROL, "run", "--alsa", "--", "mpg123", "-q", "-o", "openal", "song.mp3"]
        self.assert_hears_all(song, self.heard_of(loop, *words, driver="alsa", preload=False))

    def test_mplayer_is_heard_from_its_first_frame_to_its_last(self):
        # Its channels are two sources of OpenAL; where it is late, one of them may run dry
        # alone, and they are apart from then on.
        self.assert_once(self.mplayer_is_heard)

    def mplayer_is_heard(self):
        loop = self.loop(**self.conf)
        wav = sound.write_wav(loop.file("song.wav"), SONG)
        words = ["mplayer", "-really-quiet", "-noconfig", "all", "-vo", "null", "-nolirc", "-ao", "openal", wav]
        # It stands for two loudspeakers, this far away.
        distance = math.hypot(1, 0.5)
        quieter = sound.Sound(RATE, 2, sound.array.array("h", [round(s / distance) for s in SONG.samples]))
        self.assert_hears_all(quieter, self.heard_of(loop, *words))


if __name__ == "__main__":
    unittest.main()
