"""ossloopctl bridge: what is played is heard at a sound server, at the pace of its card."""

import re
import shutil
import signal
import time
import unittest

from bridge import BridgeTest, Heard, RATE, numbered
from loop import CLIENT, CONTROL, PYTHON, serial, server

# Long enough for a machine that has other things to do.
LATENCY = ("--latency", "150")
LOCKED = "in step with the card"


CHANGING_PLAYER = """
import ossaudiodev, sys
data = open(sys.argv[1], "rb").read()
device = ossaudiodev.open("/dev/dsp", "w")
half = len(data) // 2
device.setparameters(ossaudiodev.AFMT_S16_LE, 2, 48000)
device.writeall(data[:half])
device.setparameters(ossaudiodev.AFMT_U8, 1, 22050)
device.writeall(b"\\x80" * 22050)
device.setparameters(ossaudiodev.AFMT_S16_LE, 2, 48000)
device.writeall(data[half:])
device.close()
"""


class Bridge(BridgeTest):
    def test_no_frame_is_lost_or_doubled_while_the_clock_follows_the_card(self):
        self.assert_once(self.follows_the_card)

    def follows_the_card(self):
        loop = self.bridged_loop()
        listener = self.card_listener(loop)
        self.speed(loop, 500)
        self.sound_server(loop)
        bridge = self.bridge(loop, "0", *LATENCY)
        player = self.player(loop, numbered(14))
        self.wait_until_told(bridge, LOCKED)
        locked = self.frames_of(listener)
        self.assertGreater(self.status(loop)["clock"]["trim_ppm"], 0)
        self.speed(loop, -500)
        player.succeed()
        self.wait_until(lambda: self.has_heard(listener, 14 * RATE - 1))
        heard = Heard(listener.recording.read_bytes())
        self.assertEqual([], [at for at in heard.breaks() if len(heard.numbers) - at[0] > locked])
        self.assertEqual(14 * RATE - 1, heard.sound[-1])
        self.end(bridge)

    def test_a_bridge_that_comes_late_is_silent_for_no_longer_than_that(self):
        self.assert_once(self.comes_late)

    def comes_late(self):
        loop = self.bridged_loop()
        listener = self.card_listener(loop)
        self.sound_server(loop)
        bridge = self.bridge(loop, "0", *LATENCY)
        player = self.player(loop, numbered(7))
        self.wait_until_told(bridge, LOCKED)
        locked = self.frames_of(listener)
        began = time.monotonic()
        bridge.send(signal.SIGSTOP)
        time.sleep(0.3)
        bridge.send(signal.SIGCONT)
        late_seconds = time.monotonic() - began
        player.succeed()
        self.wait_until(lambda: self.has_heard(listener, 7 * RATE - 1))
        heard = Heard(listener.recording.read_bytes())
        self.assertEqual([], [at for at in heard.breaks() if len(heard.numbers) - at[0] > locked and at[2] is not None])
        silence = sum(frames for place, frames in heard.silences() if place > locked)
        self.assertGreater(silence, 0)
        self.assertLess(silence, late_seconds * RATE)
        self.end(bridge)

    def frames_of(self, listener):
        return listener.recording.stat().st_size // 4

    def has_heard(self, listener, number):
        data = listener.recording.read_bytes()[-8 * RATE:]
        return Heard(data).sound[-1:] == [number]

    def test_the_program_plays_on_while_the_sound_server_is_away(self):
        loop = self.bridged_loop()
        listener = self.card_listener(loop)
        daemon = self.sound_server(loop)
        bridge = self.bridge(loop, "0", *LATENCY)
        player = self.player(loop, numbered(12))
        self.wait_until(lambda: self.frames_of(listener) > RATE)
        daemon.kill()
        self.wait_until_told(bridge, "is gone")
        before = self.frames_of(listener)
        self.sound_server(loop)
        self.wait_until_told(bridge, "is back")
        self.wait_until(lambda: self.frames_of(listener) > before + RATE)
        self.assertTrue(player.running())
        player.succeed()
        self.assertEqual(1, bridge.errors.count("is gone"))
        self.assertEqual(1, bridge.errors.count("is back"))
        self.end(bridge)

    def test_each_stream_has_the_format_of_its_player(self):
        loop = self.bridged_loop()
        self.sound_server(loop, "module-null-sink")
        bridge = self.bridge(loop, "0", *LATENCY)
        self.player(loop, bytes(2 * 11025), format="S16_LE", rate=11025, channels=1).succeed()
        self.player(loop, bytes(3 * 4 * 48000), format="S32_LE", rate=48000, channels=3).succeed()
        self.wait_until_told(bridge, "playing S16_LE, 1 channel, 11025 Hz")
        self.wait_until_told(bridge, "playing S32_LE, 3 channels, 48000 Hz")
        self.end(bridge)

    def test_a_player_that_changes_its_format_in_the_middle_is_followed(self):
        loop = self.bridged_loop()
        listener = self.card_listener(loop)
        self.sound_server(loop)
        bridge = self.bridge(loop, "0", *LATENCY)
        song = loop.file("song.raw")
        song.write_bytes(numbered(4))
        loop.start(PYTHON, "-c", CHANGING_PLAYER, song).succeed()
        self.wait_until(lambda: self.has_heard(listener, 4 * RATE - 1))
        self.assertEqual(
            ["S16_LE, 2 channels, 48000 Hz", "U8, 1 channel, 22050 Hz", "S16_LE, 2 channels, 48000 Hz"],
            re.findall("playing (.*Hz)", bridge.errors))
        numbers = set(Heard(listener.recording.read_bytes()).sound)
        self.assertEqual([], [number for number in range(4 * RATE) if number not in numbers])
        self.end(bridge)

    def test_a_recorder_hears_the_microphone(self):
        self.assert_once(self.hears_the_microphone)

    def hears_the_microphone(self):
        loop = self.bridged_loop(**{"loop1.duplex": "on"})
        loop.wait_until_listening(self.player(loop, numbered(14), device=server(1)))
        self.sound_server(loop, "module-oss device=/dev/dsp1 playback=0 rate=48000 channels=2 fragments=12 "
                                "fragment_size=2048")
        bridge = self.bridge(loop, "0", "--in", *LATENCY)
        recorder = loop.partner_records(CLIENT, frames=8 * RATE)
        self.wait_until_told(bridge, LOCKED)
        recorder.succeed()
        heard = Heard(recorder.recording.read_bytes())
        self.assertEqual([], [at for at in heard.breaks() if at[0] < 2 * RATE])
        self.assertGreater(len(heard.sound), 4 * RATE)
        self.end(bridge)


