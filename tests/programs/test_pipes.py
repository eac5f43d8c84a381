"""ossloopctl record and play in a pipeline: sound arrives bit for bit, and ends are told."""

import os
import signal
import struct

import sound
from control import ControlTest
from loop import CLIENT, CONTROL, SERVER

FREE = {"clock": "free"}
RAW = ("--type", "raw", "-e", "s16", "-c", "2", "-r", "48000")
KINDS = ("raw", "wav", "au", "flac", "w64")
FRAGMENT_BYTES = 4096
UNKNOWN = 0xFFFFFFFF


class PipesTest(ControlTest):
    def pipeline(self, loop, script, *words):
        """A shell's, in which "$@" is ossloopctl with these words."""
        return loop.start("sh", "-c", script, "sh", CONTROL, *words, preload=False)

    def recording(self, loop, *words, script='"$@" | cat >out'):
        return loop.wait_until_listening(self.pipeline(loop, script, "record", *words, "-"))

    def song(self, loop, played):
        return sound.write_wav(loop.file("song.wav"), played)

    def play(self, loop, *words):
        return loop.start(CONTROL, "play", *words, preload=False).succeed()

    def assert_plays(self, loop, producer, played, *words):
        """What `producer` writes is heard as this."""
        recorder = loop.wait_until_listening(loop.start(CONTROL, "record", "--type", "raw", "heard", preload=False))
        self.pipeline(loop, f'{producer} | "$@"', "play", *words, "-").succeed()
        recorder.succeed()
        self.assert_identical(played, sound.from_bytes(loop.file("heard").read_bytes()))


class Kinds(PipesTest):
    def test_each_kind_goes_through_a_pipe_and_back_bit_for_bit(self):
        played = sound.noise(20011)
        for kind in KINDS:
            with self.subTest(kind):
                loop = self.loop(**FREE)
                self.song(loop, played)
                recorder = self.recording(loop, "--type", kind)
                self.play(loop, "song.wav")
                self.assertIn("20011 frames", recorder.succeed().errors)
                if kind != "raw":
                    loop.run("sox", "-V1", "-D", "-t", kind, "out", "-t", "s16", "decoded")
                    loop.run("sh", "-c", "cat out | ffmpeg -v error -i - -f s16le decoded-too")
                    for name in "decoded", "decoded-too":
                        self.assert_identical(played, sound.from_bytes(loop.file(name).read_bytes()))
                self.assert_plays(loop, "cat out", played, *(RAW if kind == "raw" else ()))

    def test_wide_samples_keep_every_bit(self):
        loop = self.loop(**FREE)
        loop.run("sox", "-n", "-b", "24", "-r", "48000", "-c", "3", "deep.wav", "synth", "0.3", "whitenoise")
        loop.run("sox", "deep.wav", "-t", "s24", "deep.raw")
        for kind in KINDS:
            with self.subTest(kind):
                recorder = self.recording(loop, "--type", kind, "-e", "s24", "-c", "3")
                self.play(loop, "deep.wav")
                recorder.succeed()
                words = ("-t", "s24", "-r", "48000", "-c", "3") if kind == "raw" else ("-t", kind)
                loop.run("sox", "-V1", "-D", *words, "out", "-t", "s24", "decoded")
                self.assertEqual(loop.file("deep.raw").read_bytes(), loop.file("decoded").read_bytes())

    def test_a_header_in_a_pipe_tells_that_the_length_is_unknown(self):
        loop = self.loop(**FREE)
        self.song(loop, sound.noise(100))
        for kind, places in (("wav", (4, 40)), ("au", (8,))):
            recorder = self.recording(loop, "--type", kind)
            self.play(loop, "song.wav")
            recorder.succeed()
            for at in places:
                self.assertEqual(UNKNOWN, struct.unpack_from("<I", loop.file("out").read_bytes(), at)[0])

    def test_a_wav_file_of_unknown_length_is_played_to_the_end_of_the_pipe(self):
        loop = self.loop(**FREE)
        played = sound.noise(30000)
        data = bytearray(self.song(loop, played).read_bytes())
        for length in 0, UNKNOWN, 0x7FFFF000:
            with self.subTest(length):
                struct.pack_into("<I", data, 4, length)
                struct.pack_into("<I", data, 40, length)
                loop.file("unknown.wav").write_bytes(data)
                self.assert_plays(loop, "cat unknown.wav", played)

    def test_what_follows_the_sound_of_a_wav_file_is_not_played(self):
        loop = self.loop(**FREE)
        played = sound.noise(100)
        data = self.song(loop, played).read_bytes()
        loop.file("more.wav").write_bytes(data + b"LIST" + struct.pack("<I", 4000) + bytes(range(1, 251)) * 16)
        self.assert_plays(loop, "cat more.wav", played)

    def test_a_type_goes_before_the_ending_of_a_name(self):
        loop = self.loop(**FREE)
        played = sound.noise(500)
        self.song(loop, played)
        for name in "out.dat", "out.flac":
            recorder = loop.wait_until_listening(loop.start(CONTROL, "record", "-t", "wav", name, preload=False))
            self.play(loop, "song.wav")
            recorder.succeed()
            self.assert_identical(played, sound.read_wav(loop.file(name)))
        loop.file("song.dat").write_bytes(played.bytes())
        recorder = loop.wait_until_listening(loop.start(CONTROL, "record", "out.wav", preload=False))
        self.play(loop, *RAW, "song.dat")
        recorder.succeed()
        self.assert_identical(played, sound.read_wav(loop.file("out.wav")))


