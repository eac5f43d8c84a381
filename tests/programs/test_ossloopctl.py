"""ossloopctl: makes, shows, changes and removes instances, and runs programs."""

import json
import os
import pathlib
import re
import shutil
import signal
import stat
import struct
import subprocess
import unittest

import sound
from driven import SETFMT, DrivenTest, in_namespace
from loop import CLIENT, CONTROL, LIBRARY, LIMIT_SECONDS, ROOT, SERVER, client, server

FREE = {"clock": "free"}
AFMT_FLOAT = 0x4000
COMMANDS = ["create", "destroy", "list", "status", "set", "run", "record", "play", "monitor"]

# A word or two that each command accepts, to which one bad word is added.
WRONG_USAGE = [
    [],
    ["bogus"],
    ["--bogus"],
    ["list", "0"],
    ["list", "--bogus"],
    ["status", "16"],
    ["status", "-1"],
    ["status", "zero"],
    ["status", "00"],
    ["status", "0", "1"],
    ["create", "16"],
    ["create", "3", "4"],
    ["create", "three"],
    ["create", "3", "no_such_key=1"],
    ["create", "3", "eof=never"],
    ["create", "3", "eof"],
    ["create", "3", "eof="],
    ["create", "3", "audioloop_instances=2"],
    ["create", "buffer_ms=19"],
    ["create", "buffer_ms=5001"],
    ["create", "tick_ms=0"],
    ["create", "ppm=200001"],
    ["create", "clock=0"],
    ["create", ""],
    ["destroy"],
    ["destroy", "16"],
    ["destroy", "0", "1"],
    ["destroy", "eof=eof"],
    ["set"],
    ["set", "0"],
    ["set", "16", "eof=eof"],
    ["set", "eof=eof"],
    ["set", "0", "eof=never"],
    ["set", "0", "no_such_key=1"],
    ["set", "0", "mode=0660"],
    ["set", "0", "eof=eof", "eof"],
    ["run"],
    ["run", "--"],
    ["run", "-i"],
    ["run", "-i", "16", "--", "true"],
    ["run", "-i", "x", "--", "true"],
    ["run", "--bogus", "--", "true"],
    ["run", "--server", "--client", "--", "true"],
    ["run", "-w", "nan", "--", "true"],
    ["run", "-w", "--", "true"],
    ["record", "-d", "nan", "a.wav"],
    ["record", "-r", "44100.5", "a.wav"],
    ["record", "-e", "\udcff", "a.wav"],
    ["monitor", "-t", "0x1"],
    ["monitor", ""],
    ["status", ""],
    ["\udcff"],
    ["-\udcff"],
    ["status", "\udc9b\n"],
    ["list", "\udcff"],
    ["create", "\udcff"],
    ["set", "0", "eof=eof", "\udcff"],
]

SIDE_MEMBERS = {
    "state", "alive", "pid", "command", "direction", "nonblock",
    "format", "channels", "rate_hz", "fragment_bytes", "fragments",
}
MEMBERS = {
    "instance": int,
    "configured": bool,
    "segment": str,
    "problem": (str, type(None)),
    "server": SIDE_MEMBERS,
    "client": SIDE_MEMBERS,
    "loop": {"format", "channels", "rate_hz", "frozen"},
    "stream": {
        "state", "direction", "number", "fill_frames", "fill_ms", "delay_frames", "delay_ms",
    },
    "clock": {"running", "error_frames", "held_ms", "stalled_ms"},
    "counters": {"underruns", "overruns", "silence_frames", "dropped_frames", "clipped_samples"},
    "mixer": {"muted", "vol", "pcm", "igain"},
    "policy": {
        "eof", "underrun", "overrun", "clock", "ppm", "quality", "dither", "tick_ms", "buffer_ms",
        "volume",
    },
}


class ControlTest(DrivenTest):
    def control(self, loop, *words, env=None, wrapper=(), **options):
        return subprocess.run(
            [*wrapper, CONTROL, *words],
            env=loop.environment(env, preload=False),
            cwd=loop.work,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LIMIT_SECONDS,
            check=False,
            **options,
        )

    def does(self, loop, *words, **options):
        """What it prints; it must succeed and complain of nothing."""
        done = self.control(loop, *words, **options)
        self.assertEqual((0, ""), (done.returncode, done.stderr), words)
        return done.stdout

    def fails(self, loop, *words, status=1, **options):
        """The one line that tells why it failed."""
        done = self.control(loop, *words, **options)
        self.assertEqual((status, ""), (done.returncode, done.stdout), f"{words}: {done.stderr}")
        self.assertRegex(done.stderr, r"\Aossloopctl: [ -~]+\n\Z")
        return done.stderr

    def status(self, loop, number=0):
        return json.loads(self.does(loop, "status", str(number), "--json"))

    def numbers(self, loop):
        return [instance["instance"] for instance in json.loads(self.does(loop, "list", "--json"))]


