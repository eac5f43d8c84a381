"""The engine is the one beside the library that was preloaded, wherever the program
has gone since; what lies under its name in another folder never runs."""

import shutil
import unittest

from hardship import *

PLAYED = bytes((i * 31 >> 3) & 0xFF for i in range(48000 * 4))


class ForeignCode(LoopTest):
    def setUp(self):
        self.here = self.loop(clock="free", eof="eof")
        self.library = self.here.work / "lib"
        self.library.mkdir()
        shutil.copy(LIBRARY, self.library)
        shutil.copytree(LIBRARY.parent / "ossloop", self.library / "ossloop")
        self.elsewhere = self.here.work / "elsewhere"
        for folder in (".", "lib"):
            (self.elsewhere / folder / "ossloop").mkdir(parents=True)
            shutil.copy(PROGRAMS / "intruder.so", self.elsewhere / folder / "ossloop" / "libossloop-engine.so")

    def wander(self, way, folder, preload, path=None, start=None):
        """Plays through the library found by relative names; what its server heard."""
        told = self.here.work / "told"
        recorder = self.here.partner_records(SERVER)
        self.here.wait_until_listening(recorder)
        env = {"LD_PRELOAD": preload, "LD_LIBRARY_PATH": path, "INTRUDER_TELLS": told}
        # The shell goes to where the names lead to the library, and is not preloaded itself.
        words = [f"{name}={value}" for name, value in env.items() if value is not None]
        player = self.here.start(
            "sh", "-c", 'cd "$1" && shift && exec env "$@"', "sh", start or self.here.work, *words,
            PROGRAMS / "wanderer", way, folder, CLIENT, preload=False)
        status = player.wait()
        self.assertFalse(told.exists(), "foreign code has run in the program")
        self.assertEqual((0, "played\n", ""), (status, player.output, player.errors))
        recorder.succeed()
        self.assertEqual(PLAYED, recorder.recording.read_bytes())

    def test_a_relative_preload_finds_its_engine_from_anywhere(self):
        self.wander("to", "elsewhere", "lib/libossloop.so")

    def test_a_preload_from_the_working_folder_finds_its_engine_from_anywhere(self):
        self.wander("to", self.elsewhere, "./libossloop.so", start=self.library)

    def test_the_bare_name_in_a_relative_library_path_finds_its_engine_from_anywhere(self):
        self.wander("to", "elsewhere", "libossloop.so", path="lib")

    def test_the_bare_name_in_a_library_path_of_the_working_folder_finds_its_engine_from_anywhere(self):
        self.wander("to", self.elsewhere, "libossloop.so", path=".", start=self.library)

    def test_the_bare_name_in_an_empty_library_path_finds_its_engine_from_anywhere(self):
        self.wander("to", self.elsewhere, "libossloop.so", path=":/nonexistent", start=self.library)

    def gone(self):
        folder = self.here.work / "gone"
        folder.mkdir()
        return folder

    def test_a_relative_preload_finds_its_engine_when_the_working_folder_is_gone(self):
        self.wander("gone", self.gone(), "lib/libossloop.so")

    def test_the_bare_name_finds_its_engine_when_the_working_folder_is_gone(self):
        self.wander("gone", self.gone(), "libossloop.so", path="lib")

    def test_a_relative_preload_finds_its_engine_where_the_program_stays(self):
        self.wander("to", ".", "lib/libossloop.so")


if __name__ == "__main__":
    unittest.main()
