"""Programs that map the device's buffer instead of reading and writing."""

import json
import pathlib
import time
import unittest

import sound
from loop import CLIENT, LIBRARY, PYTHON, SERVER, LoopTest, serial

PROGRAMS = pathlib.Path(LIBRARY).parents[1] / "tests" / "mapped"
S16_LE, FRAME = 0x10, 4
# A tick that comes late under load must not put silence in.
STEADY = {"eof": "reset", "underrun": "stall", "buffer_ms": 1000}


def report(program):
    return json.loads(program.succeed(30).output.splitlines()[-1])


def raw(path, seconds, rate=48000, channels=2):
    """Sound in which every frame differs from its neighbours."""
    frames = round(seconds * rate)
    data = b"".join((index * 40503 & 0xFFFFFFFF).to_bytes(4, "little") for index in range(frames))
    data = data[: frames * channels * 2]
    path.write_bytes(data)
    return data


class Mapped(LoopTest):
    def program(self, loop, name, device, path, *more, format=S16_LE, channels=2, rate=48000):
        words = [PROGRAMS / name, device, format, channels, rate, path, *more]
        return loop.start(*words)

    def server(self, loop, name, path, *more, **options):
        program = self.program(loop, name, SERVER, path, *more, **options)
        deadline = time.monotonic() + 10
        while "ready" not in program.output:
            self.assertLess(time.monotonic(), deadline, program.explain("is not ready"))
            self.assertTrue(program.running(), program.explain("ended early"))
            time.sleep(0.01)
        return program

    def assert_all_then_silence(self, sent, got, silence=0):
        self.assertEqual(sent, got[: len(sent)])
        self.assertEqual(set(got[len(sent) :]) - {silence}, set())

    def test_the_loop_of_the_quake_engines_plays_bit_for_bit(self):
        loop = self.loop(**STEADY)
        sent = raw(loop.file("sent"), 3.3)
        recorder = loop.partner_records(SERVER)
        loop.wait_until_listening(recorder)
        player = self.program(loop, "player", CLIENT, loop.file("sent"))
        told = report(player)
        self.assertEqual("", player.errors)
        recorder.succeed()
        got = recorder.recording.read_bytes()
        self.assert_all_then_silence(sent, got)
        # What the program saw pass is what was played, to the frame or the last turn.
        self.assertLessEqual(told["position"], len(got))
        self.assertLess(len(got) - told["position"], 48000 * FRAME / 10)
        self.assertEqual(told["position"] // told["fragment"], told["blocks"])

    def test_a_mapped_recorder_gets_each_bit(self):
        loop = self.loop(**STEADY)
        recorder = self.server(loop, "recorder", loop.file("got"))
        sent = raw(loop.file("sent"), 2.7)
        loop.partner("play", CLIENT, loop.file("sent")).succeed()
        told = report(recorder)
        self.assertEqual(sent, loop.file("got").read_bytes())
        # A fragment wakes it once, and so does the end.
        self.assertLessEqual(told["selects"], len(sent) / told["fragment"] + 3)

    def test_both_ends_may_be_mapped(self):
        loop = self.loop(**STEADY)
        recorder = self.server(loop, "recorder", loop.file("got"))
        sent = raw(loop.file("sent"), 1.5)
        report(self.program(loop, "player", CLIENT, loop.file("sent")))
        report(recorder)
        self.assert_all_then_silence(sent, loop.file("got").read_bytes())

    def test_a_mapped_server_plays_to_a_client(self):
        loop = self.loop(**STEADY)
        sent = raw(loop.file("sent"), 1.2)
        player = self.server(loop, "player", loop.file("sent"))
        recorder = loop.partner_records(CLIENT)
        report(player)
        recorder.succeed()
        self.assert_all_then_silence(sent, recorder.recording.read_bytes())

    def test_mapped_sound_is_converted_as_written_sound_is(self):
        loop = self.loop(**STEADY)
        data = raw(loop.file("sent"), 1, rate=24000, channels=1)
        recorder = loop.partner_records(SERVER, channels=2)
        loop.wait_until_listening(recorder)
        report(self.program(loop, "player", CLIENT, loop.file("sent"), "0x0020000a", channels=1))
        recorder.succeed()
        got = recorder.recording.read_bytes()
        self.assertEqual(data, b"".join(got[i : i + 2] for i in range(0, 2 * len(data), 4)))
        self.assertEqual(data, b"".join(got[i : i + 2] for i in range(2, 2 * len(data), 4)))

    def test_mapped_sound_changes_its_rate_as_written_sound_does(self):
        # A player that is held up leaves a gap.
        self.assert_once(self.rate_changes)

    def rate_changes(self):
        loop = self.loop(**STEADY)
        played = sound.tone(1.5, 44100)
        loop.file("sent").write_bytes(sound.encode(played.samples, "S16_LE"))
        recorder = loop.partner_records(SERVER)
        loop.wait_until_listening(recorder)
        report(self.program(loop, "player", CLIENT, loop.file("sent"), rate=44100))
        mapped = loop.recorded(recorder)
        recorder = loop.partner_records(SERVER)
        loop.wait_until_listening(recorder)
        loop.partner_plays(CLIENT, played).succeed()
        written = loop.recorded(recorder)
        self.assert_close(written.head(70000), mapped.head(70000), snr_db=80)

    def test_a_mapped_player_that_is_killed_ends_its_stream_and_frees_the_side(self):
        loop = self.loop(**STEADY)
        sent = raw(loop.file("sent"), 5)
        for _ in range(3):
            recorder = loop.partner_records(SERVER)
            loop.wait_until_listening(recorder)
            player = self.program(loop, "player", CLIENT, loop.file("sent"))
            time.sleep(0.6)
            player.kill()
            recorder.succeed(5)
            got = recorder.recording.read_bytes()
            self.assertGreater(len(got), 0.2 * 48000 * FRAME)
            self.assertEqual(sent[: len(got)], got)

    def test_a_map_does_not_outlive_an_exec(self):
        loop = self.loop(**STEADY)
        recorder = loop.partner_records(SERVER)
        loop.wait_until_listening(recorder)
        # Maps the device, then becomes a program that writes to it.
        code = (
            "import mmap, os, sys\n"
            "fd = os.open(sys.argv[1], os.O_RDWR)\n"
            "os.set_inheritable(fd, True)\n"
            "memory = mmap.mmap(fd, 4096)\n"
            "os.execvp('sh', ['sh', '-c', f'printf 0123456789ab >&{fd}'])\n"
        )
        loop.start(PYTHON, "-E", "-s", "-c", code, CLIENT).succeed()
        recorder.succeed()
        self.assertEqual(b"0123456789ab", recorder.recording.read_bytes())

    def test_mmap_and_its_kin_answer_as_on_a_sound_card(self):
        loop = self.loop(**STEADY)
        edges = loop.start(PROGRAMS / "edges", CLIENT, SERVER)
        status = edges.wait()
        self.assertEqual("", edges.output)
        self.assertEqual(0, status)

    @serial
    def test_the_position_is_the_clock_s(self):
        loop = self.loop(**STEADY)
        raw(loop.file("sent"), 2)
        recorder = loop.partner_records(SERVER)
        loop.wait_until_listening(recorder)
        start = time.monotonic()
        report(self.program(loop, "player", CLIENT, loop.file("sent")))
        self.assertAlmostEqual(2, time.monotonic() - start, delta=0.5)

    def assert_outlives(self, going, leaving, *runner):
        program = self.loop().start(*runner, PROGRAMS / "leftover", SERVER, going, leaving)
        self.assertEqual("kept\n", program.succeed(30).output)
        self.assertEqual("", program.errors)

    def test_a_buffer_may_be_left_after_its_descriptor(self):
        for leaving in ("munmap", "pieces", "over", "moved"):
            with self.subTest(leaving):
                self.assert_outlives("close", leaving)

    def test_a_buffer_may_be_left_after_its_descriptor_was_replaced_or_lost(self):
        for going in ("dup2", "lost"):
            with self.subTest(going):
                self.assert_outlives(going, "munmap")

    def test_valgrind_finds_nothing_in_a_buffer_left_after_its_descriptor(self):
        self.assert_outlives("close", "munmap", "valgrind", "--quiet", "--error-exitcode=9")


if __name__ == "__main__":
    unittest.main()
