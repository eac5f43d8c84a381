"""jackd's OSS driver: one open for both ways, started by one trigger, with a thread that
reads and a thread that writes."""

import os
import shutil
import signal
import unittest

import sound
from headset import HeadsetTest
from loop import LIMIT_SECONDS, PYTHON, ProgramFailed

# A client that leads each of the card's inputs to the output of the same number.
CONNECT = """
import ctypes, sys, time
jack = ctypes.CDLL("libjack.so.0")
jack.jack_client_open.restype = ctypes.c_void_p
no_start, with_server_name, status = 1, 4, ctypes.c_int()
for _ in range(int(sys.argv[2])):
    client = jack.jack_client_open(b"lead", no_start | with_server_name, ctypes.byref(status), sys.argv[1].encode())
    if client:
        break
    time.sleep(0.1)
client = ctypes.c_void_p(client)
for n in b"1", b"2":
    assert jack.jack_connect(client, b"system:capture_" + n, b"system:playback_" + n) == 0
print("ready", flush=True)
time.sleep(1000)
"""

PERIOD = 1024  # frames


def times(period, count):
    return sound.Sound(period.rate, period.channels, period.samples * count)


class Jackd(HeadsetTest):
    def start(self, loop):
        # Servers of one user meet by their names; this folder's is like no other's.
        name = loop.work.name
        program = loop.start("jackd", "-r", "-n", name, "-d", "oss", "-r", 48000, "-p", PERIOD, "-w", 16,
                             "-C", self.records_on, "-P", self.plays_on)
        self.addCleanup(self.end, program, name)
        client = loop.start(PYTHON, "-E", "-c", CONNECT, name, 10 * LIMIT_SECONDS, preload=False)
        self.wait_until_ready(client)
        return program

    @staticmethod
    def end(program, name):
        """Killed, it leaves its files behind; asked to end, its threads now and then wait
        for each other for ever."""
        if program.running():
            program.send(signal.SIGTERM)
            try:
                program.wait(5)
            except ProgramFailed:
                pass
        shutil.rmtree(f"/dev/shm/jack-{os.getuid()}/{name}", ignore_errors=True)

    def test_it_plays_what_it_records_when_its_ports_are_connected(self):
        # Its threads repeat and leave out periods as they race for its one buffer, so this
        # is one period again and again; at half the level, for it has 32767 steps to 1.0.
        period = sound.Sound(48000, 2, sound.array.array("h", [s >> 1 for s in sound.noise(PERIOD).samples]))
        got = self.echo_of(self.start, times(period, 60), speak_first=False)
        begin = next(n for n, sample in enumerate(got.samples) if sample) // 2
        self.assert_contains(times(period, 40), got.tail(begin + 4 * PERIOD))


if __name__ == "__main__":
    unittest.main()
