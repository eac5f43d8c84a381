"""bplay and brec: open the device, then fork; the child sets and uses it."""

import unittest

import sound
from case import Command, PartTest, lengths


# Their parent process cleans up what the child has cleaned up already, finds
# nothing and exits with 255 after every success.
STATUSES = (0, 255)


def plays(device, file, played):
    return Command(["bplay", "-d", device, file], statuses=STATUSES)


def records(device, file, played):
    form = ["-S"] if played.channels == 2 else []
    length = ["-T", played.frames]
    words = ["brec", "-d", device, *form, "-s", played.rate, "-b", 16, *length, "-w", file]
    return Command(words, statuses=STATUSES)


class Bplay(PartTest):
    def test_client_plays_every_length_bit_for_bit(self):
        for played in lengths():
            with self.subTest(frames=played.frames):
                self.assert_identical(played, self.client_plays(plays, played))

    def test_server_plays_every_length_bit_for_bit(self):
        for played in lengths(22050):
            with self.subTest(frames=played.frames):
                self.assert_identical(played, self.server_plays(plays, played))

    def test_mono_client_at_11025_keeps_its_exact_rate(self):
        played = sound.noise(11025, 11025, 1)
        self.assert_identical(played, self.client_plays(plays, played, 11025, 1))


# brec writes its file in another process, behind a ring of 64 blocks of 4096 bytes. If
# it has just read the whole ring ahead when the recording ends, that process takes the
# block it is at for the last one. So what is longer has a clock that leaves it time.
RECORDINGS = ((44100, {}), (round(3.517 * 44100), {"clock": "2", "underrun": "stall"}))


class Brec(PartTest):
    def test_client_records_what_it_was_asked_for_bit_for_bit(self):
        for frames, conf in RECORDINGS:
            with self.subTest(frames=frames):
                played = sound.noise(frames, 44100)
                self.assert_identical(played, self.client_records(records, played, conf))

    def test_server_records_what_it_was_asked_for_bit_for_bit(self):
        for frames, conf in RECORDINGS:
            with self.subTest(frames=frames):
                played = sound.noise(frames, 44100)
                self.assert_identical(played, self.server_records(records, played, conf))


if __name__ == "__main__":
    unittest.main()
