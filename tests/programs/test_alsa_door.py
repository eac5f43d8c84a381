"""`ossloopctl run --alsa`: the loop as the sound card of ALSA programs."""

import os
import signal
import sys
import unittest

import sound
from control import ControlTest
from driven import in_namespace
from loop import CONTROL, LIBRARY, SERVER

RATE = 48000
# Programs of a busy machine are late: nothing is lost for it, and no xrun told.
REAL = {"underrun": "stall"}
# Players fill up their last block, and some say goodbye with silence.
PADDING = RATE

SOUNDFONT = "/usr/share/sounds/sf2/TimGM6mb.sf2"
CONFIGURATION = CONTROL.parents[1] / "share/ossloop/alsa.conf"

# Two notes for a second, as a MIDI file.
CHORD = bytes.fromhex("4d546864000000060000000100604d54726b0000001c00c00000903c7f0090407f8100803c00008040008100ff2f00")

PORTAUDIO = """
import pyaudio, wave
pa = pyaudio.PyAudio()
song = wave.open("song.wav").readframes(1 << 30)
device = next(n for n in range(pa.get_device_count()) if pa.get_device_info_by_index(n)["name"] == "default")
stream = pa.open(48000, 2, pyaudio.paInt16, output=True, output_device_index=device, frames_per_buffer={frames})
stream.write(song + bytes(1 << 16))  # it drops what is queued when it stops
stream.stop_stream()
stream.close()
pa.terminate()
"""


PORTAUDIO_RECORDER = """
import pyaudio, wave
pa = pyaudio.PyAudio()
device = next(n for n in range(pa.get_device_count()) if pa.get_device_info_by_index(n)["name"] == "default")
stream = pa.open(48000, 2, pyaudio.paInt16, input=True, input_device_index=device, frames_per_buffer=1024)
heard = b"".join(stream.read(1024) for _ in range(40))
stream.close()
pa.terminate()
with wave.open("out.wav", "wb") as out:
    out.setparams((2, 2, 48000, 0, "NONE", ""))
    out.writeframes(heard)
"""

SDL_RECORDER = """
import ctypes, struct, sys, time
sdl = ctypes.CDLL("libSDL2-2.0.so.0")
assert sdl.SDL_Init(0x10) == 0
wanted = ctypes.create_string_buffer(struct.pack("@iHBBHHIPP", 48000, 0x8010, 2, 0, 1024, 0, 0, 0, 0))
device = sdl.SDL_OpenAudioDevice(None, 1, wanted, None, 0)
assert device > 0, ctypes.string_at(sdl.SDL_GetError())
sdl.SDL_PauseAudioDevice(device, 0)
block = ctypes.create_string_buffer(4096)
heard = b""
while len(heard) < 4 * 48000:
    size = sdl.SDL_DequeueAudio(device, block, len(block))
    heard += block.raw[:size]
    if size == 0: time.sleep(0.005)
sdl.SDL_CloseAudioDevice(device)
open("out.raw", "wb").write(heard)
"""


class DoorTest(ControlTest):
    def alsa(self, loop, *words, options=(), **more):
        return loop.start(CONTROL, "run", "--alsa", *options, "--", *words, preload=False, **more)

    def recorder(self, loop, rate=RATE, channels=2):
        return loop.wait_until_listening(loop.partner_records(SERVER, rate, channels))

    def heard_of(self, *words, song=None, rate=RATE, channels=2, statuses=(0,), env=None, **conf):
        """What arrives of a program that plays song.wav."""
        loop = self.loop(**{**REAL, **conf})
        if song is not None:
            sound.write_wav(loop.file("song.wav"), song)
        recorder = self.recorder(loop, rate, channels)
        self.alsa(loop, *words, env=env).succeed(statuses=statuses)
        return loop.recorded(recorder, rate, channels)

    def recorded_by(self, file, *words, statuses=(0,)):
        """What a program records in `file` of a sound that it is played, and that sound."""
        loop = self.loop(**REAL)
        played = sound.noise(3 * RATE)
        loop.wait_until_listening(loop.partner_plays(SERVER, played))
        self.alsa(loop, *words).succeed(statuses=statuses)
        return played, sound.read_wav(loop.file(file))


