"""ossloopctl record, play and monitor: the loop without any other program."""

import json
import re
import signal

import sound
from control import ControlTest
from loop import CONTROL, asleep, text_of

FREE = {"clock": "free"}

# Kinds of file and what they hold that sox turns back into the very samples.
LOSSLESS = [
    ("wav", "s16"), ("wav", "s24"), ("wav", "s32"), ("wav", "float"),
    ("flac", "s16"), ("flac", "s24"), ("aiff", "s16"), ("au", "s32"), ("caf", "s24"), ("w64", "s16"),
]


class RecordAndPlayTest(ControlTest):
    def control_started(self, loop, *words, **options):
        return loop.start(CONTROL, *words, preload=False, **options)

    def listening(self, loop, *words):
        return loop.wait_until_listening(self.control_started(loop, "record", *words))

    def as_sent(self, loop, name, played):
        """The file as 16-bit samples, read by sox."""
        loop.run("sox", "-D", name, "-b", "16", "-e", "signed", "decoded.wav")
        self.assert_identical(played, sound.read_wav(loop.file("decoded.wav")))


class Files(RecordAndPlayTest):
    def test_a_file_arrives_as_it_was_in_every_lossless_kind(self):
        played = sound.noise(20011)
        for ending, encoding in LOSSLESS:
            with self.subTest(f"{ending}, {encoding}"):
                loop = self.loop(**FREE)
                sound.write_wav(loop.file("song.wav"), played)
                recorder = self.listening(loop, "-e", encoding, f"out.{ending}")
                player = self.control_started(loop, "play", "song.wav").succeed()
                self.assertIn("20011 frames", player.output)
                self.assertIn("20011 frames", recorder.succeed().output)
                self.as_sent(loop, f"out.{ending}", played)

    def test_wide_samples_keep_every_bit(self):
        loop = self.loop(**FREE)
        loop.run("sox", "-n", "-b", "24", "-r", "48000", "-c", "2", "deep.wav", "synth", "0.5", "whitenoise")
        recorder = self.listening(loop, "-e", "s24", "out.wav")
        self.control_started(loop, "play", "deep.wav").succeed()
        recorder.succeed()
        for name in ("deep", "out"):
            loop.run("sox", f"{name}.wav", "-t", "s32", f"{name}.raw")
        self.assertEqual(loop.file("deep.raw").read_bytes(), loop.file("out.raw").read_bytes())

    def test_the_other_direction(self):
        played = sound.noise(9001, rate=44100, channels=1)
        loop = self.loop(**FREE)
        sound.write_wav(loop.file("song.wav"), played)
        player = loop.wait_until_listening(self.control_started(loop, "play", "--server", "song.wav"))
        recorder = self.control_started(loop, "record", "--client", "-r", "44100", "-c", "1", "out.wav")
        recorder.succeed()
        player.succeed()
        self.as_sent(loop, "out.wav", played)

    def test_standard_input_and_output(self):
        played = sound.noise(5003)
        loop = self.loop(**FREE)
        file = sound.write_wav(loop.file("song.wav"), played)
        recorder = self.listening(loop, "-")
        with open(file, "rb") as song:
            self.control_started(loop, "play", "-", stdin=song).succeed()
        recorder.succeed()
        self.assertIn("5003 frames", recorder.errors)
        (recorder.folder / "stdout").rename(loop.file("out.au"))
        self.as_sent(loop, "out.au", played)

    def test_other_instances_and_a_lossy_file_at_another_rate(self):
        loop = self.loop(2, **FREE)
        sound.write_wav(loop.file("song.wav"), sound.tone(2.0, rate=44100))
        recorder = self.listening(loop, "-i", "1", "out.ogg")
        self.control_started(loop, "play", "-i", "1", "song.wav").succeed()
        self.assertIn("96000 frames (2 s, 48000 Hz, 2 channels)", recorder.succeed().output)
        loop.run("sox", "out.ogg", "-b", "16", "decoded.wav")
        self.assertEqual(96000, sound.read_wav(loop.file("decoded.wav")).frames)


