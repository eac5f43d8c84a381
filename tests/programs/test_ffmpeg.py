"""ffmpeg: non-blocking when it records, blocks of 4096 bytes when it plays."""

import unittest

import sound
from case import Command, PartTest, lengths

FFMPEG = ["ffmpeg", "-nostdin", "-hide_banner", "-loglevel", "warning"]
WRITE_FRAMES = 1024  # 4096 bytes; what does not fill one, ffmpeg never writes


def plays(device, file, played):
    return Command([*FFMPEG, "-i", file, "-f", "oss", device])


def records(device, file, played):
    source = ["-f", "oss", "-sample_rate", played.rate, "-channels", played.channels, "-i", device]
    return Command([*FFMPEG, "-y", *source, file])


def written(played):
    return played.head(played.frames // WRITE_FRAMES * WRITE_FRAMES)


class Ffmpeg(PartTest):
    def test_client_plays_every_block_it_writes_bit_for_bit(self):
        for frames in (WRITE_FRAMES, 48000, round(3.517 * 48000)):
            with self.subTest(frames=frames):
                played = sound.noise(frames)
                self.assert_identical(written(played), self.client_plays(plays, played))

    def test_server_plays_every_block_it_writes_bit_for_bit(self):
        for frames in (WRITE_FRAMES, 48000, round(3.517 * 48000)):
            with self.subTest(frames=frames):
                played = sound.noise(frames)
                self.assert_identical(written(played), self.server_plays(plays, played))

    def test_client_records_every_length_bit_for_bit(self):
        for played in lengths():
            with self.subTest(frames=played.frames):
                self.assert_identical(played, self.client_records(records, played))

    def test_server_records_every_length_and_finishes_its_file_by_itself(self):
        for played in lengths():
            with self.subTest(frames=played.frames):
                self.assert_identical(played, self.server_records(records, played))

    def test_server_recording_is_complete_on_a_connection_reset(self):
        played = sound.noise(48000)
        got = self.server_records(records, played, {"eof": "reset"}, must_succeed=False)
        self.assert_identical(played, got)

    def test_server_at_44100_hears_a_client_at_48000(self):
        heard = sound.tone(1.5, 44100)
        loop_sound = sound.tone(1.5, 48000)

        def records_at_44100(device, file, played):
            return records(device, file, heard)

        got = self.server_records(records_at_44100, loop_sound)
        self.assert_close(heard, got, snr_db=85)

    def test_server_records_in_mono(self):
        played = sound.noise(12001, 16000, 1)
        self.assert_identical(played, self.server_records(records, played))

    def test_client_in_mono_is_heard_in_stereo(self):
        played = sound.noise(10 * WRITE_FRAMES * 2, channels=1)
        got = self.client_plays(plays, played, channels=2)
        for channel in (0, 1):
            with self.subTest(channel=channel):
                self.assert_identical(played, got.channel(channel))


if __name__ == "__main__":
    unittest.main()