class Usage(ControlTest):
    def test_wrong_usage_is_one_line_and_status_2_and_changes_nothing(self):
        loop = self.loop()
        for words in WRONG_USAGE:
            with self.subTest(" ".join(words)):
                self.fails(loop, *words, status=2)
        self.assertEqual([], list(loop.runtime.iterdir()))

    def test_a_line_about_a_long_word_stays_short(self):
        loop = self.loop()
        for words in ([], ["list"], ["status"], ["create"], ["set", "0"], ["set", "0", "eof=eof"], ["record", "-r"]):
            with self.subTest(words):
                self.assertLess(len(self.fails(loop, *words, "x" * 5000, status=2)), 250)

    def test_a_bad_log_setting_is_told_once_and_passed_over(self):
        loop = self.loop()
        for setting, part in (
            ("loud", "expected off, error, warning, info or trace"),
            ("trace:/nowhere/log", "No such file"),
            ("trace:" + "x" * 5000, "too long"),
        ):
            for words in (["list"], ["run", "--", "true"], ["record", "-d", "0", "a.wav"]):
                with self.subTest(setting=setting[:20], words=words):
                    done = self.control(loop, *words, env={"OSSLOOP_LOG": setting})
                    self.assertEqual((0, 1), (done.returncode, done.stderr.count("\n")), done.stderr)
                    self.assertIn(part, done.stderr)

    def test_an_unknown_key_or_value_tells_what_is_accepted(self):
        loop = self.loop()
        self.assertIn("buffer_ms", self.fails(loop, "set", "0", "no_such_key=1", status=2))
        self.assertIn("reset, eof, silence or wait", self.fails(loop, "set", "0", "eof=x", status=2))

    def test_help_names_every_command_and_every_policy(self):
        loop = self.loop()
        text = self.does(loop, "--help")
        for command in COMMANDS:
            self.assertIn(command, text)
        text = self.does(loop, "set", "--help")
        for policy in MEMBERS["policy"]:
            self.assertIn(policy, text)

    def test_the_manual_names_every_command_and_member(self):
        manual = (ROOT / "tools/man/ossloopctl.1").read_text()
        names = [*COMMANDS, *MEMBERS, *SIDE_MEMBERS]
        names += [name for kind in MEMBERS.values() if isinstance(kind, set) for name in kind]
        for name in set(names) - MEMBERS["policy"]:
            self.assertRegex(manual, rf"\b{name}\b")

    def test_a_bad_configuration_line_stops_every_command(self):
        loop = self.loop()
        loop.conf.write_text("# a comment\neof=never\n")
        for words in ("list", "status", "create", "destroy 0", "set 0 eof=eof", "run -- true"):
            with self.subTest(words):
                self.assertIn(f"{loop.conf}:2: ", self.fails(loop, *words.split()))

    def test_a_configuration_that_cannot_be_read_is_told(self):
        loop = self.loop()
        loop.conf.unlink()
        self.assertIn(str(loop.conf), self.fails(loop, "list"))

    def test_an_output_that_cannot_be_written_is_a_failure(self):
        loop = self.loop()
        with open("/dev/full", "w") as full:
            done = subprocess.run(
                [CONTROL, "list"], env=loop.environment(preload=False), stdout=full, stderr=subprocess.PIPE, check=False
            )
        self.assertEqual(1, done.returncode)
        self.assertIn(b"standard output", done.stderr)


