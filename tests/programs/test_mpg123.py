"""mpg123: opens and closes the device several times to ask for formats."""

import unittest

import sound
from case import Command, PartTest


def plays(device, file, played):
    return Command(["mpg123", "-q", "-o", "oss", "-a", device, file])


class Mpg123(PartTest):
    def song(self, rate, channels=2):
        """An MP3 file, and the sound mpg123 itself makes of it."""
        loop = self.loop()
        wav = sound.write_wav(loop.file("song.wav"), sound.tone(2.517, rate, channels))
        loop.run("ffmpeg", "-nostdin", "-loglevel", "error", "-i", wav, "-b:a", "128k", "song.mp3")
        loop.run("mpg123", "-q", "-w", "decoded.wav", "song.mp3")
        return loop.file("song.mp3"), sound.read_wav(loop.file("decoded.wav"))

    def test_client_plays_what_it_decodes_bit_for_bit(self):
        mp3, decoded = self.song(44100)
        got = self.client_plays(plays, decoded, rate=44100, wav=mp3)
        self.assert_identical(decoded, got)

    def test_server_plays_what_it_decodes_bit_for_bit(self):
        mp3, decoded = self.song(48000)
        got = self.server_plays(plays, decoded, wav=mp3)
        self.assert_identical(decoded, got)

    def test_client_at_44100_is_heard_at_48000_with_every_frame(self):
        mp3, decoded = self.song(44100)
        got = self.client_plays(plays, decoded, rate=48000, wav=mp3)
        self.assertEqual(round(decoded.frames * 48000 / 44100), got.frames)


if __name__ == "__main__":
    unittest.main()
