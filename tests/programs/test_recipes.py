"""The recipes of RECIPES.md, as they stand there."""

import itertools
import statistics
import unittest

import pages
import sound
from bridge import BridgeTest
from loop import CONTROL, LIMIT_SECONDS, ROOT, limit, server
from pc_speaker import BEEP, BEEP_HZ, BEEP_SECONDS, beep_in

RATE, HZ, SECONDS = 48000, 440, 6
SAID = sound.tone(SECONDS, hz=(HZ, HZ))


class RecipeTest(BridgeTest):
    def follow(self, heading, loop=None, statuses=(0,), **env):
        """Runs what stands indented below a heading."""
        loop = loop or self.loop()
        sound.write_wav(loop.file("said.wav"), SAID)
        env["PATH"] = f"{CONTROL.parent}:{loop.environment()['PATH']}"
        # Not -e: bplay ends with 255 whatever it has done.
        loop.start("sh", "-c", pages.script("RECIPES.md", heading), env=env, preload=False).succeed(3 * LIMIT_SECONDS, statuses)
        return loop

    def assert_tone(self, heard, part=0.9):
        """So much of the tone has come, whatever a codec has made of it. Who receives packets leaves out or
        repeats a period where one is late: so the middle one of its periods is looked at."""
        samples = heard.channel(0).samples
        rises = [i - samples[i] / (samples[i] - samples[i - 1]) for i in range(1, len(samples))
                 if samples[i - 1] < 0 <= samples[i] and max(samples[i:i + RATE // HZ]) > 8000]
        self.assertGreater(len(rises), part * SECONDS * HZ)
        period = statistics.median(after - before for before, after in itertools.pairwise(rises))
        self.assertAlmostEqual(HZ, RATE / period, delta=0.5)


class Recipes(RecipeTest):
    def test_a_recorder_that_keeps_its_file(self):
        loop = self.follow("A recorder that keeps its file")
        for name in "heard.wav", "take-001.wav", "take-002.wav", "take-003.wav":
            self.assert_identical(SAID, sound.read_wav(loop.file(name)))

    def test_a_telephone_call(self):
        self.assert_tone(sound.read_wav(self.follow("A telephone call").file("heard.wav")))

    def test_sound_over_the_network_by_rtp(self):
        self.assert_tone(sound.read_wav(self.follow("Sound over the network, by RTP").file("heard.wav")))

    def test_a_radio_station(self):
        # Who listens has come later.
        self.assert_tone(sound.read_wav(self.follow("A radio station").file("heard.wav")), part=0.4)


class AtASoundServer(RecipeTest):
    """One whose loudspeakers and microphone are another instance."""

    def desktop(self):
        loop = self.bridged_loop(**{"loop1.duplex": "on"})
        loudspeakers = self.card_listener(loop)
        loop.wait_until_listening(loop.partner_plays(server(1), sound.tone(40, hz=(HZ, HZ))))
        self.sound_server(loop, "module-oss device=/dev/dsp1 rate=48000 channels=2 fragments=12 fragment_size=2048")
        return loop, loudspeakers

    def heard_by_now(self, loudspeakers):
        data = loudspeakers.recording.read_bytes()
        return sound.from_bytes(data[: len(data) // 4 * 4])

    @limit(300)
    def test_an_old_game_on_a_desktop(self):
        # DOSBox times the beep by a clock of its own.
        self.assert_once(self.game)

    def game(self):
        loop, loudspeakers = self.desktop()
        loop.file("GAME.COM").write_bytes(BEEP)
        # What brec returns, whatever it has done.
        self.follow("An old game on a desktop", loop, statuses=(255,), SDL_VIDEODRIVER="dummy", **self.at_server(loop))
        seconds, hz = beep_in(self.heard_by_now(loudspeakers).samples[::2], RATE)
        self.assertAlmostEqual(BEEP_SECONDS, seconds, delta=0.3)
        self.assertAlmostEqual(BEEP_HZ, hz, delta=50)
        self.assert_tone(sound.read_wav(loop.file("heard.wav")), part=0.3)

    def test_heard_through_a_pipe(self):
        loop, loudspeakers = self.desktop()
        self.follow("Heard through a pipe", loop, **self.at_server(loop))
        self.wait_until(lambda: self.heard_by_now(loudspeakers).frames > SAID.frames)
        self.assert_tone(self.heard_by_now(loudspeakers))


class Page(unittest.TestCase):
    def test_each_recipe_is_followed_by_the_test_of_its_name(self):
        tests = "".join((ROOT / "tests" / file).read_text()
                        for file in ("programs/test_recipes.py", "browsers/test_browsers.py"))
        for heading in pages.headings("RECIPES.md"):
            self.assertIn(f"def {pages.test_of(heading)}(self)", tests)

    def test_each_recipe_names_packages_that_the_tests_need(self):
        needed = "".join((ROOT / "tools" / file).read_text() for file in ("packages", "packages-browsers")).split()
        for heading in pages.headings("RECIPES.md"):
            self.assertEqual([], [package for package in pages.packages("RECIPES.md", heading)
                                  if package not in [*needed, "ossloop-bridge"]], heading)


if __name__ == "__main__":
    unittest.main()
