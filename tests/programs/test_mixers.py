"""Programs that set levels: what one sets is heard in the recording, and the next
one reads it back."""

import re
import unittest

import sound
from case import Command, PartTest
from loop import CLIENT, PYTHON, SERVER

LOUD = 20000


def factor(level):
    """Half a decibel for each step below 100."""
    return 10 ** ((level - 100) * 0.5 / 20)


class MixerPrograms(PartTest):
    def mixer_loop(self):
        loop = self.loop(clock="free")
        (loop.work / ".asoundrc").write_text('ctl.oss { type oss device "/dev/mixer" }\n')
        return loop

    # Each sets the master and the PCM level, and reads both: (left, right) each.

    def aumix(self, loop, vol=None, pcm=None):
        if vol:
            loop.start("aumix", "-d", "/dev/mixer", f"-v{vol}", f"-w{pcm}").succeed()
        shown = loop.start("aumix", "-d", "/dev/mixer", "-q").succeed().output
        return self.levels(shown, r"vol (\d+), (\d+)", r"pcm (\d+), (\d+)")

    def rexima(self, loop, vol=None, pcm=None):
        if vol:
            loop.start("rexima", "vol", vol).succeed()
            loop.start("rexima", "pcm", pcm).succeed()
        shown = loop.start("rexima", "-v").succeed().output
        return self.levels(shown, r"vol\s+(\d+),\s*(\d+)", r"pcm\s+(\d+),\s*(\d+)")

    def amixer(self, loop, vol=None, pcm=None):
        if vol:
            loop.start("amixer", "-q", "-D", "oss", "set", "Master", f"{vol}%").succeed()
            loop.start("amixer", "-q", "-D", "oss", "set", "PCM", f"{pcm}%").succeed()
        shown = loop.start("amixer", "-D", "oss", "scontents").succeed().output
        sides = r".*?Left: Playback (\d+).*?Right: Playback (\d+)"
        return self.levels(shown, f"'Master'{sides}", f"'PCM'{sides}")

    def openmixer(self, loop, vol=None, pcm=None):
        program = (
            "import ossaudiodev as oss, sys; mixer = oss.openmixer('/dev/mixer');"
            "pairs = list(zip((oss.SOUND_MIXER_VOLUME, oss.SOUND_MIXER_PCM), sys.argv[1:]));"
            "[mixer.set(channel, (int(level), int(level))) for channel, level in pairs];"
            "print(mixer.get(oss.SOUND_MIXER_VOLUME), mixer.get(oss.SOUND_MIXER_PCM))"
        )
        words = [PYTHON, "-W", "ignore", "-c", program, *([vol, pcm] if vol else [])]
        shown = loop.start(*words).succeed().output
        return self.levels(shown, r"^\((\d+), (\d+)\)", r" \((\d+), (\d+)\)$")

    def levels(self, shown, *patterns):
        found = []
        for pattern in patterns:
            match = re.search(pattern, shown.strip(), re.DOTALL)
            self.assertTrue(match, f"{pattern} not in:\n{shown}")
            found.append((int(match[1]), int(match[2])))
        return found

    def recorded_peak(self, loop):
        recorder = loop.partner_records(SERVER)
        loop.wait_until_listening(recorder)
        loud = sound.Sound(48000, 2, sound.array.array("h", [LOUD]) * 9600)
        loop.partner_plays(CLIENT, loud).succeed()
        return loop.recorded(recorder).samples[-1]

    def sets(self, program, vol, pcm):
        loop = self.mixer_loop()
        self.assertEqual([(vol, vol), (pcm, pcm)], program(loop, vol, pcm))
        self.assertEqual(round(LOUD * factor(vol) * factor(pcm)), self.recorded_peak(loop))
        for other in (self.aumix, self.rexima, self.amixer, self.openmixer):
            self.assertEqual([(vol, vol), (pcm, pcm)], other(loop))

    def test_levels_that_aumix_sets_are_heard_and_read_by_the_others(self):
        self.sets(self.aumix, 80, 90)

    def test_levels_that_rexima_sets_are_heard_and_read_by_the_others(self):
        self.sets(self.rexima, 70, 95)

    def test_levels_that_amixer_sets_are_heard_and_read_by_the_others(self):
        self.sets(self.amixer, 60, 100)

    def test_levels_that_python_sets_are_heard_and_read_by_the_others(self):
        self.sets(self.openmixer, 50, 99)

    def test_aumix_saves_levels_and_brings_them_back(self):
        loop = self.mixer_loop()
        self.aumix(loop, 33, 44)
        loop.start("aumix", "-d", "/dev/mixer", "-f", loop.file("levels"), "-S").succeed()
        self.aumix(loop, 100, 100)
        loop.start("aumix", "-d", "/dev/mixer", "-f", loop.file("levels"), "-L").succeed()
        self.assertEqual([(33, 33), (44, 44)], self.aumix(loop))


class Mplayer(PartTest):
    def plays(self, *options):
        words = ["mplayer", "-really-quiet", "-noconfig", "all", "-vo", "null", "-nolirc", *options]
        return lambda device, file, played: Command([*words, "-ao", f"oss:{device}:/dev/mixer:pcm", file])

    def test_client_plays_bit_for_bit(self):
        for played in (sound.noise(4800), sound.noise(round(1.517 * 48000))):
            got = self.client_plays(self.plays(), played, conf={"clock": "realtime", "underrun": "stall"})
            self.assert_identical(played, got)

    def test_its_volume_is_the_mixer_s_and_is_heard(self):
        loud = sound.Sound(48000, 2, sound.array.array("h", [LOUD]) * 48000)
        got = self.client_plays(self.plays("-volume", 80), loud, conf={"clock": "realtime", "underrun": "stall"})
        self.assertEqual(round(LOUD * factor(80)), got.samples[-1])


if __name__ == "__main__":
    unittest.main()
