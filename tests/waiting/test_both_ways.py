"""A descriptor that plays and records has four states, and select, poll and epoll see each:
ready for nothing, for input, for output, for both."""

import os
import unittest

from driven import DrivenTest
from loop import CLIENT, SERVER

WAYS = ("select", "pselect", "poll", "ppoll", "epoll")
INPUT, OUTPUT = 1, 2
NOTHING, BOTH = 0, INPUT | OUTPUT
SOUND = bytes(range(1, 201)) * 960  # a second, and not a byte of silence


class BothWays(DrivenTest):
    def setUp(self):
        # Nothing moves by itself: what is not there is waited for.
        loop = self.loop(duplex="on", underrun="stall", overrun="wait")
        self.listener, self.speaker, self.client = (self.agent(loop) for _ in range(3))
        self.hears = self.listener.open(SERVER, os.O_RDONLY)
        self.speaks = self.speaker.open(SERVER, os.O_WRONLY)
        self.both = self.client.open(CLIENT, os.O_RDWR | os.O_NONBLOCK)
        # Before the others have begun, a descriptor for both ways plays to nobody and
        # records silence.
        hearing = self.listener.later("read_bytes", self.hears, 4096)
        hearing.wait_until_asleep()
        self.client.write(self.both, SOUND[:8192])
        hearing.result()
        self.speak()
        self.drain()

    def assert_state(self, state):
        """At last, and by every call."""
        for way in WAYS:
            with self.subTest(way):
                self.wait_until(lambda: self.client.readiness(self.both, way, 0.05) == state)

    def fill(self):
        """Plays all that goes in while the listener does not read."""
        self.client.write_until_refused(self.both)
        self.wait_until(lambda: self.client.write_until_refused(self.both) == 0)

    def speak(self):
        self.speaker.later("write_all", self.speaks, SOUND)

    def drain(self):
        """Records all that has been said."""
        left = [len(SOUND)]

        def empty():
            data = self.client.read_until_refused(self.both)
            left[0] -= len(data) - data.count(0)
            return left[0] == 0

        self.wait_until(empty)
        self.speaker.busy.result()

    def test_ready_for_output_when_there_is_room_and_nothing_is_said(self):
        self.assert_state(OUTPUT)

    def test_ready_for_nothing_when_there_is_no_room_and_nothing_is_said(self):
        self.fill()
        self.assert_state(NOTHING)

    def test_ready_for_input_when_there_is_no_room(self):
        self.fill()
        self.speak()
        self.assert_state(INPUT)

    def test_ready_for_both_when_there_is_room_and_something_is_said(self):
        self.speak()
        self.assert_state(BOTH)

    def test_each_way_goes_its_own_way_through_all_states(self):
        self.fill()
        self.assert_state(NOTHING)
        self.speak()
        self.assert_state(INPUT)
        self.listener.later("persist", self.hears, "read")
        self.assert_state(BOTH)
        self.drain()
        self.assert_state(OUTPUT)


if __name__ == "__main__":
    unittest.main()
