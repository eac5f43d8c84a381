"""sox and its alias play: 16-bit sound must come out bit for bit."""

import signal
import unittest

import sound
from case import Command, PartTest, lengths, sox_buffer
from loop import CLIENT, SERVER


def plays(device, file, played):
    return Command(["sox", "-q", *sox_buffer(played), file, "-t", "oss", device])


def play_alias(device, file, played):
    words = ["play", "-q", *sox_buffer(played), file]
    return Command(words, {"AUDIODRIVER": "oss", "AUDIODEV": device})


def records(device, file, played):
    return Command(["sox", "-q", "-t", "oss", "-r", played.rate, "-c", played.channels, device, file])


class Sox(PartTest):
    def test_client_plays_every_length_bit_for_bit(self):
        for played in lengths():
            with self.subTest(frames=played.frames):
                self.assert_identical(played, self.client_plays(plays, played))

    def test_client_records_every_length_bit_for_bit(self):
        for played in lengths(44100):
            with self.subTest(frames=played.frames):
                self.assert_identical(played, self.client_records(records, played))

    def test_server_plays_every_length_bit_for_bit(self):
        for played in lengths():
            with self.subTest(frames=played.frames):
                self.assert_identical(played, self.server_plays(plays, played))

    def test_server_records_every_length_and_finishes_its_file_by_itself(self):
        for played in lengths(44100):
            with self.subTest(frames=played.frames):
                self.assert_identical(played, self.server_records(records, played))

    def test_server_recording_ends_by_itself_on_a_connection_reset(self):
        played = sound.noise(48000)
        got = self.server_records(records, played, {"eof": "reset"}, must_succeed=False)
        # sox drops the block it was filling when the error came; its header is right.
        self.assert_identical(played.head(got.frames), got)
        self.assertGreater(got.frames, played.frames - 8192)

    def test_play_as_client_and_as_server(self):
        played = sound.noise(44100, 44100)
        with self.subTest("client"):
            self.assert_identical(played, self.client_plays(play_alias, played, rate=44100))
        with self.subTest("server"):
            self.assert_identical(played, self.server_plays(play_alias, played))

    def test_mono_at_8_kHz(self):
        played = sound.noise(12001, 8000, 1)
        with self.subTest("client plays"):
            self.assert_identical(played, self.client_plays(plays, played, 8000, 1))
        with self.subTest("server records"):
            self.assert_identical(played, self.server_records(records, played))

    def test_client_at_44100_is_heard_at_48000(self):
        played = sound.tone(1.5, 44100)
        got = self.client_plays(plays, played, rate=48000)
        self.assert_close(sound.tone(1.5, 48000), got, snr_db=85)

    def test_server_at_32000_is_heard_at_48000(self):
        played = sound.tone(1.5, 32000)
        got = self.server_plays(plays, played, rate=48000)
        self.assert_close(sound.tone(1.5, 48000), got, snr_db=85)

    def test_a_recorder_that_waits_can_be_stopped(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(signal=number.name):
                loop = self.loop()
                recorder = loop.start(*records(SERVER, "out.wav", sound.silence(1)).words)
                loop.wait_until_listening(recorder)
                recorder.send(number)
                recorder.wait()

    def test_sox_to_sox_at_three_lengths_of_fragments(self):
        played = sound.noise(48000)
        for buffer_ms in (20, 340, 1000):
            with self.subTest(buffer_ms=buffer_ms):
                loop = self.loop(clock="free", eof="eof", buffer_ms=buffer_ms)
                file = sound.write_wav(loop.file("song.wav"), played)
                recorder = loop.start(*records(SERVER, "out.wav", played).words)
                loop.wait_until_listening(recorder)
                loop.start(*plays(CLIENT, file, played).words).succeed()
                recorder.succeed()
                self.assert_identical(played, sound.read_wav(loop.file("out.wav")))


if __name__ == "__main__":
    unittest.main()
