"""ogg123, through libao: sets the fragment and asks for the block size."""

import unittest

import sound
from case import Command, PartTest


def plays(device, file, played):
    return Command(["ogg123", "-q", "-d", "oss", "-o", f"dsp:{device}", file])


class Ogg123(PartTest):
    def song(self, rate):
        """An Ogg Vorbis file, and the sound that libao's own WAV driver gets."""
        loop = self.loop()
        wav = sound.write_wav(loop.file("song.wav"), sound.tone(2.517, rate))
        loop.run("oggenc", "-Q", "-o", "song.ogg", wav)
        loop.run("ogg123", "-q", "-d", "wav", "-f", "decoded.wav", "song.ogg")
        return loop.file("song.ogg"), sound.read_wav(loop.file("decoded.wav"))

    def test_client_plays_what_it_decodes_bit_for_bit(self):
        ogg, decoded = self.song(44100)
        got = self.client_plays(plays, decoded, rate=44100, wav=ogg)
        self.assert_identical(decoded, got)

    def test_server_plays_what_it_decodes_bit_for_bit(self):
        ogg, decoded = self.song(44100)
        got = self.server_plays(plays, decoded, wav=ogg)
        self.assert_identical(decoded, got)


if __name__ == "__main__":
    unittest.main()
