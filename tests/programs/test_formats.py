"""A client may use any format, channel count and rate; the server's counts."""

import unittest

import sound
from case import PartTest
from loop import CLIENT, SERVER

WIDE = ["S16_BE", "U16_LE", "U16_BE", "S32_LE", "S32_BE", "S24_LE", "S24_BE", "S24_PACKED", "FLOAT"]


class Conversion(PartTest):
    def converted(self, played, client_format, rate=48000, channels=2):
        """A client plays in one format, a server hears S16_LE."""
        loop = self.loop(clock="free")
        recorder = loop.partner_records(SERVER, rate, channels)
        loop.wait_until_listening(recorder)
        loop.partner_plays(CLIENT, played, client_format).succeed()
        return loop.recorded(recorder, rate, channels)

    def test_client_formats_with_16_bits_or_more_arrive_bit_for_bit(self):
        played = sound.noise(4801)
        for name in WIDE:
            with self.subTest(format=name):
                self.assert_identical(played, self.converted(played, name))

    def test_client_formats_with_8_bits_arrive_bit_for_bit(self):
        played = sound.noise(4801)
        for index, sample in enumerate(played.samples):
            played.samples[index] = sample & ~0xFF
        for name in ("S8", "U8"):
            with self.subTest(format=name):
                self.assert_identical(played, self.converted(played, name))

    def test_client_in_g711_arrives_as_the_standard_says(self):
        for name in ("MU_LAW", "A_LAW"):
            with self.subTest(format=name):
                played = sound.silence(256)
                table = sound.g711_table(name)
                for index in range(len(played.samples)):
                    played.samples[index] = table[index % 256]
                self.assert_identical(played, self.converted(played, name))

    def test_recording_client_gets_every_format_from_a_server_with_16_bits(self):
        played = sound.noise(4801)
        for name in WIDE:
            with self.subTest(format=name):
                loop = self.loop(clock="free")
                player = loop.partner_plays(SERVER, played)
                loop.wait_until_listening(player)
                recorder = loop.partner_records(CLIENT, format=name)
                recorder.succeed()
                self.assertEqual(sound.encode(played.samples, name), recorder.recording.read_bytes())

    def test_loop_in_any_format_carries_it_bit_for_bit(self):
        played = sound.noise(4801)
        for name in ("U8", "S24_PACKED", "S32_LE", "FLOAT", "MU_LAW"):
            with self.subTest(format=name):
                loop = self.loop(clock="free")
                data = bytes(range(256)) * 96 if name in ("U8", "MU_LAW") else sound.encode(played.samples, name)
                recorder = loop.partner_records(SERVER, format=name)
                loop.wait_until_listening(recorder)
                loop.file("sent.raw").write_bytes(data)
                loop.partner("play", CLIENT, loop.file("sent.raw"), format=name).succeed()
                recorder.succeed()
                self.assertEqual(data, recorder.recording.read_bytes())

    def test_rates_give_every_frame_in_place(self):
        for sent_rate, heard_rate in ((44100, 48000), (48000, 44100), (8000, 48000), (96000, 44100), (5000, 768000)):
            with self.subTest(sent=sent_rate, heard=heard_rate):
                seconds = 0.6
                sent = sound.tone(seconds, sent_rate, hz=(440.0, 701.0))
                expected = sound.tone(
                    seconds, heard_rate, hz=(440.0, 701.0),
                    frames=round(sent.frames * heard_rate / sent_rate),
                )
                self.assert_close(expected, self.converted(sent, "S16_LE", heard_rate), snr_db=85)

    def test_odd_frame_counts_are_rounded_to_the_nearest_frame(self):
        for frames in (1, 2, 147, 1000, 44101):
            with self.subTest(frames=frames):
                sent = sound.tone(frames / 44100, 44100)
                got = self.converted(sent, "S16_LE", 48000)
                self.assertEqual(round(frames * 48000 / 44100), got.frames)

    def test_mono_is_heard_in_both_channels(self):
        played = sound.noise(4801, channels=1)
        got = self.converted(played, "S16_LE", channels=2)
        for channel in (0, 1):
            with self.subTest(channel=channel):
                self.assert_identical(played, got.channel(channel))

    def test_stereo_is_heard_whole_in_mono(self):
        played = sound.noise(4801, channels=1)
        both = sound.silence(4801)
        both.samples[0::2] = played.samples
        both.samples[1::2] = played.samples
        self.assert_identical(played, self.converted(both, "S16_LE", channels=1))

    def test_eight_channels_keep_their_places(self):
        played = sound.noise(2401, channels=8)
        self.assert_identical(played, self.converted(played, "S24_LE", channels=8))


if __name__ == "__main__":
    unittest.main()
