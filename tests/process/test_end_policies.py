"""What a server reads at the end of a stream, by the policy of its instance."""

import errno
import os
import unittest

from driven import *
import sound
from loop import CLIENT, SERVER

FREE = {"clock": "free"}
FRAME = 4  # bytes, in the format both sides start with


class EndPolicies(DrivenTest):
    def play(self, client, frames):
        fd = client.open(CLIENT, os.O_WRONLY)
        data = sound.count(frames).bytes()
        client.write_all(fd, data)
        client.close(fd)
        return data

    def test_eof_reset_is_the_default(self):
        loop = self.loop(**FREE)
        server, client = self.agent(loop), self.agent(loop)
        fd = server.open(SERVER, os.O_RDONLY)
        reading = server.later("read_to_end", fd)
        data = self.play(client, 1000)
        self.assertEqual((data, errno.ECONNRESET), reading.result(PROMPT_SECONDS)[::2])

    def test_eof_eof_reads_0_until_the_next_stream(self):
        loop = self.loop(eof="eof", **FREE)
        server, client = self.agent(loop), self.agent(loop)
        fd = server.open(SERVER, os.O_RDONLY)
        reading = server.later("read_to_end", fd)
        self.assert_waits(reading, 0.1)
        for frames in (1000, 1001):
            data = self.play(client, frames)
            self.assertEqual((data, 0), reading.result(PROMPT_SECONDS)[::2])
            # As a file: who asks again, such as sox, hears it again.
            self.assertEqual(b"", server.read(fd, 4096))
            reading = server.later("read_next", fd)

    def test_eof_silence_never_ends(self):
        loop = self.loop(eof="silence")
        server, client = self.agent(loop), self.agent(loop)
        fd = server.open(SERVER, os.O_RDONLY)
        reading = server.later("read_bytes", fd, 24000 * FRAME)
        data = self.play(client, 4800)
        got = reading.result(PROMPT_SECONDS)
        self.assertEqual(data, got[: len(data)])
        self.assertEqual(bytes(len(got) - len(data)), got[len(data) :])

    def test_eof_wait_joins_the_streams_without_a_sign(self):
        loop = self.loop(eof="wait", **FREE)
        server, client = self.agent(loop), self.agent(loop)
        fd = server.open(SERVER, os.O_RDONLY)
        reading = server.later("read_bytes", fd, 2001 * FRAME)
        data = self.play(client, 1000)
        self.assert_waits(reading, 0.2)
        data += self.play(client, 1001)
        self.assertEqual(data, reading.result(PROMPT_SECONDS))

    def test_a_changed_configuration_counts_from_the_servers_next_open(self):
        loop = self.loop(clock="free", eof="reset")
        for eof, told in (("reset", errno.ECONNRESET), ("eof", 0)):
            loop.configure(clock="free", eof=eof)
            server, client = self.agent(loop), self.agent(loop)
            fd = server.open(SERVER, os.O_RDONLY)
            recording = server.later("read_to_end", fd)
            played = self.play(client, 480)
            data, _, ended = recording.result()
            self.assertEqual((played, told), (data, ended))
            server.close(fd)

    def test_policies_can_be_set_for_one_instance(self):
        loop = self.loop(instances=2, clock="free", **{"loop1.eof": "eof"})
        server_agent, client_agent = self.pair(loop, instance=1)
        data = sound.count(100).bytes()
        client_agent.write(client_agent.fd, data)
        client_agent.close(client_agent.fd)
        self.assertEqual((data, 0), server_agent.read_to_end(server_agent.fd)[::2])


if __name__ == "__main__":
    unittest.main()
