"""ossloopctl record --follow and --split: streams one after another, in one file or in a file each."""

import signal
import struct

import sound
from control import ControlTest
from loop import CONTROL

FREE = {"clock": "free"}
SONGS = [sound.noise(frames, seed=frames) for frames in (5003, 1024, 20011)]
ALL = SONGS[0] + SONGS[1] + SONGS[2]


class FollowTest(ControlTest):
    def recording(self, loop, *words):
        return loop.start(CONTROL, "record", *words, preload=False)

    def listening(self, loop, *words):
        return loop.wait_until_listening(self.recording(loop, *words))

    def play(self, loop, played, *words):
        path = sound.write_wav(loop.file("song.wav"), played)
        loop.start(CONTROL, "play", "--wait", "30", *words, path, preload=False).succeed()

    def size(self, loop, name):
        path = loop.file(name)
        return path.stat().st_size if path.exists() else 0

    def wait_for_frames(self, loop, name, frames, header=44):
        self.wait_until(lambda: self.size(loop, name) >= header + 4 * frames)

    def wait_until_whole(self, loop, name, played):
        """Its header is right before the recorder ends."""
        def whole():
            try:
                return sound.read_wav(loop.file(name)).frames == played.frames
            except (FileNotFoundError, ValueError, struct.error):
                return False

        self.wait_until(whole)
        self.assert_identical(played, sound.read_wav(loop.file(name)))


class Follow(FollowTest):
    def test_all_streams_are_in_one_file_whatever_is_told_of_their_ends(self):
        for eof in "reset", "eof", "wait":
            with self.subTest(eof=eof):
                loop = self.loop(eof=eof, **FREE)
                recorder = self.listening(loop, "--follow", "take.wav")
                for song in SONGS:
                    self.play(loop, song)
                recorder.send(signal.SIGINT)
                self.assertIn(f"{ALL.frames} frames", recorder.succeed().output)
                self.assert_identical(ALL, sound.read_wav(loop.file("take.wav")))

    def test_an_interrupted_one_takes_the_streams_that_have_come_meanwhile(self):
        for eof in "reset", "eof", "wait":
            with self.subTest(eof=eof):
                loop = self.loop(eof=eof, **FREE)
                recorder = self.listening(loop, "--follow", "take.wav")
                self.play(loop, SONGS[0])
                # As one that gets no processor: the players drain without it.
                recorder.send(signal.SIGSTOP)
                for song in SONGS[:2]:
                    self.play(loop, song)
                recorder.send(signal.SIGINT)
                recorder.send(signal.SIGCONT)
                recorder.succeed()
                self.assert_identical(SONGS[0] + SONGS[0] + SONGS[1], sound.read_wav(loop.file("take.wav")))

    def test_a_stream_of_another_format_is_converted(self):
        loop = self.loop(**FREE)
        recorder = self.listening(loop, "--follow", "take.wav")
        self.play(loop, SONGS[0])
        self.play(loop, sound.tone(0.5, rate=44100, channels=1))
        self.play(loop, SONGS[1])
        recorder.send(signal.SIGTERM)
        recorder.succeed()
        heard = sound.read_wav(loop.file("take.wav"))
        self.assertEqual(5003 + 24000 + 1024, heard.frames)
        self.assert_identical(SONGS[0], heard.head(5003))
        self.assert_identical(SONGS[1], heard.tail(5003 + 24000))

    def test_all_streams_go_through_one_pipe(self):
        loop = self.loop(**FREE)
        recorder = loop.wait_until_listening(loop.start(
            "sh", "-c", '"$@" | cat >out', "sh", CONTROL, "record", "--follow", "--type", "raw", "-", preload=False))
        for song in SONGS:
            self.play(loop, song)
        # The signal ends the pipe's reader, too.
        self.wait_for_frames(loop, "out", ALL.frames, 0)
        recorder.send(signal.SIGINT)
        recorder.wait()
        self.assert_identical(ALL, sound.from_bytes(loop.file("out").read_bytes()))

    def test_a_duration_is_of_all_streams(self):
        loop = self.loop(**FREE)
        recorder = self.listening(loop, "--follow", "-d", "0.11", "take.wav")
        self.play(loop, SONGS[0])
        loop.start(CONTROL, "play", "song.wav", preload=False).wait()
        recorder.succeed()
        self.assert_identical((SONGS[0] + SONGS[0]).head(5280), sound.read_wav(loop.file("take.wav")))

    def test_a_client_waits_for_the_next_server(self):
        loop = self.loop(**FREE)
        recorder = self.recording(loop, "--client", "--wait", "30", "--follow", "take.wav")
        for end in range(1, 4):
            self.play(loop, SONGS[end - 1], "--server")
            # A server that comes sooner may be met by nobody: then it would wait.
            self.wait_for_frames(loop, "take.wav", sum(song.frames for song in SONGS[:end]))
        recorder.send(signal.SIGINT)
        recorder.succeed()
        self.assert_identical(ALL, sound.read_wav(loop.file("take.wav")))


