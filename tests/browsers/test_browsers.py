"""What a browser plays and hears, through its own ALSA driver, with no sound daemon.

For the night: tools/nightly installs the browsers. By hand:

    cd tests/browsers; PYTHONPATH=../support:../programs python3 -m unittest
"""

import itertools
import signal
import statistics
import unittest

import browsing
import pages
import sound
from loop import CONTROL, SERVER, server
from test_alsa_door import DoorTest

RATE = 48000


def frequency(heard):
    """In Hz, by the rising zero crossings: the middle one of their distances, for who receives a call
    leaves out or repeats a period where a packet is late."""
    samples = heard.channel(0).samples
    rises = [i - samples[i] / (samples[i] - samples[i - 1]) for i in range(1, len(samples))
             if samples[i - 1] < 0 <= samples[i]]
    return RATE / statistics.median(after - before for before, after in itertools.pairwise(rises))


class Browsers:
    """What each browser does; `command` starts it with a page, `settles` is what a page that listens is asked, too."""

    settles = {}

    def visit(self, loop, site, instance=0, **asked):
        words = self.command(loop.file(f"profile{instance}"), site.address(**self.settles, **asked))
        return self.alsa(loop, *words, options=("-i", instance))

    def close_browser(self, browser):
        browser.send(signal.SIGTERM)
        browser.wait()

    def site(self):
        site = browsing.Site()
        self.addCleanup(site.close)
        return site

    def check_heard(self, heard):
        """What a page told of a microphone that hears 660 Hz."""
        self.assertAlmostEqual(660, float(heard["hz"]), delta=0.01)
        self.assertLess(float(heard["worst"]), browsing.NEAR)

    def test_thirteen_seconds_of_a_page_s_tone_are_recorded_without_a_discontinuity(self):
        loop, site = self.loop(clock="realtime"), self.site()
        recorder = self.recorder(loop)
        browser = self.visit(loop, site, play=13, rate=RATE)
        site.until("done")
        self.close_browser(browser)
        tone = browsing.tone_in(loop.recorded(recorder))
        self.assertAlmostEqual(13, len(tone) / RATE, delta=0.1)
        self.assertAlmostEqual(0.5, max(tone), delta=0.01)
        self.assertLess(browsing.worst_second_difference(tone), browsing.NEAR)

    def test_a_page_s_microphone_hears_what_is_played(self):
        loop, site = self.loop(clock="realtime", duplex="on", clients=4), self.site()
        loop.wait_until_listening(loop.partner_plays(SERVER, sound.tone(90, hz=(660.0, 660.0))))
        browser = self.visit(loop, site, listen=3, hear=660)
        heard = site.until("done")["heard"]
        self.close_browser(browser)
        self.check_heard(heard)

    def test_a_page_plays_and_hears_at_once(self):
        """Each AudioContext of the page has a stream of its own, at the rate of the browser's sound card."""
        loop, site = self.loop(clock="realtime", duplex="on", clients=4, linger_ms=500, underrun="stall"), self.site()
        recorder = self.recorder(loop)
        loop.wait_until_listening(loop.partner_plays(SERVER, sound.tone(90, hz=(660.0, 660.0))))
        browser = self.visit(loop, site, play=5, listen=3, hear=660)
        heard = site.until("done")["heard"]
        self.close_browser(browser)
        self.check_heard(heard)
        tone = browsing.tone_in(loop.recorded(recorder))
        self.assertAlmostEqual(5, len(tone) / RATE, delta=0.1)
        self.assertLess(browsing.worst_second_difference(browsing.inner(tone)), browsing.NEAR)

    def test_the_recorder_of_a_browser_that_is_killed_has_its_file_whole(self):
        loop, site = self.loop(clock="realtime"), self.site()
        recorder = self.recorder(loop)
        browser = self.visit(loop, site, play=60, rate=RATE)
        self.wait_until(lambda: recorder.recording.exists() and recorder.recording.stat().st_size > 12 * RATE)
        browser.kill()
        tone = browsing.tone_in(loop.recorded(recorder))
        self.assertGreater(len(tone), RATE)


class Chromium(Browsers, DoorTest):
    command = staticmethod(browsing.chromium)

    def test_two_pages_call_each_other_each_on_an_instance_of_its_own(self):
        """All pages of one browser share its speaker and its microphone: it takes two browsers."""
        loop, site = self.loop(2, clock="realtime", duplex="on", clients=4), self.site()
        tones = {0: 660, 1: 880}
        recorders = [loop.wait_until_listening(loop.partner_records(server(instance))) for instance in tones]
        for instance, hz in tones.items():
            loop.wait_until_listening(loop.partner_plays(server(instance), sound.tone(90, hz=(hz, hz))))
        browsers = [self.visit(loop, site, instance, call=role) for instance, role in enumerate(("offer", "answer"))]
        for _ in tones:
            site.until("connected")
        before = [recorder.recording.stat().st_size for recorder in recorders]
        self.wait_until(lambda: all(recorder.recording.stat().st_size > size + 6 * 4 * RATE
                                    for recorder, size in zip(recorders, before)))
        for browser in browsers:
            self.close_browser(browser)
        for instance, recorder in enumerate(recorders):
            during = loop.recorded(recorder).head(before[instance] // 4 + 6 * RATE).tail(3 * RATE)
            self.assertAlmostEqual(tones[1 - instance], frequency(during), delta=1)

    def test_what_a_browser_plays_and_hears(self):
        # The recipe of this name.
        script = pages.script("RECIPES.md", "What a browser plays and hears")
        loop, site = self.loop(), self.site()
        sound.write_wav(loop.file("said.wav"), sound.tone(40, hz=(660.0, 660.0)))
        address = site.address(play=5, listen=3, hear=660)
        path = f"{CONTROL.parent}:{loop.environment()['PATH']}"
        # Its profile lies in its home.
        shell = loop.start("sh", "-c", script.replace("http://127.0.0.1:8000/", f"'{address}'"),
                           env={"PATH": path}, preload=False)
        heard = site.until("done")["heard"]
        self.close_browser(shell)
        self.wait_until(lambda: not loop.processes_of(shell))
        self.check_heard(heard)
        tone = browsing.tone_in(sound.read_wav(loop.file("heard.wav")))
        self.assertAlmostEqual(5, len(tone) / RATE, delta=0.1)
        self.assertLess(browsing.worst_second_difference(tone), browsing.NEAR)


class Firefox(Browsers, DoorTest):
    command = staticmethod(browsing.firefox)
    settles = browsing.FIREFOX_SETTLES


if __name__ == "__main__":
    unittest.main()
