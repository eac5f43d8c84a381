"""What a browser plays and hears, through its own ALSA driver, with no sound daemon.

For the night: tools/nightly installs the browsers. By hand:

    cd tests/browsers; PYTHONPATH=../support:../programs python3 -m unittest
"""

import contextlib
import http.server
import itertools
import json
import math
import pathlib
import queue
import signal
import statistics
import threading
import unittest
import urllib.parse

import pages
import sound
from loop import CONTROL, SERVER, server
from test_alsa_door import DoorTest

HZ, RATE = 440, 48000
PAGE = pathlib.Path(__file__).with_name("page.html").read_bytes()


class Site:
    """The page on the loopback address, what it tells, (name, values), and what pages leave for
    each other in /box."""

    def __init__(self):
        told = self.told = queue.Queue()
        box = {}

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                if self.path.startswith("/box/"):
                    found = box.get(self.path)
                    return self.answer(found or b"", 200 if found else 404)
                self.answer(PAGE if self.path.startswith("/?") else b"")

            def do_POST(self):
                if self.path.startswith("/box/"):
                    box[self.path] = self.rfile.read(int(self.headers["Content-Length"]))
                    return self.answer(b"")
                name = urllib.parse.urlsplit(self.path)
                told.put((name.path[1:], dict(urllib.parse.parse_qsl(name.query))))
                self.answer(b"")

            def answer(self, body, status=200):
                self.send_response(status)
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                with contextlib.suppress(ConnectionError):  # a browser that is closed
                    self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def address(self, **asked):
        return f"http://127.0.0.1:{self.server.server_port}/?{urllib.parse.urlencode(asked)}"

    def until(self, wanted, seconds=90):
        """All that was told until the page has told `wanted`."""
        heard = {}
        while wanted not in heard:
            name, values = self.told.get(timeout=seconds)
            if name == "failed":
                raise AssertionError(values["why"])
            heard[name] = values
        return heard

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def tone_in(heard):
    """From the first sample of the tone to its last, as numbers of full scale 1."""
    samples = heard.channel(0).samples
    loud = [i for i, value in enumerate(samples) if abs(value) > 300]
    return [value / 32768 for value in samples[loud[0]:loud[-1]]]


def worst_second_difference(tone):
    """Of an ideal sine each sample is 2 cos(w) times the one before less the one before that."""
    factor = 2 * math.cos(2 * math.pi * HZ / RATE)
    return max(abs(tone[i + 1] - factor * tone[i] + tone[i - 1]) for i in range(1, len(tone) - 1))


def frequency(heard):
    """In Hz, by the rising zero crossings: the middle one of their distances, for who receives a call
    leaves out or repeats a period where a packet is late."""
    samples = heard.channel(0).samples
    rises = [i - samples[i] / (samples[i] - samples[i - 1]) for i in range(1, len(samples))
             if samples[i - 1] < 0 <= samples[i]]
    return RATE / statistics.median(after - before for before, after in itertools.pairwise(rises))