class IdleBridge(BridgeTest):
    WATCHED_SECONDS = 3
    WAKE_UPS_PER_SECOND = 4

    def wake_ups(self, loop, bridge):
        processes = loop.processes_of(bridge)
        before = loop.switches(processes)
        time.sleep(self.WATCHED_SECONDS)
        return loop.switches(processes) - before

    @serial
    def test_it_wakes_at_most_four_times_a_second_until_somebody_plays_and_after_that(self):
        loop = self.bridged_loop()
        self.sound_server(loop, "module-null-sink")
        bridge = self.bridge(loop, "0", *LATENCY)
        time.sleep(0.3)
        most = self.WAKE_UPS_PER_SECOND * self.WATCHED_SECONDS
        self.assertLessEqual(self.wake_ups(loop, bridge), most)
        player = self.player(loop, numbered(2 + self.WATCHED_SECONDS))
        self.wait_until_told(bridge, "playing S16_LE")
        self.assertGreater(self.wake_ups(loop, bridge), most)
        player.succeed()
        # The stream at the sound server is kept for a while for who plays next.
        self.wait_until(lambda: self.wake_ups(loop, bridge) <= most)
        self.end(bridge)


class BridgeUsage(BridgeTest):
    def test_what_it_cannot_do_is_one_line(self):
        loop = self.bridged_loop()
        nowhere = {"PULSE_SERVER": f"unix:{loop.file('nobody')}"}
        for words, status, text in (
            (["--to", "pulse"], 1, "PulseAudio: Connection refused"),
            (["--to", "alsa", "--device", "nothing"], 1, "the PCM 'nothing' does not open"),
            (["7", "--to", "pulse"], 1, "there is no instance 7"),
            (["99"], 2, "no instance '99'"),
            (["--latency", "0"], 2, "a whole number from 5 to 1000"),
            (["--to", "jack"], 2, "--to"),
            (["--in", "--out", "--to", "pulse"], 1, "duplex=off"),
        ):
            self.assertIn(text, self.fails(loop, "bridge", *words, status=status, env=nowhere))
        self.assertEqual("free", self.status(loop)["server"]["state"])

    def test_a_device_that_is_not_there_and_a_side_that_is_taken_are_told(self):
        loop = self.bridged_loop()
        self.sound_server(loop, "module-null-sink sink_name=there")
        env = self.at_server(loop)
        self.assertIn("it has no sink 'missing'", self.fails(loop, "bridge", "--device", "missing", env=env))
        self.bridge(loop, "0", "--device", "there")
        self.assertIn("server side open", self.fails(loop, "bridge", "0", env=env))

    def test_without_the_program_of_its_own_it_says_what_to_install(self):
        loop = self.bridged_loop()
        alone = shutil.copy(CONTROL, loop.file("ossloopctl"))
        done = loop.start(alone, "bridge", preload=False)
        self.assertEqual(1, done.wait())
        self.assertEqual("ossloopctl: bridge: ossloop-bridge is not installed (package ossloop-bridge)\n", done.errors)

    def test_the_loop_is_no_card_for_itself(self):
        loop = self.bridged_loop()
        conf = loop.file("alsa.conf")
        conf.write_text("</usr/share/alsa/alsa.conf>\npcm.!default { type oss device /dev/dsp0 }\n")
        self.assertIn("is this loop itself", self.fails(
            loop, "bridge", "--to", "alsa", env={"ALSA_CONFIG_PATH": conf}))


