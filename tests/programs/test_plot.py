"""`ossloopctl plot` and `record --spectrogram`: what is drawn is where it should be."""

import math
import os
import pathlib
import signal
import subprocess
import unittest

import sound
from control import ControlTest
from loop import CLIENT, CONTROL, LIMIT_SECONDS, SERVER
from png import Png

# Of a picture of one channel that shows one lane (tools/viewer/plot_page.cc).
LEFT, RIGHT, TOP = 84, 92, 70
WAVEFORM_HEIGHT, SPECTROGRAM_HEIGHT = 201, 480
WIDTH = 320
WAVE = (96, 190, 255)
OVER = (255, 80, 64)


def tones(seconds, hz, rate=48000, amplitude=0.25, channels=1):
    frames = round(seconds * rate)
    one = [round(32767 * amplitude * sum(math.sin(2 * math.pi * f * i / rate) for f in hz)) for i in range(frames)]
    return sound.Sound(rate, channels, sound.array.array("h", [s for s in one for _ in range(channels)]))


def row_of(hz, rate):
    """Where a frequency stands in the spectrogram."""
    return TOP + SPECTROGRAM_HEIGHT - 1 - int(hz / (rate / 2) * SPECTROGRAM_HEIGHT)


class PlotTest(ControlTest):
    def picture(self, loop, name="out.png"):
        return Png(loop.file(name).read_bytes())

    def drawn(self, loop, played, *words):
        """The picture of a sound."""
        sound.write_wav(loop.file("song.wav"), played)
        told = self.does(loop, "plot", "song.wav", "-o", "out.png", "--width", str(WIDTH), *words)
        self.assertIn(f"{played.frames} frames", told)
        return self.picture(loop)

    def assert_brightest_at(self, picture, hz, rate):
        """These frequencies and no others, in the middle of the picture and near its ends."""
        for x in (LEFT + 2, (LEFT + WIDTH - RIGHT) // 2, WIDTH - RIGHT - 3):
            lights = {y: picture.light(x, y) for y in range(TOP, TOP + SPECTROGRAM_HEIGHT)}
            rest = dict(lights)
            for frequency in hz:
                around = range(row_of(frequency, rate) - 1, row_of(frequency, rate) + 2)
                self.assertGreater(max(lights[y] for y in around), 150, frequency)
                for y in range(around.start - 15, around.stop + 15):
                    rest.pop(y, None)
            self.assertLess(max(rest.values()), 60)


class Spectrograms(PlotTest):
    def test_tones_are_the_brightest_rows_at_their_frequencies(self):
        for rate, hz in ((48000, (440, 5000)), (8000, (440, 3000)), (192000, (5000, 70000))):
            for window in "blackman", "hann":
                with self.subTest(rate=rate, window=window):
                    picture = self.drawn(self.loop(), tones(0.7, hz, rate), "--spectrogram", "--window", window)
                    self.assert_brightest_at(picture, hz, rate)

    def test_a_tone_is_as_bright_as_its_level(self):
        loop = self.loop()
        lights = []
        for dbfs in (0, -40, -80):
            picture = self.drawn(loop, tones(0.5, [6000], amplitude=10 ** (dbfs / 20)), "--spectrogram")
            lights.append(max(picture.light(150, y) for y in range(TOP, TOP + SPECTROGRAM_HEIGHT)))
        self.assertGreater(lights[0], 230)
        self.assertEqual(lights, sorted(lights, reverse=True))
        self.assertGreater(lights[2], 15)

    def test_silence_is_dark_and_flat(self):
        picture = self.drawn(self.loop(), sound.silence(24000, channels=1), "--spectrogram")
        self.assertLess(max(picture.light(x, y) for x in range(LEFT, WIDTH - RIGHT)
                            for y in range(TOP, TOP + SPECTROGRAM_HEIGHT)), 10)
        picture = self.drawn(self.loop(), sound.silence(24000, channels=1), "--waveform")
        self.assertEqual({TOP + WAVEFORM_HEIGHT // 2}, {y for y in range(picture.height)
                                                       if picture.at(150, y) == WAVE})

    def test_a_sound_that_begins_later_is_dark_before(self):
        played = sound.silence(24000, channels=1) + tones(0.5, [6000])
        picture = self.drawn(self.loop(), played, "--spectrogram")
        y = row_of(6000, 48000)
        self.assertLess(picture.light(LEFT + 50, y), 20)
        self.assertGreater(max(picture.light(WIDTH - RIGHT - 20, y + d) for d in (-1, 0, 1)), 150)


class Waveforms(PlotTest):
    def test_a_square_stands_at_its_level(self):
        samples = sound.array.array("h", ([16384] * 12000 + [-16384] * 12000) * 2)
        picture = self.drawn(self.loop(), sound.Sound(48000, 1, samples), "--waveform")
        half = WAVEFORM_HEIGHT // 2
        columns = WIDTH - LEFT - RIGHT
        for quarter, expected in enumerate((TOP + half // 2, TOP + half + half // 2) * 2):
            x = LEFT + round((quarter + 0.5) / 4 * columns)
            painted = [y for y in range(TOP, TOP + WAVEFORM_HEIGHT) if picture.at(x, y) == WAVE]
            self.assertEqual(1, len(painted))
            self.assertAlmostEqual(expected, painted[0], delta=1)
        # Where it changes a line joins the two.
        x = LEFT + columns // 2
        self.assertGreater(sum(picture.at(x + d, y) == WAVE for d in (-1, 0) for y in range(TOP, TOP + 201)), 90)

    def test_one_peak_in_a_long_sound_is_seen(self):
        samples = sound.array.array("h", bytes(2 * 500_000))
        samples[250_000] = 32767
        picture = self.drawn(self.loop(), sound.Sound(48000, 1, samples), "--waveform")
        tops = [x for x in range(LEFT, WIDTH - RIGHT) if picture.at(x, TOP) == WAVE]
        self.assertIn(len(tops), (1, 2))  # pieces of the sound may lie in two columns
        self.assertAlmostEqual(LEFT + (WIDTH - LEFT - RIGHT) / 2, tops[0], delta=2)

    def test_what_is_beyond_full_scale_is_marked(self):
        loop = self.loop()
        samples = sound.array.array("f", (1.5 * math.sin(i / 20) for i in range(9000)))
        loop.file("loud.raw").write_bytes(samples.tobytes())
        self.does(loop, "plot", "loud.raw", "-e", "float", "-r", "48000", "-c", "1", "-o", "out.png", "--waveform",
                  "--width", "320")
        picture = self.picture(loop)
        self.assertTrue(any(picture.at(x, TOP) == OVER for x in range(LEFT, WIDTH - RIGHT)))


class Files(PlotTest):
    def test_sounds_of_any_kind_and_length(self):
        loop = self.loop()
        heights = []
        for frames, channels, rate in ((0, 1, 8000), (1, 1, 8000), (3, 2, 48000), (9000, 8, 192000)):
            with self.subTest(frames=frames, channels=channels, rate=rate):
                picture = self.drawn(loop, sound.noise(frames, rate, channels))
                self.assertEqual(WIDTH, picture.width)
                heights.append(picture.height)
        self.assertEqual(heights, sorted(heights))

    def test_the_picture_lies_beside_the_sound_unless_it_is_said(self):
        loop = self.loop()
        sound.write_wav(loop.file("a.song.wav"), sound.noise(100))
        self.does(loop, "plot", "a.song.wav", "--width", "320")
        self.assertEqual(320, self.picture(loop, "a.song.png").width)

    def test_a_pipe_at_each_end_and_raw_samples(self):
        loop = self.loop()
        played = tones(0.5, [440, 5000])
        words = [CONTROL, "plot", "-", "-o", "-", "--spectrogram", "--width", str(WIDTH)]
        for more, data in ((["-t", "raw", "-e", "s16", "-r", "48000", "-c", "1"], played.bytes()),
                           ([], sound.write_wav(loop.file("song.wav"), played).read_bytes())):
            done = subprocess.run([*words, *more], input=data, env=loop.environment(preload=False), capture_output=True,
                                  timeout=LIMIT_SECONDS, check=False)
            self.assertEqual((0, b""), (done.returncode, done.stderr))
            self.assert_brightest_at(Png(done.stdout), (440, 5000), 48000)

    def test_a_part_is_drawn_if_only_that_is_wanted(self):
        loop = self.loop()
        sound.write_wav(loop.file("song.wav"), sound.noise(48000))
        self.assertIn("4800 frames", self.does(loop, "plot", "song.wav", "--seconds", "0.1", "--width", "320"))

    def test_bad_input_is_one_line_and_leaves_nothing(self):
        loop = self.loop()
        sound.write_wav(loop.file("song.wav"), sound.noise(100))
        loop.file("text.txt").write_text("no sound")
        loop.file("folder").mkdir()
        before = set(loop.work.iterdir())
        for words, status, part in (
            ("nothing.wav -o a.png", 1, "nothing.wav: No such file"),
            ("text.txt", 1, "text.txt: "),
            ("folder -o a.png", 1, "folder: "),
            ("song.wav -o missing/a.png", 1, "missing/a.png: No such file"),
            ("song.wav -o folder", 1, "folder: Is a directory"),
            ("song.wav -o song.wav", 1, "it is the sound itself"),
            ("song.wav -o /dev/full", 1, "/dev/full: No space left"),
            ("--tap -o a.png", 1, "nobody uses instance 0"),
            ("--tap 9 -o a.png", 1, "there is no instance 9"),
            ("--tap 16 -o a.png", 2, "0 to 15"),
            ("--tap", 2, "expected --output"),
            ("", 2, "expected a sound file"),
            ("song.wav --tap 0 -o a.png", 2, "expected one of them"),
            ("song.wav --window square", 2, "blackman or hann"),
            ("song.wav --width 100", 2, "320 to 16384"),
            ("song.wav -t raw", 2, "expected --encoding"),
        ):
            with self.subTest(words):
                self.assertIn(part, self.fails(loop, "plot", *words.split(), status=status))
        self.assertEqual(before, set(loop.work.iterdir()))

    def test_a_full_disk_leaves_nothing(self):
        loop = self.loop()
        sound.write_wav(loop.file("song.wav"), sound.noise(48000))
        wrapper = ["prlimit", "--fsize=4096"]
        self.assertIn("a.png: File too large", self.fails(loop, "plot", "song.wav", "-o", "a.png", wrapper=wrapper))
        self.assertEqual([], [path for path in loop.work.iterdir() if "png" in path.name])

    def test_an_interrupted_one_leaves_nothing(self):
        loop = self.loop()
        plot = loop.start("sh", "-c", f"(cat /dev/zero) | exec {CONTROL} plot -t raw -e s16 -c 1 -r 8000 - -o a.png",
                          preload=False)
        self.wait_until(lambda: [path for path in loop.work.iterdir() if path.name.startswith("a.png")])
        plot.send(signal.SIGINT)
        self.assertNotEqual(0, plot.wait())
        self.wait_until(lambda: not [path for path in loop.work.iterdir() if path.name.startswith("a.png")])

    def test_a_missing_viewer_is_told(self):
        loop = self.loop()
        folder = loop.file("bin")
        folder.mkdir()
        (folder / "ossloopctl").write_bytes(CONTROL.read_bytes())
        (folder / "ossloopctl").chmod(0o755)
        done = subprocess.run([folder / "ossloopctl", "plot", "song.wav"], env=loop.environment(preload=False),
                              capture_output=True, text=True, check=False)
        if pathlib.Path("/usr/libexec/ossloop/ossloop-view").exists():
            self.assertIn("song.wav", done.stderr)  # the installed one
        else:
            self.assertRegex(done.stderr, r"\Aossloopctl: ossloop-view, which draws, is neither in .*\n\Z")
        self.assertEqual(1, done.returncode)


class Taps(PlotTest):
    def test_what_is_heard_of_an_instance_is_drawn_and_not_changed(self):
        loop = self.loop()
        played = tones(4, [440, 5000])
        recorder = loop.partner_records(SERVER, channels=1)
        loop.wait_until_listening(recorder)
        player = loop.partner_plays(CLIENT, played)
        told = self.does(loop, "plot", "--tap", "0", "--seconds", "1", "-o", "out.png", "--spectrogram",
                         "--width", str(WIDTH), "--wait", "30")
        self.assertIn("48000 frames (1 s, 48000 Hz, 1 channel)", told)
        self.assert_brightest_at(self.picture(loop), (440, 5000), 48000)
        player.succeed()
        self.assert_identical(played, loop.recorded(recorder, channels=1))

    def test_it_ends_with_the_stream(self):
        loop = self.loop()
        recorder = loop.partner_records(SERVER)
        loop.wait_until_listening(recorder)
        plot = loop.start(CONTROL, "plot", "--tap", "-o", "out.png", "-s", "3600", "--width", "320", preload=False)
        self.wait_until(lambda: loop.holds_device(plot.pid))
        loop.partner_plays(CLIENT, sound.noise(48000)).succeed()
        self.assertIn(" drawn in out.png", plot.succeed().output)
        self.picture(loop)


class Recordings(PlotTest):
    def record(self, loop, *words):
        return loop.wait_until_listening(loop.start(CONTROL, "record", *words, preload=False))

    def play(self, loop, played):
        sound.write_wav(loop.file("song.wav"), played)
        loop.start(CONTROL, "play", "song.wav", preload=False).succeed()

    def test_a_recording_has_its_spectrogram(self):
        for kind in ["out.wav"], ["out.flac"], ["-t", "raw", "out.bin"]:
            with self.subTest(kind):
                loop = self.loop(clock="free")
                recorder = self.record(loop, "--spectrogram", "out.png", "-c", "1", *kind)
                self.play(loop, tones(0.5, [440, 5000]))
                told = recorder.succeed().output
                self.assertEqual("", recorder.errors)
                self.assertRegex(told, r"\A24000 frames .* recorded to out\..*\nspectrogram drawn in out.png\n\Z")
                picture = self.picture(loop)
                self.assertEqual(1200, picture.width)
                y = row_of(5000, 48000)
                self.assertGreater(max(picture.light(600, y + d) for d in (-1, 0, 1)), 150)

    def test_each_of_several_files_has_one(self):
        loop = self.loop(clock="free", linger_ms=0)
        recorder = self.record(loop, "--split", "--spectrogram", "pictures.png", "take.wav")
        for number, seconds in (1, 0.3), (2, 0.2):
            self.play(loop, tones(seconds, [440], channels=2))
            self.wait_until(lambda: f"take-00{number}.wav" in recorder.output)
        recorder.send(signal.SIGINT)
        self.assertIn("spectrogram drawn in pictures-002.png", recorder.succeed().output)
        for number in 1, 2:
            self.picture(loop, f"pictures-00{number}.png")

    def sent_while_it_draws(self, number):
        """A recorder whose picture is being drawn by a program that gets a signal."""
        loop = self.loop(clock="free", linger_ms=0)
        recorder = self.record(loop, "--spectrogram", "out.png", "out.wav")
        self.play(loop, sound.noise(60 * 48000))
        children = pathlib.Path(f"/proc/{recorder.pid}/task/{recorder.pid}/children")
        self.wait_until(lambda: children.read_text())
        os.kill(int(children.read_text()), number)
        return loop, recorder

    def test_the_interruption_of_a_recorder_is_none_of_its_picture(self):
        loop, recorder = self.sent_while_it_draws(signal.SIGINT)
        self.assertIn("spectrogram drawn in out.png", recorder.succeed().output)
        self.picture(loop)

    def test_a_picture_that_is_killed_is_told(self):
        loop, recorder = self.sent_while_it_draws(signal.SIGKILL)
        self.assertEqual(1, recorder.wait())
        self.assertEqual("ossloopctl: out.png: not drawn, for signal 9\n", recorder.errors)

    def test_what_cannot_be_drawn_is_told_before_it_begins(self):
        loop = self.loop()
        for words, status, part in (
            (["--spectrogram", "out.png", "-"], 2, "standard output cannot be read again"),
            (["--spectrogram", "missing/out.png", "out.wav"], 1, "missing/out.png: No such file"),
            (["--spectrogram", ".", "out.wav"], 1, ".: Is a directory"),
            (["--spectrogram", "out.png", "-t", "wav", "/dev/null"], 1, "/dev/null cannot be read again"),
        ):
            with self.subTest(words):
                self.assertIn(part, self.fails(loop, "record", *words, status=status))
        self.assertEqual({"ossloop.conf"}, {path.name for path in loop.work.iterdir()})


if __name__ == "__main__":
    unittest.main()