class Programs(PipesTest):
    def test_what_ffmpeg_and_sox_write_is_played(self):
        loop = self.loop(**FREE)
        played = sound.noise(50000)
        self.song(loop, played)
        for kind in ("wav", "flac", "au", "w64"):
            with self.subTest(kind):
                self.assert_plays(loop, f"ffmpeg -v error -i song.wav -f {kind} -", played)
        self.assert_plays(loop, "sox -V1 song.wav -t wav -", played)
        self.assert_plays(loop, "sox song.wav -t raw -", played, *RAW)

    def test_what_espeak_says_is_heard(self):
        loop = self.loop(**FREE)
        loop.run("sh", "-c", "espeak-ng --stdout 'one two three' >said")
        said = sound.from_bytes(loop.file("said").read_bytes()[44:], 22050, 1)
        recorder = loop.wait_until_listening(
            loop.start(CONTROL, "record", "-r", 22050, "-c", 1, "out.wav", preload=False))
        self.pipeline(loop, 'espeak-ng --stdout "one two three" | "$@"', "play", "-").succeed()
        recorder.succeed()
        self.assert_identical(said, sound.read_wav(loop.file("out.wav")))

    def test_ffmpeg_reads_what_is_recorded(self):
        loop = self.loop(**FREE)
        played = sound.noise(50000)
        self.song(loop, played)
        for kind, words in (("wav", ""), ("raw", "-f s16le -ar 48000 -ac 2")):
            script = f'"$@" | ffmpeg -v error -y {words} -i - -bitexact out.wav'
            recorder = self.recording(loop, "--type", kind, script=script)
            self.play(loop, "song.wav")
            recorder.succeed()
            self.assert_identical(played, sound.read_wav(loop.file("out.wav")))


