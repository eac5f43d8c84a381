"""ossloopctl as a test runs it, and what its pages show of an instance."""

import json
import re
import subprocess

from driven import DrivenTest
from loop import CONTROL, LIMIT_SECONDS, ROOT

COMMANDS = ["create", "destroy", "list", "status", "set", "run", "record", "play", "monitor", "plot", "bridge", "api",
            "completion"]

# As the shipped configuration shows them.
POLICIES = set(re.findall(
    r"^#([a-z_]+)=", (ROOT / "conf/oss_audioloop.conf").read_text().partition("# --- One instance")[2],
    re.MULTILINE))
SIDE_MEMBERS = {
    "state", "alive", "pid", "command", "direction", "nonblock",
    "format", "channels", "rate_hz", "fragment_bytes", "fragments",
}
MEMBERS = {
    "instance": int,
    "configured": bool,
    "segment": str,
    "problem": (str, type(None)),
    "server": SIDE_MEMBERS,
    "client": SIDE_MEMBERS,
    "other": (dict, type(None)),
    "loop": {"format", "channels", "rate_hz", "frozen"},
    "clients": list,
    "stream": {
        "state", "direction", "number", "fill_frames", "fill_ms", "delay_frames", "delay_ms", "levels",
    },
    "clock": {"running", "error_frames", "trim_ppm", "held_ms", "stalled_ms"},
    "counters": {"underruns", "overruns", "silence_frames", "dropped_frames", "clipped_samples"},
    "mixer": {"muted", "vol", "pcm", "igain"},
    "policy": POLICIES,
}


class ControlTest(DrivenTest):
    def control(self, loop, *words, env=None, wrapper=(), **options):
        return subprocess.run(
            [*wrapper, CONTROL, *words],
            env=loop.environment(env, preload=False),
            cwd=loop.work,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LIMIT_SECONDS,
            check=False,
            **options,
        )

    def does(self, loop, *words, **options):
        """What it prints; it must succeed and complain of nothing."""
        done = self.control(loop, *words, **options)
        self.assertEqual((0, ""), (done.returncode, done.stderr), words)
        return done.stdout

    def fails(self, loop, *words, status=1, **options):
        """The one line that tells why it failed."""
        done = self.control(loop, *words, **options)
        self.assertEqual((status, ""), (done.returncode, done.stdout), f"{words}: {done.stderr}")
        self.assertRegex(done.stderr, r"\Aossloopctl: [ -~]+\n\Z")
        return done.stderr

    def status(self, loop, number=0):
        return json.loads(self.does(loop, "status", str(number), "--json"))

    def numbers(self, loop):
        return [instance["instance"] for instance in json.loads(self.does(loop, "list", "--json"))]
