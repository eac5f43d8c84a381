"""What OSS 4's own tools do, by a program built as theirs are: ossinfo, ossmix and
osstest walk all devices, engines, mixers and controls, and play."""

import os
import pathlib
import re
import unittest

import sound
from case import PartTest
from loop import CLIENT, LIBRARY, SERVER

WALK = pathlib.Path(os.environ.get("OSSLOOP_LIBRARY", LIBRARY)).parents[1] / "tests/programs/oss_walk"
TEST_FRAMES = 325_000  # 1.3 MB


class OssWalk(PartTest):
    def walk(self, loop, *words, **options):
        return loop.start(WALK, *words, **options).succeed().output.splitlines()

    def test_info_lists_all_devices_engines_mixers_and_cards(self):
        loop = self.loop(instances=3)
        recorder = loop.partner_records(SERVER)
        loop.wait_until_listening(recorder)
        lines = self.walk(loop, "info")
        self.assertEqual("OSS 4.1 (0x00040100)", lines[0])
        self.assertEqual("card 0: oss_audioloop0, ossloop loopback audio", lines[1])
        for instance in range(3):
            self.assertIn(f"mixer {instance}: ossloop {instance}, /dev/oss/oss_audioloop0/mix{instance}, 14 controls", lines)
        devices = [line for line in lines if line.startswith("audio ")]
        self.assertEqual([f"audio {n}:" for n in range(6)], [line[:8] for line in devices])
        self.assertRegex(devices[0], r"client side, /dev/oss/oss_audioloop0/pcm0, caps 0x[0-9a-f]+, busy 0$")
        self.assertRegex(devices[1], r"server side, /dev/oss/oss_audioloop0/server0, caps 0x[0-9a-f]+, busy 1$")
        self.assertEqual(6, sum(line.startswith("engine ") for line in lines))

    def test_mix_lists_all_controls_and_sets_each(self):
        loop = self.loop()
        self.assertEqual(
            ["vol 50.0:50.0", "pcm 50.0:50.0", "igain 50.0:50.0", "mute 0", "peak.play 0", "peak.record 0",
             "loop.eof reset", "loop.underrun silence", "loop.overrun wait", "loop.quality high"],
            self.walk(loop, "mix"))
        for name, value, shown in (("vol", "44.5", "44.5:44.5"), ("pcm", "0", "0.0:0.0"), ("mute", "1", "1"),
                                   ("loop.eof", "2", "silence"), ("loop.quality", "0", "quick")):
            self.assertEqual([f"{name} {shown}"], self.walk(loop, "mix", name, value))
            self.assertEqual([f"{name} {shown}"], self.walk(loop, "mix", name))

    def test_a_level_that_mix_sets_is_heard(self):
        loop = self.loop(clock="free")
        self.walk(loop, "mix", "vol", "44")
        recorder = loop.partner_records(SERVER)
        loop.wait_until_listening(recorder)
        loop.partner_plays(CLIENT, sound.Sound(48000, 2, sound.array.array("h", [20000]) * 9600)).succeed()
        self.assertEqual(round(20000 * 10 ** (-6 / 20)), loop.recorded(recorder).samples[-1])

    def test_open_takes_each_device_exclusively(self):
        loop = self.loop(instances=2)
        base = "/dev/oss/oss_audioloop0"
        # A client without a server is ENXIO with O_EXCL.
        self.assertEqual([f"{base}/pcm0 ENXIO", f"{base}/server0 opened",
                          f"{base}/pcm1 ENXIO", f"{base}/server1 opened"], self.walk(loop, "open"))
        loop.wait_until_listening(loop.partner_records(SERVER))
        self.assertEqual([f"{base}/pcm0 opened", f"{base}/server0 EBUSY"], self.walk(loop, "open")[:2])

    def played(self, rate):
        samples = sound.array.array("h", bytes(4 * TEST_FRAMES))
        for i in range(len(samples)):
            samples[i] = (i * 7919 + 32768) % 65536 - 32768
        return sound.Sound(rate, 2, samples)

    def test_a_whole_song_goes_in_one_write(self):
        loop = self.loop(clock="free")
        recorder = loop.partner_records(SERVER)
        loop.wait_until_listening(recorder)
        self.assertRegex(self.walk(loop, "test", CLIENT)[0], "^1300000 bytes")
        self.assert_identical(self.played(48000), loop.recorded(recorder))

    def test_the_rate_is_that_of_the_clock(self):
        def takes():
            loop = self.loop(underrun="stall")
            recorder = loop.partner_records(SERVER, 96000)
            loop.wait_until_listening(recorder)
            line = self.walk(loop, "test", CLIENT, "96000")[0]
            rate = int(re.search(r"(\d+) frames a second", line)[1])
            self.assertEqual(TEST_FRAMES, loop.recorded(recorder, 96000).frames)
            self.assertLess(rate, 1.01 * 96000, line)
            return TEST_FRAMES / rate

        self.assert_quick(TEST_FRAMES / (0.85 * 96000), takes)


if __name__ == "__main__":
    unittest.main()