class Browsers:
    """What each browser does; `command` starts it with a page."""

    def visit(self, loop, site, instance=0, **asked):
        words = self.command(loop.file(f"profile{instance}"), site.address(**asked))
        return self.alsa(loop, *words, options=("-i", instance))

    def close_browser(self, browser):
        browser.send(signal.SIGTERM)
        browser.wait()

    def site(self):
        site = Site()
        self.addCleanup(site.close)
        return site

    def check_heard(self, heard):
        """What a page told of a microphone that hears 660 Hz."""
        self.assertAlmostEqual(660, float(heard["hz"]), delta=0.01)
        self.assertLess(float(heard["worst"]), 1 / 500)

    def test_thirteen_seconds_of_a_page_s_tone_are_recorded_without_a_discontinuity(self):
        loop, site = self.loop(clock="realtime"), self.site()
        recorder = self.recorder(loop)
        browser = self.visit(loop, site, play=13, rate=RATE)
        site.until("done")
        self.close_browser(browser)
        tone = tone_in(loop.recorded(recorder))
        self.assertAlmostEqual(13, len(tone) / RATE, delta=0.1)
        self.assertAlmostEqual(0.5, max(tone), delta=0.01)
        self.assertLess(worst_second_difference(tone), 1 / 500)

    def test_a_page_s_microphone_hears_what_is_played(self):
        loop, site = self.loop(clock="realtime", duplex="on", clients=4), self.site()
        loop.wait_until_listening(loop.partner_plays(SERVER, sound.tone(90, hz=(660.0, 660.0))))
        browser = self.visit(loop, site, listen=3, hear=660)
        heard = site.until("done")["heard"]
        self.close_browser(browser)
        self.check_heard(heard)

    def test_a_page_plays_and_hears_at_once(self):
        """Each AudioContext of the page has a stream of its own, at the rate of the browser's sound card:
        where that is not the recorder's, conversion rings where the tone begins and ends."""
        loop, site = self.loop(clock="realtime", duplex="on", clients=4, linger_ms=500), self.site()
        recorder = self.recorder(loop)
        loop.wait_until_listening(loop.partner_plays(SERVER, sound.tone(90, hz=(660.0, 660.0))))
        browser = self.visit(loop, site, play=5, listen=3, hear=660)
        heard = site.until("done")["heard"]
        self.close_browser(browser)
        self.check_heard(heard)
        tone = tone_in(loop.recorded(recorder))
        self.assertAlmostEqual(5, len(tone) / RATE, delta=0.1)
        ringing = RATE // 200
        self.assertLess(worst_second_difference(tone[ringing:-ringing]), 1 / 500)

    def test_the_recorder_of_a_browser_that_is_killed_has_its_file_whole(self):
        loop, site = self.loop(clock="realtime"), self.site()
        recorder = self.recorder(loop)
        browser = self.visit(loop, site, play=60, rate=RATE)
        self.wait_until(lambda: recorder.recording.exists() and recorder.recording.stat().st_size > 12 * RATE)
        browser.kill()
        tone = tone_in(loop.recorded(recorder))
        self.assertGreater(len(tone), RATE)


class Chromium(Browsers, DoorTest):
    def command(self, profile, address):
        return ("chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}",
                "--autoplay-policy=no-user-gesture-required", "--use-fake-ui-for-media-stream",
                "--allow-loopback-in-peer-connection", "--disable-features=WebRtcHideLocalIpsWithMdns",
                "--alsa-output-device=default", "--alsa-input-device=default", address)

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
        tone = tone_in(sound.read_wav(loop.file("heard.wav")))
        self.assertAlmostEqual(5, len(tone) / RATE, delta=0.1)
        self.assertLess(worst_second_difference(tone), 1 / 500)


class Firefox(Browsers, DoorTest):
    """Its own ALSA driver asks with a word that was never set: apulse stands between. A call's
    other end it connects to, and does not play through that.

    What apulse reads from its ALSA device is whole (a preloaded spy upon snd_pcm_readi() saw that in
    each of 32 runs), and yet pages miss 5 to 100 samples at a time, mostly in the third second: the
    speaker is called back for 276 samples whenever apulse finds room for some more, and what the
    speaker is late by waits in the microphone's queue, until apulse has used up what it was given
    before. Firefox leaves out what does not fit there. Beside that it resamples between an
    AudioContext and a microphone of two rates (44100 Hz by apulse) as that queue's length says: it
    hears 660 Hz as 658 to 662.
    """

    PREFERENCES = {
        "media.autoplay.default": 0, "media.autoplay.blocking_policy": 0, "media.navigator.permission.disabled": True,
        "media.navigator.streams.fake": False, "security.sandbox.content.level": 0, "media.cubeb.sandbox": False,
        "media.peerconnection.ice.loopback": True, "media.peerconnection.ice.obfuscate_host_addresses": False,
        "datareporting.policy.dataSubmissionEnabled": False, "browser.shell.checkDefaultBrowser": False,
    }

    def command(self, profile, address):
        profile.mkdir()
        lines = (f"user_pref({json.dumps(key)}, {json.dumps(value)});\n" for key, value in self.PREFERENCES.items())
        (profile / "user.js").write_text("".join(lines))
        return ("apulse", "firefox-esr", "--headless", "--no-remote", "--profile", str(profile), address)


if __name__ == "__main__":
    unittest.main()