class Players(DoorTest):
    def test_aplay_of_any_length_arrives_bit_for_bit_and_drains(self):
        for frames in (RATE // 10, RATE, 60_001):
            with self.subTest(frames=frames):
                played = sound.noise(frames)
                got = self.heard_of("aplay", "-q", "song.wav", song=played)
                self.assert_begins_with(played, got, PADDING)

    def test_players_that_take_the_format_of_a_file(self):
        played = sound.noise(round(1.517 * RATE))
        for words in (
            ("sox", "-q", "song.wav", "-t", "alsa", "default"),
            ("ffmpeg", "-nostdin", "-loglevel", "error", "-i", "song.wav", "-f", "alsa", "default"),
            ("mpv", "--no-config", "--no-video", "--really-quiet", "--ao=alsa", "song.wav"),
            ("gst-launch-1.0", "-q", "filesrc", "location=song.wav", "!", "wavparse", "!", "alsasink"),
        ):
            with self.subTest(words):
                # Where they are late they put silence in, or leave sound out.
                self.assert_once(lambda: self.assert_contains(played, self.heard_of(*words, song=played)))

    def test_sdl_through_its_alsa_driver(self):
        played = sound.noise(round(1.517 * RATE))
        env = {"SDL_AUDIODRIVER": "alsa", "SDL_VIDEODRIVER": "dummy"}
        words = ("ffplay", "-nodisp", "-autoexit", "-loglevel", "error", "song.wav")
        self.assert_once(lambda: self.assert_contains(played, self.heard_of(*words, song=played, env=env)))

    def test_mpg123_by_alsa(self):
        played = sound.tone(1.2)
        loop = self.loop(**REAL)
        sound.write_wav(loop.file("song.wav"), played)
        loop.run("ffmpeg", "-nostdin", "-loglevel", "error", "-i", "song.wav", "-b:a", "128k", "song.mp3")
        loop.run("mpg123", "-q", "-w", "decoded.wav", "song.mp3")
        recorder = self.recorder(loop)
        self.alsa(loop, "mpg123", "-q", "-o", "alsa", "song.mp3").succeed()
        self.assert_contains(sound.read_wav(loop.file("decoded.wav")).head(RATE), loop.recorded(recorder))

    def test_speaker_test_and_espeak_are_heard(self):
        for words, rate, channels in ((("speaker-test", "-t", "sine", "-f", 500, "-c", 2, "-l", 1), RATE, 2),
                                      (("espeak-ng", "-d", "default", "one two three"), 22050, 1)):
            with self.subTest(words[0]):
                got = self.heard_of(*words, rate=rate, channels=channels)
                self.assertGreater(max(map(abs, got.samples)), 3000)

    def test_other_formats_and_channels_of_a_file_arrive(self):
        played = sound.noise(RATE)
        loop = self.loop(**REAL)
        sound.write_wav(loop.file("song.wav"), played)
        for encoding in ("-b24", "-b32", "-efloating-point"):
            with self.subTest(encoding):
                loop.run("sox", "song.wav", encoding, "other.wav")
                recorder = self.recorder(loop)
                self.alsa(loop, "aplay", "-q", "other.wav").succeed()
                self.assert_begins_with(played, loop.recorded(recorder), PADDING)


    def test_no_program_need_be_preloaded(self):
        loop = self.loop(**REAL)
        played = sound.noise(60_001)
        sound.write_wav(loop.file("song.wav"), played)
        recorder = self.recorder(loop)
        env = {"ALSA_CONFIG_PATH": CONFIGURATION}
        loop.start("aplay", "-q", "song.wav", preload=False, env=env).succeed()
        self.assert_begins_with(played, loop.recorded(recorder), PADDING)

    def test_portaudio_in_blocks_of_its_own_choice(self):
        played = sound.noise(RATE)
        for frames in (0, 300, 1024):
            with self.subTest(frames=frames):
                text = PORTAUDIO.format(frames=frames)
                got = self.heard_of(sys.executable, "-c", text, song=played)
                self.assert_contains(played, got)

    def test_synthesizers_are_heard(self):
        loop = self.loop(**REAL)
        loop.file("song.mid").write_bytes(CHORD)
        recorder = self.recorder(loop, 44100)
        words = ("-ni", "-q", "-a", "alsa", "-o", "audio.alsa.device=default", SOUNDFONT, "song.mid")
        self.alsa(loop, "fluidsynth", *words).succeed()
        self.assertGreater(max(map(abs, loop.recorded(recorder, 44100).samples)), 1000)

    def test_vlc_plays_all_of_a_song(self):
        played = sound.noise(round(1.517 * RATE))
        words = ("cvlc", "-q", "--no-video", "--play-and-exit", "--aout=alsa", "song.wav")
        # It does not run as root.
        words = ("unshare", "-U", *words) if os.geteuid() == 0 else words
        self.assert_once(lambda: self.assert_contains(played, self.heard_of(*words, song=played)))


class Recorders(DoorTest):
    def test_recorders_hear_bit_for_bit(self):
        for file, *words in (
            ("out.wav", "arecord", "-q", "-f", "dat", "-d", 1, "out.wav"),
            ("out.wav", "sox", "-q", "-t", "alsa", "-r", RATE, "-c", 2, "default", "-b", 16, "out.wav", "trim", 0, 1),
            ("out.wav", "ffmpeg", "-nostdin", "-loglevel", "error", "-f", "alsa", "-ar", RATE, "-ac", 2, "-i", "default",
             "-t", 1, "out.wav"),
            ("out.wav", "gst-launch-1.0", "-q", "alsasrc", "num-buffers=100", "!",
             "audio/x-raw,format=S16LE,rate=48000,channels=2", "!", "wavenc", "!", "filesink", "location=out.wav"),
            ("out.wav", sys.executable, "-c", PORTAUDIO_RECORDER),
        ):
            with self.subTest(words[0]):
                played, got = self.recorded_by(file, *words)
                # ffmpeg's second is one of its own clock.
                self.assertGreater(got.frames, RATE // 5)
                self.assert_identical(played.head(got.frames), got)

    def test_sdl_records_bit_for_bit(self):
        loop = self.loop(**REAL)
        played = sound.noise(3 * RATE)
        loop.wait_until_listening(loop.partner_plays(SERVER, played))
        self.alsa(loop, sys.executable, "-c", SDL_RECORDER, env={"SDL_AUDIODRIVER": "alsa"}).succeed()
        got = sound.from_bytes(loop.file("out.raw").read_bytes())
        self.assert_identical(played.head(got.frames), got)

    def test_recorders_end_with_the_sound(self):
        for words in (("sox", "-q", "-t", "alsa", "-r", RATE, "-c", 2, "default", "-b", 16, "out.wav"),
                      ("ffmpeg", "-nostdin", "-loglevel", "fatal", "-f", "alsa", "-ar", RATE, "-ac", 2, "-i", "default",
                       "out.wav")):
            with self.subTest(words[0]):
                loop = self.loop(**REAL)
                played = sound.noise(RATE + 777)
                loop.wait_until_listening(loop.partner_plays(SERVER, played))
                self.alsa(loop, *words).succeed()
                got = sound.read_wav(loop.file("out.wav"))
                # Of a PCM that fails they drop their last block.
                self.assertGreater(got.frames, RATE + 777 - 4096)
                self.assert_identical(played.head(got.frames), got)


class Card(DoorTest):
    def test_the_mixer_is_that_of_the_instance(self):
        loop = self.loop()
        self.alsa(loop, "amixer", "-q", "sset", "PCM", "40%").succeed()
        self.assertEqual([40, 40], self.status(loop)["mixer"]["pcm"])

    def test_amixer_shows_decibels_and_mutes(self):
        loop = self.loop()
        shown = self.alsa(loop, "amixer", "sset", "Master", "50%,80%", "mute").succeed().output
        self.assertIn("Front Left: Playback 50 [50%] [-25.00dB] [off]", shown)
        self.assertEqual([50, 80], self.status(loop)["mixer"]["vol"])
        shown = self.alsa(loop, "amixer", "sset", "Capture", "0").succeed().output
        self.assertEqual([0, 0], self.status(loop)["mixer"]["igain"])

    def test_alsamixer_moves_a_level(self):
        loop = self.loop()
        keys, ours = os.pipe()
        self.addCleanup(os.close, ours)
        env = {"TERM": "xterm", "LINES": "30", "COLUMNS": "100"}
        terminal = (sys.executable, "-c", "import pty, sys; pty.spawn(sys.argv[1:])")
        mixer = self.alsa(loop, *terminal, "alsamixer", "-V", "all", stdin=keys, env=env)
        os.close(keys)
        self.wait_until(lambda: "Master" in mixer.output)
        os.write(ours, b"5")
        self.wait_until(lambda: self.status(loop)["mixer"]["vol"] == [64, 64])  # half, as loudness goes
        os.write(ours, b"\x1b")
        mixer.succeed()

    def test_devices_are_listed_readably(self):
        loop = self.loop()
        for program in ("aplay", "arecord"):
            listed = self.alsa(loop, program, "-L").succeed().output
            self.assertIn("default\n    Default device: the loop of ossloop\n", listed)

    def test_a_device_of_any_instance_has_a_name(self):
        loop = self.loop(instances=2, **REAL)
        played = sound.noise(RATE)
        sound.write_wav(loop.file("song.wav"), played)
        recorder = loop.wait_until_listening(loop.partner_records("/dev/oss/oss_audioloop0/server1"))
        self.alsa(loop, "aplay", "-q", "-D", "ossloop:/dev/dsp1", "song.wav").succeed()
        self.assert_begins_with(played, loop.recorded(recorder), PADDING)

    def test_a_script_hands_the_card_on(self):
        played = sound.noise(RATE)
        got = self.heard_of("sh", "-c", "cat song.wav | aplay -q", song=played)
        self.assert_begins_with(played, got, PADDING)

    def test_two_at_once_are_mixed_or_the_second_is_told(self):
        for clients in (1, 2):
            loop = self.loop(clients=clients, **REAL)
            played = sound.Sound(RATE, 2, sound.array.array("h", [1000, -500] * 2 * RATE))
            sound.write_wav(loop.file("song.wav"), played)
            recorder = self.recorder(loop)
            first = self.alsa(loop, "aplay", "-q", "song.wav")
            self.wait_until(lambda: self.status(loop)["client"]["alive"])
            second = self.alsa(loop, "aplay", "-q", "song.wav")
            if clients == 1:
                self.assertEqual(1, second.wait())
                self.assertIn("Device or resource busy", second.errors)
            else:
                second.succeed()
            first.succeed()
            peak = max(loop.recorded(recorder).samples)
            self.assertEqual(1000 * clients, peak)

    def test_an_interrupted_player_leaves_the_instance_usable(self):
        loop = self.loop(**REAL)
        played = sound.noise(RATE)
        sound.write_wav(loop.file("song.wav"), played)
        sound.write_wav(loop.file("long.wav"), sound.noise(5 * RATE, seed=2))
        recorder = self.recorder(loop)
        player = self.alsa(loop, "aplay", "-q", "long.wav")
        self.wait_until(lambda: self.status(loop)["stream"]["state"] == "running")
        player.send(signal.SIGINT)
        player.wait()
        loop.recorded(recorder)
        recorder = self.recorder(loop)
        self.alsa(loop, "aplay", "-q", "song.wav").succeed()
        self.assert_begins_with(played, loop.recorded(recorder), PADDING)

    def test_a_headset_plays_and_records_at_once(self):
        loop = self.loop(duplex="on", **REAL)
        said, played = sound.noise(4 * RATE, seed=3), sound.noise(RATE)
        sound.write_wav(loop.file("song.wav"), played)
        recorder = self.recorder(loop)
        speaker = loop.wait_until_listening(loop.partner_plays(SERVER, said))
        both = self.alsa(loop, "sh", "-c", "arecord -q -f dat -d 1 out.wav & aplay -q song.wav; wait")
        both.succeed()
        self.assert_begins_with(played, loop.recorded(recorder), PADDING)
        got = sound.read_wav(loop.file("out.wav"))
        self.assertGreater(got.frames, RATE // 2)
        self.assert_contains(got, said)


class Refusals(DoorTest):
    def test_what_is_missing_is_told_in_one_line(self):
        loop = self.loop()
        plugins = LIBRARY.parent / "alsa-lib"
        hidden = in_namespace(self, f"mkdir -p /tmp/none && mount --bind /tmp/none {plugins}")
        error = self.fails(loop, "run", "--alsa", "--", "true", wrapper=hidden)
        self.assertIn("built without ALSA", error)
        hidden = in_namespace(self, "mkdir -p /tmp/none && for f in /usr/lib/*/libasound.so.2*; do mount --bind /dev/null $f; done")
        error = self.fails(loop, "run", "--alsa", "--", "true", wrapper=hidden)
        self.assertIn("libasound.so.2 is not installed", error)

    def test_no_server_is_told_by_the_program(self):
        loop = self.loop()
        sound.write_wav(loop.file("song.wav"), sound.noise(100))
        player = self.alsa(loop, "aplay", "-q", "song.wav")
        self.assertEqual(1, player.wait())
        self.assertIn("No such device", player.errors)


if __name__ == "__main__":
    unittest.main()
