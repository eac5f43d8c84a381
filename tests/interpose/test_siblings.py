"""Beside other preloaded libraries, whichever comes first, and before our own
constructor has run."""

import pathlib
import subprocess
import unittest

from compare import *
import sound

SHARED_MEMORY = pathlib.Path("/dev/shm")
FREE = {"clock": "free"}
SIBLINGS = {
    "libeatmydata": "libeatmydata.so",
    "libjemalloc": "libjemalloc.so.2",
    "libfaketime": "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
}


class Siblings(CompareTest):
    def orders(self, *others):
        yield ":".join([*map(str, others), str(LIBRARY)])
        yield ":".join([str(LIBRARY), *map(str, others)])

    def assert_plays(self, preload, **env):
        loop = self.loop(eof="wait", **FREE)
        song = sound.noise(3000).bytes()
        loop.file("song").write_bytes(song)
        recorder = loop.partner_records(SERVER, frames=3000)
        loop.wait_until_listening(recorder)
        script = "head -c 8000 song > /dev/dsp && tail -c 4000 song | cat > /dev/dsp && ls /dev/oss/oss_audioloop0"
        done = loop.start("sh", "-c", script, env={"LD_PRELOAD": preload, **env}).succeed()
        recorder.succeed()
        self.assertEqual(song, recorder.recording.read_bytes())
        self.assertIn("server0", done.output)
        self.assertEqual("", done.errors)

    def test_with_eatmydata(self):
        for order in self.orders(SIBLINGS["libeatmydata"]):
            self.assert_plays(order)

    def test_with_jemalloc(self):
        for order in self.orders(SIBLINGS["libjemalloc"]):
            self.assert_plays(order)

    def test_with_faketime(self):
        # It leaves its own shared memory behind where a shell execs its last command.
        present = set(SHARED_MEMORY.glob("*faketime*"))
        self.addCleanup(
            lambda: [file.unlink(missing_ok=True) for file in set(SHARED_MEMORY.glob("*faketime*")) - present])
        for order in self.orders(SIBLINGS["libfaketime"]):
            self.assert_plays(order, FAKETIME="@2020-12-24 20:30:00")

    def test_with_two_at_once(self):
        # Not all three: libfaketime and libjemalloc hang each other by themselves.
        for order in self.orders(SIBLINGS["libeatmydata"], SIBLINGS["libjemalloc"]):
            self.assert_plays(order)

    def test_in_a_program_with_the_address_sanitizer(self):
        runtime = subprocess.run(["cc", "-print-file-name=libasan.so"], capture_output=True, text=True,
                                 check=True).stdout.strip()
        loop = self.loop()
        expected = self.lines(loop, [program("descriptor", "plain"), "/dev/null"], preload=False)
        got = self.lines(loop, [PROGRAMS / "asan", SERVER], env={"LD_PRELOAD": f"{runtime}:{LIBRARY}"})
        self.assert_agree(expected, got, {})

    def test_with_a_library_that_wraps_handlers(self):
        wrapper = PROGRAMS / "wrapper.so"
        signals = program("signal", "plain")
        expected = self.lines(self.loop(), [signals, "/dev/null"], preload=False, env={"LD_PRELOAD": wrapper})
        for order in self.orders(wrapper):
            got = self.lines(self.loop(), [signals, SERVER], env={"LD_PRELOAD": order})
            self.assert_agree(expected, got, {})

    def test_a_library_opens_devices_before_and_after_everything(self):
        early = PROGRAMS / "early.so"
        environment = {"EARLY_DEVICE": "/dev/full"}
        loop = self.loop()
        expected = self.lines(loop, ["true"], preload=False, env={"LD_PRELOAD": early, **environment})
        self.assertEqual(2, len(expected))
        environment["EARLY_DEVICE"] = SERVER
        for order in self.orders(early):
            got = self.lines(loop, ["true"], env={"LD_PRELOAD": order, **environment})
            self.assertEqual(expected, got)


class Often(CompareTest):
    @limit(180)
    def test_ten_thousand_opens_leave_nothing_behind(self):
        loop = self.loop()
        words = [program("often", "plain")]
        expected = self.lines(loop, [*words, "/dev/null", 10000], preload=False)
        done = loop.start(*words, SERVER, 10000).succeed(seconds=150)
        self.assertEqual(expected, done.output.splitlines())


if __name__ == "__main__":
    unittest.main()
