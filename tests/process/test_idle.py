"""A server that waits for a client costs next to nothing."""

import os
import select
import time
import unittest

from driven import *
from loop import SERVER, cpu_seconds, serial, voluntary_switches

WATCHED_SECONDS = 3
WAKE_UPS_PER_SECOND = 4


class Idle(DrivenTest):
    def assert_idle(self, agent):
        time.sleep(0.3)
        switches, cpu = voluntary_switches(agent.pid), cpu_seconds(agent.pid)
        time.sleep(WATCHED_SECONDS)
        switches, cpu = voluntary_switches(agent.pid) - switches, cpu_seconds(agent.pid) - cpu
        self.assertLessEqual(switches, WAKE_UPS_PER_SECOND * WATCHED_SECONDS)
        self.assertLessEqual(cpu, 0.03)  # the kernel counts whole ticks of 0.01 s

    @serial
    def test_server_in_its_first_read_wakes_at_most_four_times_a_second(self):
        for nonblock in (0, os.O_NONBLOCK):
            with self.subTest(nonblock=bool(nonblock)):
                server = self.agent(self.loop())
                fd = server.open(SERVER, os.O_RDONLY | nonblock)
                reading = server.later("read", fd, 4096)
                self.assert_idle(server)
                self.assertFalse(reading.done(0))

    @serial
    def test_server_in_its_first_write_wakes_at_most_four_times_a_second(self):
        server = self.agent(self.loop())
        fd = server.open(SERVER, os.O_WRONLY)
        server.later("write", fd, bytes(4096))
        self.assert_idle(server)

    @serial
    def test_server_that_polls_wakes_at_most_four_times_a_second(self):
        server = self.agent(self.loop())
        fd = server.open(SERVER, os.O_RDONLY)
        server.later("poll", fd, select.POLLIN, 30000)
        self.assert_idle(server)

    @serial
    def test_an_open_device_that_nobody_uses_wakes_at_most_four_times_a_second(self):
        loop = self.loop()
        server, client = self.pair(loop)
        for agent in (server, client):
            self.assert_idle(agent)


if __name__ == "__main__":
    unittest.main()