class Live(PipesTest):
    def test_a_reader_of_the_pipe_hears_each_fragment_at_once(self):
        played = sound.noise(FRAGMENT_BYTES // 4 * 8)
        for kind, header in (("raw", 0), ("wav", 44), ("au", 24)):
            with self.subTest(kind):
                loop = self.loop(underrun="stall")
                recorder = self.recording(loop, "--type", kind)
                client = self.agent(loop)
                fd = client.open(CLIENT, os.O_WRONLY)
                for end in range(FRAGMENT_BYTES, 4 * played.frames + 1, FRAGMENT_BYTES):
                    client.write_all(fd, played.bytes()[end - FRAGMENT_BYTES : end])
                    # The player writes no more before that has been heard.
                    self.wait_until(lambda end=end: loop.file("out").stat().st_size >= header + end)
                client.close(fd)
                recorder.succeed()

    def test_a_player_plays_each_fragment_that_comes_through_the_pipe_at_once(self):
        played = sound.noise(FRAGMENT_BYTES // 4 * 8)
        loop = self.loop(underrun="stall")
        server = self.agent(loop)
        fd = server.open(SERVER, os.O_RDONLY)
        reading, writing = os.pipe()
        self.addCleanup(os.close, writing)
        player = loop.start(CONTROL, "play", *RAW, "-", preload=False, stdin=reading)
        os.close(reading)
        for at in range(0, 4 * played.frames, FRAGMENT_BYTES):
            block = played.bytes()[at : at + FRAGMENT_BYTES]
            os.write(writing, block)
            self.assertEqual(block, server.read_bytes(fd, FRAGMENT_BYTES))
        player.kill()


class Ends(PipesTest):
    KEEP_STATUS = '{ "$@"; echo $? >status; } | '

    def assert_told(self, loop, program, line, status="1"):
        self.wait_until(lambda: loop.file("status").exists() and loop.file("status").read_text())
        self.assertEqual(status, loop.file("status").read_text().strip())
        self.assertRegex(program.errors, rf"\Aossloopctl: {line}\n\Z")

    def test_a_reader_that_ends_is_told_in_one_line(self):
        for kind in KINDS:
            with self.subTest(kind):
                loop = self.loop(**FREE)
                self.song(loop, sound.noise(100_000))
                recorder = self.recording(loop, "--type", kind, script=self.KEEP_STATUS + "head -c 10000 >out")
                loop.start(CONTROL, "play", "song.wav", preload=False).wait()
                self.assert_told(loop, recorder, r"standard output: its reader has ended, after \d+ frames")

    def test_a_reader_that_ends_is_missed_before_anything_is_played(self):
        loop = self.loop()
        recorder = self.pipeline(loop, self.KEEP_STATUS + "head -c 24 >out", "record", "-")
        self.assert_told(loop, recorder, "standard output: its reader has ended(, after 0 frames)?")

    def test_a_full_disk_leaves_a_whole_file(self):
        played = sound.noise(400_000)
        for kind in ("wav", "flac", "au", "w64", "raw"):
            with self.subTest(kind):
                loop = self.loop(**FREE)
                self.song(loop, played)
                recorder = loop.wait_until_listening(loop.start(
                    "prlimit", f"--fsize={1 << 20}", CONTROL, "record", f"out.{kind}", preload=False))
                loop.start(CONTROL, "play", "song.wav", preload=False).wait()
                self.assertEqual(1, recorder.wait())
                told = rf"\Aossloopctl: out.{kind}: File too large, after (\d+) frames\n\Z"
                self.assertRegex(recorder.errors, told)
                words = "-t s16 -r 48000 -c 2" if kind == "raw" else ""
                decoding = loop.run("sox", "-V1", *words.split(), f"out.{kind}", "-D", "-t", "s16", "decoded")
                self.assertEqual("", decoding.errors)
                heard = sound.from_bytes(loop.file("decoded").read_bytes())
                self.assert_identical(played.head(heard.frames), heard)
                self.assertIn(f"after {heard.frames} frames", recorder.errors)
                self.assertGreater(heard.frames, 200_000)
                if kind != "raw":
                    self.assertEqual(str(heard.frames), loop.run("soxi", "-s", f"out.{kind}").output.strip())
                if kind == "wav":
                    self.assert_identical(heard, sound.read_wav(loop.file("out.wav")))

    def test_a_full_device_is_told(self):
        loop = self.loop()
        for words in (("--type", "wav", "/dev/full"), ("-",)):
            recorder = self.pipeline(loop, 'exec "$@" >/dev/full', "record", *words)
            self.assertEqual(1, recorder.wait())
            self.assertRegex(recorder.errors, r"\Aossloopctl: [^\n]*: No space left on device\n\Z")

    def test_a_recorder_whose_reader_sleeps_can_be_ended(self):
        loop = self.loop(**FREE)
        self.song(loop, sound.noise(200_000))
        reading, writing = os.pipe()
        self.addCleanup(os.close, reading)
        recorder = loop.start("sh", "-c", f'exec "$@" >&{writing}', "sh", CONTROL, "record", "--type", "raw", "-",
                              preload=False, pass_fds=(writing,))
        os.close(writing)
        loop.wait_until_listening(recorder)
        player = loop.start(CONTROL, "play", "song.wav", preload=False)
        loop.wait_until_listening(player)
        recorder.send(signal.SIGINT)
        recorder.succeed()
        player.wait()

    def test_a_recording_that_is_interrupted_in_a_stream_holds_what_has_come(self):
        played = sound.noise(3000)
        for number in signal.SIGINT, signal.SIGTERM:
            loop = self.loop(eof="wait", **FREE)
            self.song(loop, played)
            recorder = loop.wait_until_listening(loop.start(CONTROL, "record", "out.wav", preload=False))
            self.play(loop, "song.wav")
            loop.wait_until_listening(recorder)
            recorder.send(number)
            recorder.succeed()
            self.assert_identical(played, sound.read_wav(loop.file("out.wav")))


class Refusals(PipesTest):
    def test_wrong_usage_says_what_is_accepted(self):
        loop = self.loop()
        self.song(loop, sound.noise(10))
        for words, part in (
            ("record --type mp4 -", "expected one of wav, w64"),
            ("play --type mp4 song.wav", "expected one of wav, w64"),
            ("play --type raw song.wav", "expected --encoding, --channels and --rate"),
            ("play --type raw -e s16 -c 2 -", "expected --encoding, --channels and --rate"),
            ("play song.raw", "expected --encoding, --channels and --rate"),
            ("play -r 44100 song.wav", "expected --type raw"),
            ("play --type raw -e vorbis -c 2 -r 48000 -", "cannot hold vorbis"),
            ("record --split -", "standard output is no file"),
        ):
            with self.subTest(words):
                self.assertIn(part, self.fails(loop, *words.split(), status=2))

    def test_what_is_no_sound_is_told(self):
        loop = self.loop()
        self.song(loop, sound.noise(10))
        loop.file("text").write_text("this is no sound\n" * 100)
        self.assertIn("it is no flac", self.fails(loop, "play", "--type", "flac", "song.wav"))
        for producer in ("cat text", "true", "head -c 20 song.wav"):
            with self.subTest(producer):
                player = self.pipeline(loop, f'{producer} | "$@"', "play", "-")
                self.assertEqual(1, player.wait())
                self.assertRegex(player.errors, r"\Aossloopctl: standard input: [ -~]*accepted are wav, [ -~]*--type raw\n\Z")

    def test_a_kind_that_looks_back_is_refused_on_a_pipe(self):
        loop = self.loop()
        for kind in "aiff", "caf", "rf64":
            recorder = self.pipeline(loop, '"$@" | cat >out', "record", "--type", kind, "-")
            recorder.wait()
            self.assertRegex(recorder.errors, r"\Aossloopctl: standard output: [ -~]*accepted are wav, [ -~]*\n\Z")

    def test_a_terminal_is_refused(self):
        loop = self.loop()
        for words in (("record", "-"), ("play", "-")):
            recorder = loop.start("script", "-qec", f"{CONTROL} {' '.join(words)}", "typed", preload=False)
            self.assertEqual(1, recorder.wait())
            self.assertRegex(recorder.output, r"\Aossloopctl: standard (in|out)put is a terminal; accepted are a pipe")
