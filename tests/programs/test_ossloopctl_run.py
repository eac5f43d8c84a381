"""ossloopctl run: programs with the library preloaded, and those that cannot have it."""

import os
import pathlib
import shutil
import signal
import struct
import subprocess
import unittest

import sound
from control import ControlTest
from driven import in_namespace
from loop import CONTROL, LIBRARY

FREE = {"clock": "free"}


class Run(ControlTest):
    def environment_of(self, loop, *options, **more):
        words = ["run", *options, "--", "printenv", "OSSLOOP_DSP", "LD_PRELOAD"]
        return self.does(loop, *words, **more).splitlines()

    def program(self, loop, change=None, mode=0o755, name="program"):
        """A copy of a dynamic program, with its bytes changed."""
        path = loop.file(name)
        data = bytearray(pathlib.Path(shutil.which("true")).read_bytes())
        if change:
            change(data)
        path.write_bytes(data)
        path.chmod(mode)
        return str(path)

    def script(self, loop, text, name="script"):
        path = loop.file(name)
        path.write_text(text)
        path.chmod(0o755)
        return str(path)

    def refusal(self, loop, program):
        return self.fails(loop, "run", "--", program)

    def test_sets_the_library_and_the_default_device(self):
        loop = self.loop()
        library = str(LIBRARY.resolve())
        self.assertEqual(["pcm0", library], self.environment_of(loop))
        self.assertEqual(["pcm0", library], self.environment_of(loop, "--client"))
        self.assertEqual(["server0", library], self.environment_of(loop, "--server"))
        self.assertEqual(["pcm3", library], self.environment_of(loop, "-i", "3"))
        self.assertEqual(["server15", library], self.environment_of(loop, "-i", "15", "--server"))

    def test_every_option_may_stand_apart_from_its_value_before_the_program(self):
        loop = self.loop()
        for wait in (["-w", "1.5"], ["--wait", "1.5"], ["--wait=1.5"], ["-w1.5"]):
            for instance in (["-i", "2"], ["--instance", "2"], ["--instance=2"], ["-i2"]):
                for separator in ([], ["--"]):
                    words = ["run", *wait, *instance, "--server", *separator]
                    with self.subTest(words):
                        got = self.does(loop, *words, "printenv", "OSSLOOP_DSP", "OSSLOOP_OPEN_WAIT")
                        self.assertRegex(got, r"\Aserver2\n1\.50*\n\Z")

    def test_what_ld_preload_holds_stays_and_another_ossloop_goes(self):
        loop = self.loop()
        other = str(self.file_copy(loop, LIBRARY, "libossloop.so"))
        libc = "libdl.so.2"
        got = self.environment_of(loop, env={"LD_PRELOAD": f"{other} {libc}"})
        self.assertEqual(["pcm0", f"{LIBRARY.resolve()}:{libc}"], got)

    @staticmethod
    def file_copy(loop, source, name):
        folder = loop.file("copy")
        folder.mkdir()
        shutil.copytree(source.parent / "ossloop", folder / "ossloop")
        return shutil.copy(source, folder / name)

    def test_the_programs_own_words_are_left_alone(self):
        loop = self.loop()
        for separator in ([], ["--"]):
            got = self.does(loop, "run", *separator, "printf", "%s|", "-i", "9", "--", "[a]", "", "list")
            self.assertEqual("-i|9|--|[a]||list|", got)

    def test_exit_status_and_signals_are_the_programs(self):
        loop = self.loop()
        self.assertEqual(7, self.control(loop, "run", "--", "sh", "-c", "exit 7").returncode)
        killed = self.control(loop, "run", "--", "sh", "-c", "kill -TERM $$")
        self.assertEqual(-signal.SIGTERM, killed.returncode)

    def test_a_program_with_a_fixed_path_plays_and_records(self):
        loop = self.loop(2, eof="eof", **FREE)
        control = {"preload": False}
        recorder = loop.start(CONTROL, "run", "--server", "-i", "1", "--", "sh", "-c", "cat < /dev/dsp > out.raw", **control)
        loop.wait_until_listening(recorder)
        played = sound.noise(4000)
        loop.file("song.raw").write_bytes(played.bytes())
        loop.start(CONTROL, "run", "-i", "1", "--", "sh", "-c", "cat song.raw > /dev/dsp", **control).succeed()
        recorder.succeed()
        # /dev/dsp starts as the loop does, so nothing is converted.
        self.assertEqual(played.bytes(), loop.file("out.raw").read_bytes())

    def test_a_program_that_is_not_there(self):
        loop = self.loop()
        self.assertIn("not found", self.refusal(loop, "no-such-program"))
        self.assertIn("not found", self.refusal(loop, "./no-such-program"))
        self.assertIn("not found", self.refusal(loop, ""))

    def test_what_cannot_be_executed(self):
        loop = self.loop()
        self.assertIn("not executable", self.refusal(loop, self.program(loop, mode=0o644)))
        self.assertIn("folder", self.refusal(loop, str(loop.work)))

    def test_a_static_program(self):
        def drop_interpreter(data):
            offset, size, count = struct.unpack_from("<Q", data, 32)[0], *struct.unpack_from("<HH", data, 54)
            for header in range(offset, offset + size * count, size):
                if struct.unpack_from("<I", data, header)[0] == 3:  # PT_INTERP
                    struct.pack_into("<I", data, header, 0)

        loop = self.loop()
        self.assertIn("static", self.refusal(loop, self.program(loop, drop_interpreter)))

    def test_set_user_id_and_set_group_id_programs(self):
        loop = self.loop()
        self.assertIn("set-user-ID", self.refusal(loop, self.program(loop, mode=0o4755)))
        self.assertIn("set-group-ID", self.refusal(loop, self.program(loop, mode=0o2755)))

    @unittest.skipUnless(os.geteuid() == 0, "only root can give capabilities")
    def test_a_program_with_file_capabilities(self):
        loop = self.loop()
        program = self.program(loop)
        try:
            os.setxattr(program, "security.capability", struct.pack("<5I", 0x02000001, 1 << 13, 0, 0, 0))
        except OSError as error:
            self.skipTest(f"this file system keeps no capabilities: {error}")
        self.assertIn("capabilities", self.refusal(loop, program))

    def test_another_elf_class_or_machine(self):
        loop = self.loop()

        def other_class(data):
            data[4] = 3 - data[4]

        def other_machine(data):
            struct.pack_into("<H", data, 18, 0xF3 if data[18] != 0xF3 else 0x3E)

        self.assertRegex(self.refusal(loop, self.program(loop, other_class)), "32-bit|64-bit")
        self.assertIn("another machine", self.refusal(loop, self.program(loop, other_machine)))

    def test_a_program_of_another_c_library(self):
        def other_loader(data):
            at = data.index(b"/lib64/ld-linux-x86-64.so.2\0")
            name = str(loader).encode() + b"\0"
            data[at : at + len(name)] = name

        loop = self.loop()
        folder = pathlib.Path("/tmp") / f"ol{os.getpid()}"  # short: it must fit
        folder.mkdir()
        self.addCleanup(shutil.rmtree, folder)
        loader = folder / "ld-musl.so.1"
        if len(str(loader)) > len("/lib64/ld-linux-x86-64.so.2"):
            self.skipTest("no path is short enough")
        try:
            program = self.program(loop, other_loader)
        except ValueError:
            self.skipTest("no x86-64 program")
        self.assertIn("missing", self.refusal(loop, program))
        loader.touch()
        self.assertIn("another C library", self.refusal(loop, program))

    def test_a_damaged_program(self):
        loop = self.loop()
        for length in (5, 20, 63):
            path = loop.file("damaged")
            path.write_bytes(pathlib.Path(shutil.which("true")).read_bytes()[:length])
            path.chmod(0o755)
            self.assertIn("damaged", self.refusal(loop, str(path)))
        path.write_bytes(b"MZ\0\0")
        self.assertIn("not a program", self.refusal(loop, str(path)))

    def test_a_script_is_judged_by_its_interpreter(self):
        loop = self.loop()
        good = self.script(loop, "#! /bin/sh -e\nexit 5\n", "good")
        self.assertEqual(5, self.control(loop, "run", "--", good).returncode)
        bare = self.script(loop, "exit 6\n", "bare")
        self.assertEqual(6, self.control(loop, "run", "--", bare).returncode)
        suid = self.program(loop, mode=0o4755, name="suid")
        first = self.script(loop, f"#!{suid}\n", "first")
        second = self.script(loop, f"#!{first} word\n", "second")
        for script in (first, second):
            said = self.refusal(loop, script)
            self.assertIn(f"{script}: its interpreter", said)
            self.assertIn(f"{suid}: cannot be preloaded: it is set-user-ID", said)
        self.assertIn("/no/such: not found", self.refusal(loop, self.script(loop, "#!/no/such\n")))
        self.assertIn("not found", self.refusal(loop, self.script(loop, "#!/bin/sh\r\n")))
        self.assertIn("no interpreter", self.refusal(loop, self.script(loop, "#!\n")))
        endless = loop.file("endless")
        self.assertIn("too many", self.refusal(loop, self.script(loop, f"#!{endless}\n", "endless")))

    def test_the_library_is_found_through_path_and_links_and_without_proc(self):
        loop = self.loop()
        link = loop.file("ctl")
        link.symlink_to(CONTROL.resolve())
        library = str(LIBRARY.resolve())
        for words, env in ((["./ctl"], {}), (["ctl"], {"PATH": f"{loop.work}:{os.environ['PATH']}"})):
            environment = loop.environment(env, preload=False)
            got = subprocess.run(
                ["env", *words, "run", "printenv", "LD_PRELOAD"],
                env=environment, cwd=loop.work, capture_output=True, text=True, check=True,
            )
            self.assertEqual(library, got.stdout.strip())
        wrapper = in_namespace(self, "mount -t tmpfs none /proc")
        self.assertEqual(["pcm0", library], self.environment_of(loop, wrapper=wrapper))

    def test_a_library_that_preloading_cannot_name_is_told(self):
        loop = self.loop()
        root = loop.file("a tree")
        (root / "bin").mkdir(parents=True)
        (root / "lib").mkdir()
        shutil.copy(CONTROL, root / "bin")
        shutil.copy(LIBRARY, root / "lib")
        done = subprocess.run(
            [root / "bin/ossloopctl", "run", "true"],
            env=loop.environment(preload=False), capture_output=True, text=True, check=False,
        )
        self.assertEqual(1, done.returncode)
        self.assertIn("blank", done.stderr)


if __name__ == "__main__":
    unittest.main()