class Readme(ControlTest):
    def example(self, heading):
        """The indented lines below a heading of README.md."""
        section = (ROOT / "README.md").read_text().split(f"\n## {heading}\n")[1].split("\n## ")[0]
        return "".join(line[4:] + "\n" for line in section.splitlines() if line.startswith("    "))

    def test_the_example_of_a_test_passes_and_sees_a_failure(self):
        script = self.example("In a test of your own")
        play = re.search(r"^ossloopctl play .*$", script, re.MULTILINE).group()
        other = re.search(r"# or what is to be tested: (.*)", play).group(1)
        self.assertIn(" -- player in.wav", other)
        player = other.replace("player in.wav", "mpg123 -q -o oss in.mp3")
        for line, status in ((play, 0), (player, 1), ("ossloopctl play nothing.wav", 1)):
            with self.subTest(line):
                loop = self.loop()
                sound.write_wav(loop.file("in.wav"), sound.noise(44100, rate=44100))
                loop.run("ffmpeg", "-loglevel", "error", "-i", "in.wav", "-t", "0.5", "in.mp3")
                environment = loop.environment(preload=False)
                environment["PATH"] = f"{CONTROL.parent}:{environment['PATH']}"
                done = subprocess.run(
                    ["sh", "-c", script.replace(play, line)],
                    env=environment, cwd=loop.work, capture_output=True, text=True,
                    timeout=LIMIT_SECONDS, check=False,
                )
                self.assertEqual(status, done.returncode, done.stderr)


class Installation(ControlTest):
    def test_below_another_prefix_all_is_there_and_nothing_elsewhere(self):
        loop = self.loop()
        prefix = loop.file("prefix")
        # As a component, so that the list of what the user installed stays.
        words = ["cmake", "--install", LIBRARY.parents[1], "--prefix", prefix, "--component", "Unspecified"]
        done = loop.run(*words)
        for line in done.output.splitlines():
            if line.startswith("-- Installing: "):
                self.assertTrue(line.startswith(f"-- Installing: {prefix}/"), line)
        self.assertTrue((prefix / "etc/oss4/conf/oss_audioloop.conf").exists())
        shown = subprocess.run(
            [prefix / "bin/ossloopctl", "run", "--", "ls", "/dev/dsp"],
            env=loop.environment(preload=False), capture_output=True, text=True, check=False,
        )
        self.assertEqual((0, "/dev/dsp\n", ""), (shown.returncode, shown.stdout, shown.stderr))


