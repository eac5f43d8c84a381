"""aplay, arecord and amixer through ALSA's oss plugin: poll, triggers, and a
position that must be exact modulo the buffer.

These run against the real-time clock: the plugin is driven by it.
"""

import unittest

import sound
from case import Command, PartTest


# aplay fills its last block with silence; a block is at most the buffer.
BLOCK_FRAMES = 24000


class AlsaTest(PartTest):
    def asoundrc(self, device):
        """A private ~/.asoundrc for the one device a program uses."""
        file = self.loop().file("asoundrc")
        file.write_text(
            f'pcm.oss {{ type oss device "{device}" }}\n'
            'ctl.oss { type oss device "/dev/mixer" }\n'
        )
        home = file.parent
        file.rename(home / ".asoundrc")
        return {"HOME": home}

    def plays(self, device, file, played):
        return Command(["aplay", "-q", "-D", "oss", file], self.asoundrc(device))

    def records(self, device, file, played):
        form = ["-f", "S16_LE", "-r", played.rate, "-c", played.channels, "-s", played.frames]
        return Command(["arecord", "-q", "-D", "oss", *form, file], self.asoundrc(device))


class Aplay(AlsaTest):
    def test_client_plays_bit_for_bit_then_fills_its_block_with_silence(self):
        for played in (sound.noise(479), sound.noise(round(1.517 * 48000))):
            with self.subTest(frames=played.frames):
                got = self.client_plays(self.plays, played, conf={"clock": "realtime", "underrun": "stall"})
                self.assert_begins_with(played, got, BLOCK_FRAMES)

    def test_server_plays_bit_for_bit_then_fills_its_block_with_silence(self):
        played = sound.noise(round(1.517 * 44100), 44100)
        got = self.server_plays(self.plays, played, conf={"clock": "realtime", "underrun": "stall"})
        self.assert_begins_with(played, got, BLOCK_FRAMES)


class Arecord(AlsaTest):
    # arecord reads whole periods, one more than it needs, and the plugin looks
    # only at the position: the sound must go on, or be followed by silence.

    def test_client_records_bit_for_bit(self):
        played = sound.noise(round(1.517 * 48000))
        asked = played.head(played.frames - BLOCK_FRAMES)

        def records(device, file, _):
            return self.records(device, file, asked)

        got = self.client_records(records, played, {"clock": "realtime", "underrun": "stall"})
        self.assert_identical(asked, got)

    def test_server_records_bit_for_bit(self):
        played = sound.noise(round(1.517 * 44100), 44100)
        got = self.server_records(self.records, played, {"clock": "realtime", "underrun": "stall", "eof": "silence"})
        self.assert_identical(played, got)


if __name__ == "__main__":
    unittest.main()