class Split(FollowTest):
    def test_each_stream_is_a_whole_file_as_soon_as_it_has_ended(self):
        for eof in "reset", "eof":
            with self.subTest(eof=eof):
                loop = self.loop(eof=eof, **FREE)
                recorder = self.listening(loop, "--split", "take.wav")
                for number, song in enumerate(SONGS, 1):
                    self.play(loop, song)
                    self.wait_until_whole(loop, f"take-{number:03}.wav", song)
                recorder.send(signal.SIGINT)
                told = [line.split()[-1] for line in recorder.succeed().output.splitlines()]
                self.assertEqual(["take-001.wav", "take-002.wav", "take-003.wav"], told)
                self.assertFalse(loop.file("take.wav").exists())

    def test_a_file_that_is_there_is_passed_over(self):
        loop = self.loop(**FREE)
        for name in "take-001.flac", "take-003.flac":
            loop.file(name).write_text("mine")
        recorder = self.listening(loop, "--split", "take.flac")
        for song in SONGS[:2]:
            self.play(loop, song)
        recorder.send(signal.SIGINT)
        recorder.succeed()
        for name in "take-001.flac", "take-003.flac":
            self.assertEqual("mine", loop.file(name).read_text())
        for number, song in ((2, SONGS[0]), (4, SONGS[1])):
            loop.run("sox", f"take-00{number}.flac", "decoded.wav")
            self.assert_identical(song, sound.read_wav(loop.file("decoded.wav")))

    def test_one_that_is_interrupted_leaves_its_last_file_whole(self):
        loop = self.loop(underrun="stall")
        recorder = self.listening(loop, "--split", "take.wav")
        player = loop.partner_plays("/dev/oss/oss_audioloop0/pcm0", sound.noise(480_000))
        self.wait_for_frames(loop, "take-001.wav", 4800)
        recorder.send(signal.SIGINT)
        recorder.succeed()
        player.wait()
        heard = sound.read_wav(loop.file("take-001.wav"))
        self.assert_identical(sound.noise(480_000).head(heard.frames), heard)

    def test_one_that_hears_nothing_says_so_and_makes_no_file(self):
        loop = self.loop()
        recorder = self.listening(loop, "--split", "take.wav")
        recorder.send(signal.SIGINT)
        self.assertEqual("0 frames (0 s, 48000 Hz, 2 channels) recorded\n", recorder.succeed().output)
        self.assertEqual([], list(loop.work.glob("take*")))

    def test_ends_that_are_not_told_are_refused(self):
        for eof in "silence", "wait":
            loop = self.loop(eof=eof)
            self.assertIn(f"has eof={eof}", self.fails(loop, "record", "--split", "take.wav"))

    def test_a_name_without_an_ending_is_numbered_too(self):
        loop = self.loop(**FREE)
        recorder = self.listening(loop, "--split", "--type", "wav", "./take")
        self.play(loop, SONGS[0])
        self.wait_until_whole(loop, "take-001", SONGS[0])
        recorder.send(signal.SIGINT)
        recorder.succeed()


class Taps(FollowTest):
    def hear(self, *words):
        """A tap that is there before the first of three streams."""
        loop = self.loop(underrun="stall")
        self.listening(loop, "--follow", "taken.wav")
        tap = self.recording(loop, "--tap", *words, "tap.wav")
        held = []

        def hears():
            # While it looks for the instance it holds that only now and then.
            held.append(loop.holds_device(tap.pid))
            return len(held) > 20 and all(held[-20:])

        self.wait_until(hears)
        for number, song in enumerate(SONGS, 1):
            self.play(loop, song)
            yield loop, tap, number, song

    def test_a_tap_follows(self):
        heard = 0
        for loop, tap, number, song in self.hear("--follow"):
            heard += song.frames
            self.wait_for_frames(loop, "tap.wav", heard)
        tap.send(signal.SIGINT)
        tap.succeed()
        self.assert_identical(ALL, sound.read_wav(loop.file("tap.wav")))

    def test_a_tap_splits(self):
        for loop, tap, number, song in self.hear("--split"):
            self.wait_until_whole(loop, f"tap-{number:03}.wav", song)
        tap.send(signal.SIGINT)
        tap.succeed()

    def test_a_tap_goes_on_when_nobody_uses_the_instance(self):
        loop = self.loop()
        recorder = self.listening(loop, "taken.wav")
        tap = self.recording(loop, "--tap", "--follow", "tap.wav")
        self.wait_until(lambda: self.size(loop, "tap.wav") == 44)
        self.play(loop, SONGS[0])
        recorder.succeed()
        heard = self.size(loop, "tap.wav")
        self.listening(loop, "taken.wav")
        self.play(loop, SONGS[2])
        self.wait_until(lambda: self.size(loop, "tap.wav") > heard)
        tap.send(signal.SIGINT)
        tap.succeed()