class Ends(RecordAndPlayTest):
    def test_a_recording_ends_after_its_duration_to_the_frame(self):
        loop = self.loop(**FREE)
        played = sound.noise(48000)
        sound.write_wav(loop.file("song.wav"), played)
        recorder = self.listening(loop, "-d", "0.25", "out.wav")
        player = self.control_started(loop, "play", "song.wav")
        recorder.succeed()
        player.succeed(statuses=(0, 1))
        self.as_sent(loop, "out.wav", played.head(12000))

    def test_an_interrupted_recording_is_a_whole_file(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(number.name):
                loop = self.loop()
                recorder = self.listening(loop, "out.wav")
                recorder.send(number)
                recorder.succeed()
                self.assertEqual(0, sound.read_wav(loop.file("out.wav")).frames)

    def test_a_player_whose_recorder_ends_says_so(self):
        loop = self.loop()
        sound.write_wav(loop.file("song.wav"), sound.noise(480000))
        recorder = self.listening(loop, "-d", "0.1", "out.wav")
        player = self.control_started(loop, "play", "song.wav")
        recorder.succeed()
        self.assertEqual(1, player.wait())
        self.assertRegex(player.errors, r"\Aossloopctl: pcm0: .* has ended, after \d+ frames\n\Z")

    def test_a_player_waits_for_its_server_if_told_to(self):
        loop = self.loop(**FREE)
        sound.write_wav(loop.file("song.wav"), sound.noise(1000))
        player = self.control_started(loop, "play", "--wait", "60", "song.wav")
        recorder = self.control_started(loop, "record", "out.wav")
        player.succeed()
        recorder.succeed()
        self.assertEqual(1000, sound.read_wav(loop.file("out.wav")).frames)


class Refusals(RecordAndPlayTest):
    def test_each_failure_is_one_line_that_names_what_was_wrong(self):
        loop = self.loop()
        sound.write_wav(loop.file("song.wav"), sound.noise(100))
        loop.file("text.wav").write_text("this is no sound\n" * 100)
        for words, part in [
            ("play nothing.wav", "nothing.wav"),
            ("play text.wav", "text.wav"),
            ("play song.wav", "no program has the server side open"),
            ("play -i 9 song.wav", "no such instance"),
            ("record --client out.wav", "no program has the server side open"),
            ("record out.xyz", "accepted are .wav"),
            ("record out", "accepted are .wav"),
            ("record -e float out.flac", "cannot hold float"),
            ("record missing/out.wav", "missing/out.wav"),
            ("monitor 9", "no instance 9"),
        ]:
            with self.subTest(words):
                self.assertIn(part, self.fails(loop, *words.split()))
        self.assertEqual({"song.wav", "text.wav", "ossloop.conf"}, {p.name for p in loop.work.iterdir()})

    def test_a_side_that_is_taken_is_told(self):
        loop = self.loop()
        self.listening(loop, "out.wav")
        self.assertIn("has this side open", self.fails(loop, "record", "other.wav"))
        self.assertFalse(loop.file("other.wav").exists())

    def test_wrong_usage(self):
        loop = self.loop()
        for words in ("play", "record", "play -i 16 a.wav", "record -c 0 a.wav", "record -c 65 a.wav",
                      "record -r 4999 a.wav", "record -r 768001 a.wav", "record -e nix a.wav",
                      "record -d -1 a.wav", "record --server --client a.wav", "play a.wav b.wav",
                      "monitor 16", "monitor -t 0", "monitor -n 0"):
            with self.subTest(words):
                self.fails(loop, *words.split(), status=2)


class Monitor(RecordAndPlayTest):
    def test_a_line_for_each_instance_in_each_round(self):
        loop = self.loop(2)
        lines = self.does(loop, "monitor", "-n", "3", "-t", "0.01").splitlines()
        self.assertEqual(7, len(lines))
        self.assertRegex(lines[0], r"^TIME +INSTANCE +STREAM")
        self.assertEqual(["0", "1"] * 3, [line.split()[1] for line in lines[1:]])
        self.assertTrue(all(re.match(r"\d\d:\d\d:\d\d\.\d{3} ", line) for line in lines[1:]))
        self.assertEqual(2, len(self.does(loop, "monitor", "1", "-n", "1").splitlines()))

    def test_json_is_an_object_in_each_line_with_what_status_tells(self):
        loop = self.loop(2)
        lines = self.does(loop, "monitor", "--json", "-n", "2", "-t", "0.01").splitlines()
        rounds = [json.loads(line) for line in lines]
        self.assertEqual(2, len(rounds))
        self.assertLess(rounds[0]["time"], rounds[1]["time"])
        self.assertEqual(json.loads(self.does(loop, "status", "--json")), rounds[1]["instances"])

    def test_it_sees_a_stream_run_and_ends_with_its_reader(self):
        loop = self.loop()
        sound.write_wav(loop.file("song.wav"), sound.noise(48000))
        recorder = self.listening(loop, "out.wav")
        watcher = loop.start("sh", "-c", f"{CONTROL} monitor 0 -t 0.02 | grep -m1 running", preload=False)
        self.wait_until(lambda: any(text_of(f"/proc/{pid}/comm") == "ossloopctl\n" and asleep(pid)
                                    for pid in loop.processes_of(watcher)))
        player = self.control_started(loop, "play", "song.wav")
        self.assertIn("running", watcher.succeed().output)
        player.succeed()
        recorder.succeed()
