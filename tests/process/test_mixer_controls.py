"""The controls of a mixer as OSS 4 programs find them: levels, policies and meters."""

import errno
import os
import time

from driven import *
from oss_api import *
import sound
from loop import CONTROL

MIXER = "/dev/mixer"


class MixerControls(DrivenTest):
    def opened(self, **conf):
        loop = self.loop(**conf)
        agent = self.agent(loop)
        agent.fd = agent.open(MIXER, os.O_RDWR)
        return loop, agent

    def test_a_mixer_tells_about_itself(self):
        _, agent = self.opened(instances=2)
        for device in range(2):
            info = MixerInfo.of(agent, agent.fd, device)
            self.assertEqual((device, device, 1), (info.dev, info.legacy, info.enabled))
            self.assertEqual(f"/dev/oss/oss_audioloop0/mix{device}", info.node)
            self.assertEqual(info.controls, agent.ioctl(agent.fd, NREXT, device))
        self.assertEqual(0, MixerInfo.of(agent, agent.fd, -1).dev)

    def test_controls_form_a_tree_below_the_root(self):
        _, agent = self.opened()
        found = list(controls(agent, agent.fd).values())
        self.assertEqual(MIXT_DEVROOT, found[0].type)
        self.assertEqual("ossloop 0", text(found[0].data[16:]))
        for control in found[1:]:
            parent = found[control.parent]
            self.assertIn(parent.type, (MIXT_DEVROOT, MIXT_GROUP))
            self.assertLess(parent.ctrl, control.ctrl)
        self.assertLessEqual({"vol", "pcm", "igain", "mute", "peak.play", "peak.record", "loop.eof",
                              "loop.underrun", "loop.overrun", "loop.quality"}, {c.name for c in found})

    def test_levels_are_in_steps_of_half_a_decibel_and_those_of_oss_3(self):
        _, agent = self.opened()
        volume = controls(agent, agent.fd)["vol"]
        self.assertEqual((MIXT_STEREOSLIDER16, 500), (volume.type, volume.most))
        self.assertEqual(500 | 500 << 16, volume.get())
        self.assertEqual(480 | 490 << 16, volume.set(481 | 488 << 16))
        self.assertEqual(96 | 98 << 8, agent.ioctl(agent.fd, read_channel(VOLUME)))
        self.assertEqual(500 | 0 << 16, volume.set(0x7FFF))
        agent.ioctl(agent.fd, write_channel(VOLUME), both(1))
        self.assertEqual(5 | 5 << 16, volume.get())

    def test_policies_are_enumerations_that_act(self):
        loop, agent = self.opened()
        expected = {
            "loop.eof": ["reset", "eof", "silence", "wait"],
            "loop.underrun": ["silence", "stall"],
            "loop.overrun": ["wait", "drop"],
            "loop.quality": ["quick", "low", "medium", "high", "very-high"],
        }
        for name, names in expected.items():
            control = controls(agent, agent.fd)[name]
            self.assertEqual((MIXT_ENUM, len(names)), (control.type, control.most))
            self.assertEqual(names, control.names())
            for value, word in enumerate(names):
                self.assertEqual(value, control.set(value))
                status = loop.start(CONTROL, "status", 0, preload=False).succeed().output
                self.assertIn(f"{name.split('.')[1]}={word}", status)
            self.assert_errno(errno.EINVAL, control.set, len(names))
            self.assert_errno(errno.EINVAL, control.set, -1)
        controls(agent, agent.fd)["loop.eof"].set(1)
        server, client = self.pair(loop)
        reading = server.later("read_to_end", server.fd)
        client.write_all(client.fd, bytes(4000))
        client.close(client.fd)
        self.assertEqual((bytes(4000), 0), reading.result()[::2])

    def test_every_control_but_groups_is_described(self):
        _, agent = self.opened()
        for control in controls(agent, agent.fd).values():
            if control.type in (MIXT_DEVROOT, MIXT_GROUP, MIXT_MARKER):
                continue
            name, help = control.names(DESCRIPTION)[0].split("\n")
            self.assertEqual(control.name, name)
            self.assertTrue(help.endswith("."))

    def test_meters_show_the_peaks_of_what_plays(self):
        loop, agent = self.opened(clock="realtime")
        meter = controls(agent, agent.fd)["peak.play"]
        self.assertEqual(MIXT_STEREOPEAK, meter.type)
        self.assertEqual(0, meter.get())
        server, client = self.pair(loop)
        reading = server.later("read_bytes", server.fd, 48000 * 4)
        loud = sound.Sound(48000, 2, sound.array.array("h", [32767, 3277]) * 48000)
        writing = client.later("write_all", client.fd, loud.bytes())
        time.sleep(0.4)
        self.assertEqual((96, 76), (meter.get() & 0xFF, meter.get() >> 8))
        self.assertEqual(0, controls(agent, agent.fd)["peak.record"].get())
        reading.result()
        writing.result()

    def test_what_is_not_there_is_refused_as_oss_refuses_it(self):
        _, agent = self.opened()
        found = controls(agent, agent.fd)
        volume = found["vol"]
        self.assert_errno(errno.EIDRM, Control, agent, agent.fd, 0, len(found))
        self.assert_errno(errno.EIDRM, Control, agent, agent.fd, 0, -1)
        self.assert_errno(errno.ENXIO, Control, agent, agent.fd, 1, 0)
        self.assert_errno(errno.ENXIO, agent.ioctl, agent.fd, NREXT, 1)
        self.assert_errno(errno.ENXIO, MixerInfo.of, agent, agent.fd, 7)
        self.assert_errno(errno.EIDRM, volume.value_of, MIX_READ, 0, volume.timestamp + 1)
        self.assert_errno(errno.EFAULT, found["peak.play"].set, 5)
        self.assert_errno(errno.EFAULT, found["loop"].get)
        self.assert_errno(errno.EINVAL, volume.names)
