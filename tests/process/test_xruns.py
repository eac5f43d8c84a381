"""Sound that is not there in time, or not fetched in time."""

import errno
import time
import unittest

from driven import *
import sound

FRAME = 4  # bytes, in the format both sides start with


class Xruns(DrivenTest):
    def test_underrun_is_silence_and_counted(self):
        loop = self.loop()
        server, client = self.pair(loop)
        first, second = sound.noise(4800, seed=1).bytes(), sound.noise(4800, seed=2).bytes()
        reading = server.later("read_to_end", server.fd)
        self.assert_waits(reading, 0.1)
        client.write(client.fd, first)
        time.sleep(0.6)
        client.write(client.fd, second)
        underruns = fields(client.ioctl_bytes(client.fd, GETERROR, bytes(104)), "i")[0]
        client.close(client.fd)
        data, _, ended = reading.result(PROMPT_SECONDS)
        self.assertEqual(errno.ECONNRESET, ended)
        self.assertTrue(data.startswith(first), "the sound before the gap")
        self.assertTrue(data.endswith(second), "the sound after the gap")
        gap = data[len(first) : -len(second)]
        self.assertEqual(bytes(len(gap)), gap, "the gap is silence")
        self.assertGreater(len(gap), 0.2 * 48000 * FRAME)
        self.assertLess(len(gap), 1.2 * 48000 * FRAME)
        self.assertGreaterEqual(underruns, 1)

    def test_underrun_stall_waits_instead(self):
        loop = self.loop(underrun="stall")
        server, client = self.pair(loop)
        played = sound.count(9600).bytes()
        reading = server.later("read_to_end", server.fd)
        client.write(client.fd, played[:19200])
        time.sleep(0.5)
        client.write(client.fd, played[19200:])
        client.close(client.fd)
        self.assertEqual((played, errno.ECONNRESET), reading.result(PROMPT_SECONDS)[::2])

    def test_overrun_makes_the_producer_wait_and_nothing_is_lost(self):
        loop = self.loop()
        server, client = self.pair(loop)
        played = sound.count(2 * 48000).bytes()
        reading = server.later("read_bytes", server.fd, 480 * FRAME)
        writing = client.later("write_all", client.fd, played)
        first = reading.result()
        self.assert_waits(writing, 2.5)
        rest = server.later("read_to_end", server.fd)
        self.assertEqual((len(played), None), writing.result())
        client.close(client.fd)
        data, _, ended = rest.result()
        self.assertEqual((played, errno.ECONNRESET), (first + data, ended))

    def test_overrun_drop_loses_the_oldest_and_counts_it(self):
        loop = self.loop(overrun="drop")
        server, client = self.pair(loop)
        played = sound.count(2 * 48000).bytes()
        reading = server.later("read_bytes", server.fd, 480 * FRAME)
        writing = client.later("write_all", client.fd, played)
        first = reading.result()
        self.assertEqual((len(played), None), writing.result(4), "the producer does not wait")
        rest = server.later("read_to_end", server.fd)
        client.close(client.fd)
        data, _, ended = rest.result()
        overruns = fields(server.ioctl_bytes(server.fd, GETERROR, bytes(104)), "2i")[1]
        self.assertEqual(errno.ECONNRESET, ended)
        self.assertEqual(list(range(480)), sound.numbers(first))
        heard = sound.numbers(data)
        self.assertLess(len(heard), 1.5 * 48000, "nothing was lost")
        self.assertEqual(sorted(set(heard)), heard, "order or repetition")
        self.assertEqual(2 * 48000 - 1, heard[-1], "the newest was lost")
        self.assertGreaterEqual(overruns, 1)


if __name__ == "__main__":
    unittest.main()
