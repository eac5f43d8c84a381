"""ffplay, through SDL 2: looks at the device with stat before it opens it."""

import unittest

import sound
from case import PartTest
from loop import CLIENT, SERVER


class Ffplay(PartTest):
    def test_client_plays_the_whole_sound(self):
        # SDL plays from the moment the device is open: silence first and last.
        played = sound.tone(1.0, 48000)
        loop = self.loop(clock="realtime", underrun="stall")
        recorder = loop.partner_records(SERVER)
        loop.wait_until_listening(recorder)
        player = loop.start(
            "ffplay", "-nodisp", "-autoexit", "-loglevel", "error",
            sound.write_wav(loop.file("song.wav"), played),
            env={"SDL_AUDIODRIVER": "dsp", "AUDIODEV": CLIENT, "SDL_VIDEODRIVER": "dummy"},
        )
        player.succeed()
        got = loop.recorded(recorder)
        # The first whole second that begins where the sound does. ffplay stops
        # when it has handed all to SDL, so the faded tail may be cut.
        start = next(i for i, s in enumerate(got.samples) if s) // 2
        first_sound = next(i for i, s in enumerate(played.samples) if s) // 2
        heard = got.tail(max(0, start - first_sound)).head(36000)
        self.assert_close(played.head(36000), heard, snr_db=60)


if __name__ == "__main__":
    unittest.main()
