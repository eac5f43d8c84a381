"""That tools/bench measures: every budget, and nothing where a yardstick is missing."""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

BENCH = pathlib.Path(__file__).with_name("bench.py")
LIBRARY = pathlib.Path(os.environ.get("OSSLOOP_LIBRARY", "build/lib/libossloop.so")).resolve()


def limit(seconds):  # read by list_tests.py
    return lambda method: method


def serial(method):  # the same
    return method


def setUpModule():
    subprocess.run(["cmake", "--build", LIBRARY.parents[1], "--target", "bench_programs"],
                   check=True, stdout=subprocess.DEVNULL)


def bench(*words, library=LIBRARY):
    return subprocess.run(["/usr/bin/python3", "-B", BENCH, *words], capture_output=True, text=True,
                          env={**os.environ, "OSSLOOP_LIBRARY": str(library)})


class Bench(unittest.TestCase):
    @serial
    @limit(600)
    def test_every_budget_is_measured(self):
        done = bench("--quick", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        rows = json.loads(done.stdout)["rows"]
        judged = {row["name"] for row in rows if row["met"] is not None}
        self.assertEqual(judged, {"start", "calls", "throughput", "conversion", "realtime", "delay", "ends", "instances",
                                  "clients", "tap", "pace"})
        for row in rows:
            with self.subTest(row["what"]):
                self.assertRegex(row["ours"], r"^\d")
                if row["ratio"] is not None:
                    self.assertGreater(row["ratio"], 0)
                    self.assertLessEqual(row["quartiles"][0], row["quartiles"][1])

    @limit(600)
    def test_the_quality_of_conversion_is_measured(self):
        done = bench("--quality", "--quick", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        for row in json.loads(done.stdout)["rows"]:
            self.assertTrue(row["exact_length"])
            self.assertLess(row["thd_n_s32_db"], -110)

    @serial
    @limit(600)
    def test_a_missing_yardstick_ends_the_run_with_one_line(self):
        with tempfile.TemporaryDirectory() as folder:
            build = pathlib.Path(folder)
            shutil.copytree(LIBRARY.parent, build / "lib")
            shutil.copytree(LIBRARY.parents[1] / "bench", build / "bench")
            (build / "bench/convert").unlink()
            done = bench("--quick", "conversion", library=build / "lib/libossloop.so")
            self.assertEqual(done.returncode, 1)
            self.assertEqual(done.stdout, "")
            self.assertRegex(done.stderr, r"^tools/bench: .*convert.*\n$")


if __name__ == "__main__":
    unittest.main()