class LifeOfAnInstance(ControlTest):
    def test_create_list_set_status_destroy(self):
        loop = self.loop(quality="low")
        self.assertEqual([0], self.numbers(loop))
        self.assertEqual("5\n", self.does(loop, "create", "5", "eof=eof", "clock=4.5"))
        self.assertEqual([0, 5], self.numbers(loop))
        policy = self.status(loop, 5)["policy"]
        self.assertEqual(("eof", "4.5", "low"), (policy["eof"], policy["clock"], policy["quality"]))
        self.assertEqual("", self.does(loop, "set", "5", "eof=wait", "ppm=-50"))
        policy = self.status(loop, 5)["policy"]
        self.assertEqual(("wait", "4.5", "-50"), (policy["eof"], policy["clock"], policy["ppm"]))
        self.assertIn("eof=wait", self.does(loop, "status", "5"))
        self.assertEqual("", self.does(loop, "destroy", "5"))
        self.assertEqual([0], self.numbers(loop))
        self.assertEqual([], list(loop.runtime.iterdir()))

    def test_json_has_the_same_members_whatever_there_is_to_tell(self):
        loop = self.loop(2, **FREE)
        self.does(loop, "create", "7")
        agent = self.agent(loop)
        agent.open(SERVER, os.O_RDONLY)
        for instance in json.loads(self.does(loop, "status", "--json")):
            self.assertEqual(list(MEMBERS), list(instance))
            for name, kind in MEMBERS.items():
                with self.subTest(f"{instance['instance']}: {name}"):
                    if isinstance(kind, set):
                        self.assertEqual(kind, set(instance[name]))
                    else:
                        self.assertIsInstance(instance[name], kind)
        self.assertEqual(self.does(loop, "list", "--json"), self.does(loop, "status", "--json"))

    def test_create_without_a_number_takes_the_first_free_one(self):
        loop = self.loop(2)
        self.does(loop, "create", "3")
        made = [int(self.does(loop, "create")) for _ in range(13)]
        self.assertEqual([2, *range(4, 16)], made)
        self.assertIn("16 instances", self.fails(loop, "create"))

    def test_many_at_once_make_different_instances(self):
        loop = self.loop()
        makers = [
            subprocess.Popen(
                [CONTROL, "create"], env=loop.environment(preload=False), stdout=subprocess.PIPE, text=True
            )
            for _ in range(15)
        ]
        made = [int(maker.communicate(timeout=LIMIT_SECONDS)[0]) for maker in makers]
        self.assertEqual(list(range(1, 16)), sorted(made))

    def test_an_instance_that_exists_is_not_made_again(self):
        loop = self.loop()
        self.does(loop, "create", "4", "eof=eof")
        self.assertIn("exists already", self.fails(loop, "create", "4", "eof=wait"))
        self.assertEqual("eof", self.status(loop, 4)["policy"]["eof"])

    def test_a_configured_instance_may_be_made_with_other_policies(self):
        loop = self.loop(eof="wait")
        self.does(loop, "create", "0", "eof=eof")
        self.assertEqual("eof", self.status(loop)["policy"]["eof"])
        self.fails(loop, "create", "0")
        self.does(loop, "destroy", "0")
        self.assertEqual("wait", self.status(loop)["policy"]["eof"])

    def test_what_does_not_exist_is_told(self):
        loop = self.loop()
        for words in ("status 9", "set 9 eof=eof", "destroy 9"):
            with self.subTest(words):
                self.assertIn("no instance 9", self.fails(loop, *words.split()))

    def test_looking_makes_nothing(self):
        loop = self.loop()
        loop.runtime.rmdir()
        for words in ("list", "list --json", "status", "status 0", "status --json"):
            self.does(loop, *words.split())
        self.assertFalse(loop.runtime.exists())

    def test_create_makes_the_folder_for_its_owner_only(self):
        loop = self.loop()
        loop.runtime.rmdir()
        self.does(loop, "create", "1")
        self.assertEqual(0o700, stat.S_IMODE(loop.runtime.stat().st_mode))

    def test_a_made_instance_plays(self):
        loop = self.loop(**FREE)
        self.does(loop, "create", "6", "eof=eof")
        played = sound.noise(5000)
        recorder = loop.partner_records(server(6))
        loop.wait_until_listening(recorder)
        loop.partner_plays(client(6), played).succeed()
        self.assert_identical(played, loop.recorded(recorder))

    def test_a_folder_that_cannot_be_trusted_is_told(self):
        loop = self.loop()
        loop.runtime.chmod(0o777)
        for words in ("list", "status 0", "create", "destroy 0", "set 0 eof=eof", "record a.wav"):
            with self.subTest(words):
                told = self.fails(loop, *words.split())
                self.assertIn(f"{loop.runtime}: everybody may write there", told)

    def test_a_full_file_system_is_told(self):
        loop = self.loop()
        wrapper = in_namespace(self, f"mount -t tmpfs -o size=32k,mode=700 none {loop.runtime}")
        self.assertIn("No space left", self.fails(loop, "create", "1", wrapper=wrapper))
        self.assertIn("no space", self.fails(loop, "record", "a.wav", wrapper=wrapper))

    def test_a_folder_that_cannot_be_written_is_told_without_wrong_advice(self):
        loop = self.loop()
        self.does(loop, "create", "0")
        mount = f"mount --bind {loop.runtime} {loop.runtime}"
        wrapper = in_namespace(self, f"{mount} && mount -o remount,bind,ro {loop.runtime}")
        for words in ("create 1", "set 0 eof=eof", "destroy 0", "record a.wav"):
            with self.subTest(words):
                told = self.fails(loop, *words.split(), wrapper=wrapper)
                self.assertRegex(told, "Read-only file system$")

    def test_a_segment_of_another_version_is_shown_and_can_be_destroyed(self):
        loop = self.loop()
        self.does(loop, "create", "1")
        with open(loop.runtime / "loop1", "r+b") as file:
            file.seek(8)
            file.write(struct.pack("<I", 99))
        shown = self.status(loop, 1)
        self.assertEqual("unreadable", shown["segment"])
        self.assertIn("layout version", shown["problem"])
        self.assertIn("layout version", self.fails(loop, "set", "1", "eof=eof"))
        self.assertIn("layout version", self.fails(loop, "create", "1"))
        self.does(loop, "destroy", "1")
        self.assertEqual([0], self.numbers(loop))


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
        self.assertTrue(shown["loop"]["frozen"])
        self.assertEqual(("filling", 800, 100), self.fill(shown))
        self.assertIn(f"PID {client.pid}", self.does(loop, "list"))

        server.read(recording, 300)
        self.assertEqual(("running", 500, 62), self.fill(self.status(loop)))
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
