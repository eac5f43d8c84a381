"""Browsers, and a page for them that plays and hears, on the loopback address."""

import contextlib
import http.server
import json
import math
import pathlib
import queue
import threading
import urllib.parse

# What a page plays; the rate of the recorders; how near to a sine a sample must be, of full scale.
HZ, RATE, NEAR = 440, 48000, 1 / 500
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


def inner(tone):
    """Where a page plays at another rate than the recorder's, conversion rings where it begins and ends."""
    return tone[RATE // 200:-(RATE // 200)]


def worst_second_difference(tone):
    """Of an ideal sine each sample is 2 cos(w) times the one before less the one before that."""
    factor = 2 * math.cos(2 * math.pi * HZ / RATE)
    return max(abs(tone[i + 1] - factor * tone[i] + tone[i - 1]) for i in range(1, len(tone) - 1))


def chromium(profile, address):
    """The words that show it a page."""
    return ("chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}",
            "--autoplay-policy=no-user-gesture-required", "--use-fake-ui-for-media-stream",
            "--allow-loopback-in-peer-connection", "--disable-features=WebRtcHideLocalIpsWithMdns",
            "--alsa-output-device=default", "--alsa-input-device=default", address)


FIREFOX_PREFERENCES = {
    "media.autoplay.default": 0, "media.autoplay.blocking_policy": 0, "media.navigator.permission.disabled": True,
    "media.navigator.streams.fake": False, "security.sandbox.content.level": 0, "media.cubeb.sandbox": False,
    "media.peerconnection.ice.loopback": True, "media.peerconnection.ice.obfuscate_host_addresses": False,
    "datareporting.policy.dataSubmissionEnabled": False, "browser.shell.checkDefaultBrowser": False,
}


# Of a page in Firefox: so many seconds pass until its microphone misses nothing more, see firefox().
FIREFOX_SETTLES = {"within": 40}


def firefox(profile, address):
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
    profile.mkdir()
    lines = (f"user_pref({json.dumps(key)}, {json.dumps(value)});\n" for key, value in FIREFOX_PREFERENCES.items())
    (profile / "user.js").write_text("".join(lines))
    return ("apulse", "firefox-esr", "--headless", "--no-remote", "--profile", str(profile), address)
