"""PulseAudio's modules for OSS (one open for both ways, with two maps of it) and for ALSA."""

import unittest

import sound
from headset import HeadsetTest
from loop import CONTROL

RAW = ("--raw", "--rate=48000", "--channels=2", "--format=s16le")


class PulseaudioTest(HeadsetTest):
    def modules(self):
        raise NotImplementedError

    def start_daemon(self, loop, *words):
        raise NotImplementedError

    def daemon(self, loop):
        """The daemon; its clients find it by the variable that is returned."""
        socket = loop.file("pulse.sock")
        modules = [f"module-native-protocol-unix auth-anonymous=1 socket={socket}", *self.modules()]
        # Without -n it would load what the system's configuration says, and look for cards.
        program = self.start_daemon(
            loop, "pulseaudio", "-n", "--daemonize=no", "--use-pid-file=no", "--exit-idle-time=-1",
            "--disable-shm=yes", *(word for module in modules for word in ("-L", module)))
        env = {"PULSE_SERVER": f"unix:{socket}"}

        def answers():
            self.assertTrue(program.running(), program.explain("ended early"))
            return loop.start("pactl", "info", env=env, preload=False).wait() == 0

        self.wait_until(answers)
        return program, env

    def plays_and_records(self):
        loop = self.headset()
        listener = self.listener(loop)
        played, said = sound.noise(60_001, seed=1), sound.noise(60_001, seed=2)
        program, env = self.daemon(loop)
        recorded = loop.file("recorded")
        loop.start("parec", *RAW, "--file-format=raw", recorded, env=env, preload=False)
        self.wait_until(lambda: recorded.exists() and recorded.stat().st_size > 0)
        enough = recorded.stat().st_size + 4 * (said.frames + 2 * 48000)
        self.speaker(loop, said)
        song = loop.file("song")
        song.write_bytes(played.bytes())
        loop.start("paplay", *RAW, song, env=env, preload=False).succeed()
        before = listener.recording.stat().st_size // 4
        self.assert_contains(played, self.heard(listener, before + 48000, program))
        self.wait_until(lambda: recorded.stat().st_size >= enough)
        self.assert_contains(said, sound.from_bytes(recorded.read_bytes()[:enough]))


class Oss(PulseaudioTest):
    def modules(self):
        # A third of a second of buffer; of itself it asks for a quarter of that.
        return [f"module-oss device={self.plays_on} rate=48000 channels=2 fragments=16 fragment_size=4096"]

    def start_daemon(self, loop, *words):
        return loop.start(*words, env={"XDG_RUNTIME_DIR": loop.work})

    def test_it_plays_and_records_bit_for_bit_through_two_maps(self):
        # It leaves out sound where it is later than its buffer is long.
        self.assert_once(self.plays_and_records)


class Alsa(PulseaudioTest):
    def modules(self):
        return [f"module-alsa-{end} device=default rate=48000 channels=2 format=s16le tsched={self.by_timer}"
                for end in ("sink", "source")]

    def start_daemon(self, loop, *words):
        return loop.start(CONTROL, "run", "--alsa", "--", *words, preload=False, env={"XDG_RUNTIME_DIR": loop.work})

    def test_it_plays_and_records_bit_for_bit_by_alsa(self):
        for by_timer in 1, 0:
            with self.subTest(by_timer=by_timer):
                self.by_timer = by_timer
                self.assert_once(self.plays_and_records)


if __name__ == "__main__":
    unittest.main()
