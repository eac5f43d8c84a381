"""Event loops of every kind see a device's readiness."""

import json
import pathlib
import select
import time
import unittest

from loop import CLIENT, LIBRARY, PYTHON, SERVER, LoopTest

WAITER = pathlib.Path(__file__).with_name("waiter.py")
PROGRAMS = pathlib.Path(LIBRARY).parents[1] / "tests" / "waiting"
STEADY = {"underrun": "stall"}
FRAMES = 60_000  # 1.25 s
FRAGMENT = 2048


def report(program):
    return json.loads(program.succeed(30).output.splitlines()[-1])


class WaitingTest(LoopTest):
    def waiter(self, loop, way, *arguments):
        return loop.start(PYTHON, "-E", "-s", WAITER, way, *arguments)

    def wait_until_ready(self, program):
        deadline = time.monotonic() + 10
        while "ready" not in program.output:
            self.assertLess(time.monotonic(), deadline, program.explain("is not ready"))
            self.assertTrue(program.running(), program.explain("ended early"))
            time.sleep(0.01)
        return program

    def sent(self, loop):
        path = loop.file("sent")
        path.write_bytes(
            b"".join((index * 40503 & 0xFFFFFFFF).to_bytes(4, "little") for index in range(FRAMES))
        )
        return path

    def recorded_by(self, recorder, loop):
        """The report of a recorder that has heard a whole sound."""
        self.wait_until_ready(recorder)
        player = loop.partner("play", CLIENT, self.sent(loop))
        try:
            player.succeed()
        except AssertionError:
            if recorder.running():
                raise
            recorder.succeed()  # says what went wrong
        told = report(recorder)
        self.assertEqual(4 * FRAMES, told["bytes"])
        self.assertTrue(told["whole"], "not the sound that was sent")
        return told

    def recording(self, way, *arguments, **conf):
        loop = self.loop(**{**STEADY, **conf})
        return self.recorded_by(self.waiter(loop, way, SERVER, *arguments), loop)

    def played_by(self, start, loop):
        """The report of a player whose whole sound was heard."""
        recorder = loop.partner_records(SERVER)
        loop.wait_until_listening(recorder)
        told = report(start())
        recorder.succeed()
        self.assertEqual(self.sent(loop).read_bytes(), recorder.recording.read_bytes())
        return told


class Epoll(WaitingTest):
    def test_level_triggered_it_is_ready_for_each_fragment_and_the_end(self):
        told = self.recording("epoll_level")
        self.assertLessEqual(told["waits"], 4 * FRAMES / FRAGMENT + 3)
        self.assertLessEqual(told["empty_reads"], 3)

    def test_edge_triggered_each_fragment_is_an_edge_even_undrained(self):
        told = self.recording("epoll_edge")
        self.assertEqual(8, told["undrained"])

    def test_each_wait_starts_the_recording(self):
        self.recording("epoll_after_halt")

    def test_oneshot_fires_once(self):
        self.assertEqual(0, self.recording("epoll_oneshot")["again"])

    def test_a_client_for_both_ways_follows_the_loop_as_it_turns(self):
        loop = self.loop()
        told = report(self.waiter(loop, "epoll_turning", CLIENT, SERVER))
        self.assertEqual(select.EPOLLOUT, told["first"])
        self.assertEqual(select.EPOLLIN, told["last"])
        self.assertGreater(told["bytes"], 0)


class OtherWaits(WaitingTest):
    def test_poll_takes_any_number_of_devices(self):
        loop = self.loop()
        recorder = loop.partner_records(SERVER)
        loop.wait_until_listening(recorder)
        told = report(self.waiter(loop, "poll_many", CLIENT))
        self.assertEqual({"blocked": 0, "ready": 100, "events": [select.POLLOUT]}, told)

    def test_low_water_is_what_select_waits_for(self):
        loop = self.loop(**STEADY)
        recorder = self.waiter(loop, "low_water", SERVER, 16000)
        self.wait_until_ready(recorder)
        loop.partner("play", CLIENT, self.sent(loop))
        self.assertGreaterEqual(report(recorder)["least"], 16000)

    def test_a_signal_tells_of_each_fragment(self):
        self.assertGreater(self.recording("sigio")["signals"], 10)

    def test_asyncio_records(self):
        self.assertLessEqual(self.recording("asyncio_reader")["empty_reads"], 3)

    def test_asyncio_plays(self):
        loop = self.loop(**STEADY)
        told = self.played_by(lambda: self.waiter(loop, "asyncio_writer", CLIENT, FRAMES), loop)
        self.assertLess(told["calls"], 4 * FRAMES / FRAGMENT + 40)


class Libraries(WaitingTest):
    def recording_with(self, name):
        loop = self.loop(**STEADY)
        told = self.recorded_by(loop.start(PROGRAMS / name, SERVER), loop)
        self.assertLessEqual(told["calls"], 4 * FRAMES / FRAGMENT + 5)

    def test_a_main_loop_of_glib_records(self):
        self.recording_with("glib")

    def test_a_loop_of_libuv_records(self):
        self.recording_with("uv")

    def test_polls_through_io_uring_record(self):
        # Some kernels and sandboxes have no io_uring; what it does is tested where it is.
        if not self.io_uring_is_there():
            self.skipTest("this system allows no io_uring")
        self.recording_with("uring")

    def io_uring_is_there(self):
        loop = self.loop()
        return loop.start(PROGRAMS / "uring", "/", preload=False).wait() != 77


if __name__ == "__main__":
    unittest.main()
