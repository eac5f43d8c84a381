"""Several unmodified programs at once on the client side of one instance."""

import unittest

import sound
from case import PartTest, sox_buffer
from loop import CLIENT, SERVER

RATE = 48000
MANY = {"clients": 3, "underrun": "stall", "buffer_ms": 1000}


def on_channel(mono, number):
    """Stereo with this on one channel, and silence on the other."""
    samples = sound.array.array("h", bytes(4 * mono.frames))
    samples[number::2] = mono.samples
    return sound.Sound(mono.rate, 2, samples)


def times(said, count):
    return sound.Sound(said.rate, said.channels, said.samples * count)


class ManyClients(PartTest):
    def test_players_of_two_kinds_are_heard_together(self):
        # Each has a channel to itself, so each must come through the mix bit for bit.
        loop = self.loop(**MANY)
        songs = [sound.noise(2 * RATE + 1, RATE, 1, seed) for seed in range(2)]
        files = [sound.write_wav(loop.file(f"{n}.wav"), on_channel(song, n)) for n, song in enumerate(songs)]
        recorder = loop.partner_records(SERVER)
        loop.wait_until_listening(recorder)
        players = [
            loop.start("sox", "-q", *sox_buffer(on_channel(songs[0], 0)), files[0], "-t", "oss", CLIENT),
            loop.start("bplay", "-d", CLIENT, files[1]),
        ]
        for player in players:
            player.succeed(statuses=(0, 255))  # bplay's first process says so when all is well
        got = loop.recorded(recorder)
        for n, song in enumerate(songs):
            self.assert_contains(song, got.channel(n))
        # At once, not one after the other.
        self.assertLess(got.frames, sum(song.frames for song in songs))

    def test_recorders_of_two_kinds_hear_the_same_at_once(self):
        loop = self.loop(**MANY)
        said = sound.noise(RATE)
        player = loop.partner_plays(SERVER, times(said, 8))
        loop.wait_until_listening(player)
        seconds = 3
        recorders = [
            loop.start("sox", "-q", "-t", "oss", "-r", RATE, "-c", 2, CLIENT, "0.wav", "trim", 0, seconds),
            loop.start("ffmpeg", "-nostdin", "-loglevel", "error", "-f", "oss", "-ar", RATE, "-ac", 2,
                       "-i", CLIENT, "-t", seconds, "1.wav"),
        ]
        for n, recorder in enumerate(recorders):
            recorder.succeed()
            self.assert_contains(said, sound.read_wav(loop.file(f"{n}.wav")))


if __name__ == "__main__":
    unittest.main()