class Hear(BridgeTest):
    def test_a_program_is_heard_with_an_instance_of_its_own(self):
        loop = self.bridged_loop()
        listener = self.card_listener(loop)
        self.sound_server(loop)
        song = loop.file("song.raw")
        song.write_bytes(numbered(2))
        before = self.numbers(loop)
        done = self.control(loop, "run", "--hear", "--", "sh", "-c", 'cat "$0" > /dev/dsp; exit 3', song,
                            env=self.at_server(loop))
        self.assertEqual((3, ""), (done.returncode, done.stderr))
        self.assertEqual(before, self.numbers(loop))
        self.wait_until(lambda: self.heard_all(listener, 2 * RATE))

    def heard_all(self, listener, frames):
        return Heard(listener.recording.read_bytes()).sound == list(range(frames))

    def test_without_a_sound_server_the_program_is_not_started(self):
        loop = self.bridged_loop()
        env = {"PULSE_SERVER": f"unix:{loop.file('nobody')}", "ALSA_CONFIG_PATH": "/dev/null"}
        before = self.numbers(loop)
        self.assertIn("there is no sound server", self.fails(
            loop, "run", "--hear", "--", "touch", loop.file("started"), env=env))
        self.assertFalse(loop.file("started").exists())
        self.assertEqual(before, self.numbers(loop))

    def test_a_killed_program_leaves_nothing(self):
        loop = self.bridged_loop()
        self.sound_server(loop, "module-null-sink")
        before = self.numbers(loop)
        done = self.control(loop, "run", "--hear", "--", "sh", "-c", "kill -KILL $$", env=self.at_server(loop))
        self.assertEqual((128 + 9, ""), (done.returncode, done.stderr))
        self.assertEqual(before, self.numbers(loop))
        self.assertEqual([], [word for word in self.commands(loop) if "ossloop-bridge" in word])

    def commands(self, loop):
        return [line for line in loop.start("ps", "-eo", "args", preload=False).succeed().output.splitlines()
                if str(loop.work) in line]


if __name__ == "__main__":
    unittest.main()
