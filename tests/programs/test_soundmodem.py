"""soundmodem: one open that reads and writes without blocking, and must be full duplex."""

import os
import select
import time
import tty
import unittest

from headset import HeadsetTest

CONFIG = """<?xml version="1.0"?>
<modem>
<configuration name="one">
<chaccess txdelay="100" slottime="100" ppersist="255" fulldup="1" txtail="50"/>
<audio type="soundcard" device="{device}" halfdup="0" capturechannelmode="Mono"/>
<ptt file="none" hamlib_model="" hamlib_params=""/>
<channel name="0">
<mod mode="fsk" bps="9600" filter="df9ic/g3ruh"/>
<demod mode="fsk" bps="9600" filter="df9ic/g3ruh"/>
<pkt mode="KISS" file="{line}" unlink="1"/>
</channel>
</configuration>
</modem>
"""
END = b"\xc0"  # of a frame on the line; then comes what is meant, 0 for data


def packet(text):
    """An AX.25 frame: to TEST, from NOBODY, unnumbered, no protocol."""
    address = bytes(letter << 1 for letter in b"TEST  ") + b"\xe0" + bytes(letter << 1 for letter in b"NOBODY") + b"\x61"
    return address + b"\x03\xf0" + text


class Modem:
    """A modem, and the line on which it takes packets and gives what it has heard."""

    def __init__(self, test, loop, name, device):
        self.line = loop.file(f"{name}.line")
        conf = loop.file(f"{name}.conf")
        conf.write_text(CONFIG.format(device=device, line=self.line))
        self.program = loop.start("soundmodem", "-v", 5, conf)

        def started():
            test.assertTrue(self.program.running(), self.program.explain("ended early"))
            return self.line.exists()

        test.wait_until(started)
        self.fd = os.open(self.line, os.O_RDWR | os.O_NOCTTY)
        test.addCleanup(os.close, self.fd)
        tty.setraw(self.fd)
        self.heard = b""

    def send(self, data):
        os.write(self.fd, END + b"\0" + data + END)

    def has_heard(self, data):
        if select.select([self.fd], [], [], 0)[0]:
            self.heard += os.read(self.fd, 4096)
        return END + b"\0" + data + END in self.heard


class Soundmodem(HeadsetTest):
    def call(self, sender, hearer):
        """Calls until it is heard: a modem has its line before it listens."""
        again = 0

        def heard():
            nonlocal again
            if time.monotonic() >= again:
                sender.send(packet(b"are you there?"))
                again = time.monotonic() + 3
            return hearer.has_heard(packet(b"are you there?"))

        self.wait_until(heard)

    def test_two_of_them_hear_each_other_at_once(self):
        loop = self.headset()
        far = Modem(self, loop, "far", self.hears)
        near = Modem(self, loop, "near", self.plays_on)
        self.call(near, far)
        self.call(far, near)
        for number in range(3):
            calls = packet(b"how do you hear me? %d" % number)
            answers = packet(b"loud and clear. %d" % number * 20)
            near.send(calls)
            far.send(answers)
            # Each has a checksum of its own: what was spoilt is not handed out.
            self.wait_until(lambda: far.has_heard(calls))
            self.wait_until(lambda: near.has_heard(answers))
        for modem in (near, far):
            self.assertIn("sample rate", modem.program.output + modem.program.errors)
            self.assertNotIn("half duplex", modem.program.output + modem.program.errors)


if __name__ == "__main__":
    unittest.main()
