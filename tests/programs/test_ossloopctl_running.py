"""ossloopctl shows and changes instances that programs have open."""

import os
import struct
import unittest

import sound
from control import ControlTest
from driven import SETFMT
from loop import CLIENT, SERVER

FREE = {"clock": "free"}
AFMT_FLOAT = 0x4000


class Running(ControlTest):
    def test_set_takes_effect_on_a_waiting_server(self):
        loop = self.loop(**FREE)
        recorder = loop.partner_records(SERVER)
        loop.wait_until_listening(recorder)
        self.does(loop, "set", "0", "eof=eof")
        played = sound.noise(3000)
        loop.partner_plays(CLIENT, played).succeed()
        self.assert_identical(played, loop.recorded(recorder))
        self.assertEqual(0, recorder.report()["errno"])

    def test_without_it_the_stream_ends_with_a_reset(self):
        loop = self.loop(**FREE)
        recorder = loop.partner_records(SERVER)
        loop.wait_until_listening(recorder)
        loop.partner_plays(CLIENT, sound.noise(3000)).succeed()
        self.assertNotEqual(0, recorder.report()["errno"])

    def test_status_shows_who_has_a_side_and_what_it_does(self):
        loop = self.loop(**FREE)
        server, client = self.agent(loop), self.agent(loop)
        recording = server.open(SERVER, os.O_RDONLY)
        server.set_format(recording, 0x8, 1, 8000)
        shown = self.status(loop)
        self.assertEqual(("open", True, server.pid, "read"), self.side(shown["server"]))
        self.assertEqual(("free", False, None, None), self.side(shown["client"]))
        self.assertEqual({"format": "U8", "channels": 1, "rate_hz": 8000, "frozen": False}, shown["loop"])
        self.assertEqual("idle", shown["stream"]["state"])

        playing = client.open(CLIENT, os.O_WRONLY)
        client.set_format(playing, 0x8, 1, 8000)
        client.write(playing, bytes(800))
        shown = self.status(loop)
        self.assertEqual(("open", True, client.pid, "write"), self.side(shown["client"]))
        self.assertFalse(shown["loop"]["frozen"])
        self.assertEqual(("filling", 800, 100), self.fill(shown))
        self.assertIn(f"PID {client.pid}", self.does(loop, "list"))

        server.read(recording, 300)
        shown = self.status(loop)
        self.assertEqual(("running", 500, 62), self.fill(shown))
        self.assertTrue(shown["loop"]["frozen"])
        client.close(playing)
        self.assertEqual(("ending", 500, 62), self.fill(self.status(loop)))
        server.read_to_end(recording)
        shown = self.status(loop)
        self.assertEqual(("idle", 0, 0), self.fill(shown))
        self.assertFalse(shown["loop"]["frozen"])

    def test_status_shows_a_server_that_writes(self):
        loop = self.loop()
        server = self.agent(loop)
        playing = server.open(SERVER, os.O_WRONLY)
        writing = server.later("write", playing, bytes(4000))
        self.assert_waits(writing)
        shown = self.status(loop)
        self.assertEqual("write", shown["server"]["direction"])
        self.assertEqual(("waiting", "server-to-client"), (shown["stream"]["state"], shown["stream"]["direction"]))

    def test_counters_tell_of_silence(self):
        loop = self.loop(eof="silence")
        server, client = self.pair(loop)
        client.write(client.fd, bytes(4 * 480))
        server.read_bytes(server.fd, 4 * 480)
        server.read_bytes(server.fd, 4 * 24000)
        counters = self.status(loop)["counters"]
        self.assertGreater(counters["silence_frames"], 0)
        self.assertGreater(counters["underruns"], 0)

    def play_floats(self, loop, floats):
        """What a recorder of 16 bits hears of them."""
        server, client = self.pair(loop)
        client.ioctl(client.fd, SETFMT, AFMT_FLOAT)
        reading = server.later("read_to_end", server.fd)
        client.write_all(client.fd, struct.pack(f"<{len(floats)}f", *floats))
        client.close(client.fd)
        heard = reading.result()[0]
        return struct.unpack(f"<{len(heard) // 2}h", heard)

    def test_samples_that_were_too_loud_are_told(self):
        loop = self.loop(**FREE)
        heard = self.play_floats(loop, (0.5, 1.5, -0.25, -2.0, 1.25, 0.0))
        self.assertEqual((16384, 32767, -8192, -32768, 32767, 0), heard)
        self.assertEqual(3, self.status(loop)["counters"]["clipped_samples"])
        self.assertIn("3 samples clipped", self.does(loop, "status", "0"))

    def test_dither_is_there_where_it_was_chosen(self):
        for dither, steps in (("none", {0}), ("tpdf", {-1, 0, 1})):
            loop = self.loop(**FREE)
            self.does(loop, "set", "0", f"dither={dither}")
            self.assertEqual(steps, set(self.play_floats(loop, [0.0] * 4000)))

    def test_a_killed_program_is_dead_and_in_nobodys_way(self):
        loop = self.loop()
        server = self.agent(loop)
        server.open(SERVER, os.O_RDONLY)
        server.kill()
        shown = self.status(loop)
        self.assertEqual(("dead", False, server.pid, "read"), self.side(shown["server"]))
        self.does(loop, "destroy", "0")

    def test_destroy_is_refused_while_a_side_is_open(self):
        loop = self.loop(**FREE)
        agent = self.agent(loop)
        recording = agent.open(SERVER, os.O_RDONLY)
        self.assertIn(f"PID {agent.pid}, server side", self.fails(loop, "destroy", "0"))
        self.assertEqual("open", self.status(loop)["server"]["state"])
        # And it did no harm.
        played = sound.noise(1000)
        reading = agent.later("read_to_end", recording)
        loop.partner_plays(CLIENT, played).succeed()
        self.assertEqual(played.bytes(), reading.result(3)[0])
        agent.close(recording)
        self.does(loop, "destroy", "0")

    def test_buffer_ms_changes_only_while_nobody_has_it_open(self):
        loop = self.loop()
        agent = self.agent(loop)
        recording = agent.open(SERVER, os.O_RDONLY)
        self.assertIn("buffer_ms", self.fails(loop, "set", "0", "eof=eof", "buffer_ms=1000"))
        self.assertEqual(("reset", "340"), self.policy(loop, "eof", "buffer_ms"))
        self.does(loop, "set", "0", "eof=eof", "buffer_ms=340")  # no change
        agent.close(recording)
        self.does(loop, "set", "0", "buffer_ms=1000")
        self.assertEqual(("eof", "1000"), self.policy(loop, "eof", "buffer_ms"))
        _, client = self.pair(loop)
        a_second = bytes(4 * 48000)
        self.assertEqual(len(a_second), client.later("write", client.fd, a_second).result(3))

    def test_a_segment_full_of_garbage_is_shown_in_range(self):
        loop = self.loop()
        self.does(loop, "create", "1")
        path = loop.runtime / "loop1"
        for byte in (b"\xff", b"\x80", b"\x7f", b"\x01"):
            with open(path, "r+b") as file:
                file.seek(64)
                file.write(byte * (16384 - 64))
            shown = self.status(loop, 1)
            self.assertEqual("dead" if byte[0] & 1 else "free", shown["server"]["state"])
            self.assertIn(shown["policy"]["eof"], ("reset", "eof", "silence", "wait"))
            self.assertLessEqual(shown["loop"]["rate_hz"], 768000)
            self.assertRegex(self.does(loop, "status", "1"), r"\A[ -~\n]*\Z")
            self.does(loop, "list")
            self.does(loop, "set", "1", "eof=eof")

    @staticmethod
    def side(side):
        return side["state"], side["alive"], side["pid"], side["direction"]

    @staticmethod
    def fill(shown):
        stream = shown["stream"]
        return stream["state"], stream["fill_frames"], stream["fill_ms"]

    def policy(self, loop, *keys):
        return tuple(self.status(loop)["policy"][key] for key in keys)


if __name__ == "__main__":
    unittest.main()
