"""The four parts a program can play, each against a partner that is exact.

A part is given as a function (device, file, sound) -> Command.
"""

from dataclasses import dataclass, field

import sound
from loop import CLIENT, SERVER, LoopTest


@dataclass
class Command:
    words: list
    env: dict = field(default_factory=dict)
    statuses: tuple = (0,)  # exit statuses with which it says that all went well


def lengths(rate=48000, channels=2):
    """Sounds that catch what goes wrong at edges: one frame, a block less a
    frame, a second, and an odd length of several seconds."""
    for seed, frames in enumerate((1, rate // 100 - 1, rate, round(3.517 * rate))):
        yield sound.noise(frames, rate, channels, seed)


def sox_buffer(played):
    """A buffer size at which sox can play the sound to its end.

    sox hands its OSS driver up to N samples at once, but the driver's own buffer
    holds N / 2, and when the last piece is longer than that the driver of sox
    14.4.2 runs off its end, plays what lies there and crashes. So the default of
    8192 is changed where the length of the sound asks for it.
    """
    samples = len(played.samples)
    size = next(size for size in range(8192, 16384, 8) if samples % size <= size // 2)
    return ["--buffer", size] if size != 8192 else []


class PartTest(LoopTest):
    """Runs one program in one part and returns what came out at the other end."""

    def client_plays(self, part, played, rate=48000, channels=2, conf=None, wav=None):
        """The program plays as client; a partner records as server."""
        loop = self.loop(**{"clock": "free", **(conf or {})})
        file = wav or sound.write_wav(loop.file("song.wav"), played)
        recorder = loop.partner_records(SERVER, rate, channels)
        loop.wait_until_listening(recorder)
        command = part(CLIENT, file, played)
        player = loop.start(*command.words, env=command.env)
        player.succeed(statuses=command.statuses)
        return loop.recorded(recorder, rate, channels)

    def server_plays(self, part, played, rate=None, channels=None, conf=None, wav=None):
        """The program plays as server; a partner records as client."""
        loop = self.loop(**{"clock": "free", **(conf or {})})
        file = wav or sound.write_wav(loop.file("song.wav"), played)
        command = part(SERVER, file, played)
        player = loop.start(*command.words, env=command.env)
        loop.wait_until_listening(player)
        rate, channels = rate or played.rate, channels or played.channels
        recorder = loop.partner_records(CLIENT, rate, channels)
        got = loop.recorded(recorder, rate, channels)
        player.succeed(statuses=command.statuses)
        return got

    def server_records(self, part, played, conf=None, must_succeed=True):
        """The program records as server; a partner plays as client."""
        loop = self.loop(**{"clock": "free", "eof": "eof", **(conf or {})})
        file = loop.file("out.wav")
        command = part(SERVER, file, played)
        recorder = loop.start(*command.words, env=command.env)
        loop.wait_until_listening(recorder)
        loop.partner_plays(CLIENT, played).succeed()
        if must_succeed:
            recorder.succeed(statuses=command.statuses)
        else:
            recorder.wait()
        return sound.read_wav(file)

    def client_records(self, part, played, conf=None, must_succeed=True):
        """The program records as client; a partner plays as server."""
        loop = self.loop(**{"clock": "free", "eof": "eof", **(conf or {})})
        file = loop.file("out.wav")
        player = loop.partner_plays(SERVER, played)
        loop.wait_until_listening(player)
        command = part(CLIENT, file, played)
        recorder = loop.start(*command.words, env=command.env)
        if must_succeed:
            recorder.succeed(statuses=command.statuses)
        else:
            recorder.wait()
        player.succeed()
        return sound.read_wav(file)
