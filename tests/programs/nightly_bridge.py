"""What takes too long, or too much, for each build: ten minutes of a bridge whose card changes its speed; and a bridge
to PipeWire. `tools/nightly` runs it; by hand:

    cd tests/programs && PYTHONPATH=../support:. python3 -B nightly_bridge.py
"""

import time
import unittest

from bridge import BridgeTest, Heard, Hindrance, RATE, numbered
from loop import CLIENT

SPEEDS_PPM = (500, -500, 500, -300, 0, 700, -700)
SECONDS = 600
LATENCY_MS = 150
LOCKED = "in step with the card"


class LongBridge(BridgeTest):
    def test_ten_minutes_without_a_frame_lost_or_doubled(self):
        loop = self.bridged_loop()
        listener = self.card_listener(loop)
        self.speed(loop, SPEEDS_PPM[0])
        daemon = self.sound_server(loop)
        bridge = self.bridge(loop, "0", "--latency", f"{LATENCY_MS}")
        player = self.player(loop, numbered(SECONDS))
        hindrance = Hindrance([pid for one in (daemon, bridge, player) for pid in loop.processes_of(one)],
                              listener.recording)
        hindrance.start()
        self.wait_until_told(bridge, LOCKED)
        locked = listener.recording.stat().st_size // 4
        began = time.monotonic()
        for ppm in SPEEDS_PPM:
            self.speed(loop, ppm)
            time.sleep(max(0, SECONDS / len(SPEEDS_PPM) - (time.monotonic() - began)))
            began = time.monotonic()
        player.succeed(120)
        time.sleep(2)
        hindrance.stop()
        heard = Heard(listener.recording.read_bytes())
        print(bridge.errors)
        self.assert_gaps_are_the_machines(heard, locked, hindrance)
        self.assertEqual(SECONDS * RATE - 1, heard.sound[-1])
        self.end(bridge)

    def assert_gaps_are_the_machines(self, heard, locked, hindrance):
        """A gap is silence, behind which the next frame follows; and there is one only where the machine has kept the
        programs waiting for most of what lay ahead of the card."""
        self.assertEqual([], [at for at in heard.breaks()
                              if at[2] is not None and len(heard.numbers) - at[0] > locked])
        for place, frames in heard.silences():
            if place <= locked:
                continue
            waited_ms = 1000 * hindrance.before(4 * place)
            told = f"{frames * 1000 / RATE:.0f} ms of silence at {place / RATE:.1f} s, {waited_ms:.0f} ms waited before"
            print(told)
            self.assertGreater(waited_ms, LATENCY_MS / 2, told)


class PipeWire(BridgeTest):
    def start_pipewire(self, loop):
        """Returns what its clients need to find it."""
        folder = loop.file("run")
        folder.mkdir(mode=0o700)
        env = {"XDG_RUNTIME_DIR": folder, "DBUS_SESSION_BUS_ADDRESS": f"unix:path={folder}/bus"}
        loop.start("dbus-daemon", "--session", "--nofork", f"--address={env['DBUS_SESSION_BUS_ADDRESS']}",
                   env=env, preload=False)
        self.wait_until((folder / "bus").exists)
        loop.start("pipewire", env=env, preload=False)
        self.wait_until((folder / "pipewire-0").exists)
        for name in ("wireplumber", "pipewire-pulse"):
            loop.start(name, env=env, preload=False)
        self.wait_until((folder / "pulse/native").exists)
        env["PULSE_SERVER"] = f"unix:{folder}/pulse/native"
        self.wait_until(lambda: loop.start("pactl", "info", env=env, preload=False).wait() == 0)
        loop.start("pactl", "load-module", "module-null-sink", "sink_name=card", "rate=48000", env=env,
                   preload=False).succeed()
        self.wait_until(lambda: "card" in loop.start(
            "pactl", "list", "short", "sinks", env=env, preload=False).succeed().output)
        loop.start("pactl", "set-sink-volume", "card", "100%", env=env, preload=False).succeed()
        return env

    def test_a_minute_is_heard_bit_for_bit(self):
        self.assert_once(self.is_heard)

    def is_heard(self):
        loop = self.bridged_loop()
        env = self.start_pipewire(loop)
        recorded = loop.file("recorded")
        loop.start("parec", "-d", "card.monitor", "--raw", "--rate=48000", "--channels=2", "--format=s16le",
                   "--latency-msec=500", "--file-format=raw", recorded, env=env, preload=False)
        self.wait_until(lambda: recorded.exists() and recorded.stat().st_size > 0)
        bridge = self.bridge(loop, "0", "--device", "card", "--latency", "100", env=env)
        player = self.player(loop, numbered(60), device=CLIENT)
        self.wait_until_told(bridge, LOCKED)
        locked = recorded.stat().st_size // 4
        player.succeed(120)
        time.sleep(2)
        heard = Heard(recorded.read_bytes())
        print(bridge.errors)
        self.assertEqual([], [at for at in heard.breaks() if len(heard.numbers) - at[0] > locked])
        self.assertEqual(60 * RATE - 1, heard.sound[-1])
        self.end(bridge)


if __name__ == "__main__":
    unittest.main()
