"""What a PCM of the plugin of ALSA gives a program, call by call: conf/alsa-devices.conf.in."""

import pathlib
import sys
import textwrap
import unittest

import sound
from control import ControlTest
from loop import CONTROL, SERVER

HERE = pathlib.Path(__file__).resolve().parent
RATE = 48000


class PcmTest(ControlTest):
    def program(self, loop, text, *words):
        """A program that has alsa_pcm, preloaded or not."""
        loop.file("program.py").write_text("import time\nfrom alsa_pcm import *\n" + textwrap.dedent(text))
        return loop.start(CONTROL, "run", "--alsa", "--", sys.executable, "-B", "program.py", *words, preload=False,
                          env={"PYTHONPATH": HERE})

    def unloaded(self, loop, text):
        """The same without ossloopctl and without preload."""
        loop.file("program.py").write_text("import time\nfrom alsa_pcm import *\n" + textwrap.dedent(text))
        folder = pathlib.Path(CONTROL).parents[1] / "share/ossloop"
        return loop.start(sys.executable, "-B", "program.py", preload=False,
                          env={"PYTHONPATH": HERE, "ALSA_CONFIG_PATH": folder / "alsa.conf"})

    def recorder(self, loop, **format):
        return loop.wait_until_listening(loop.partner_records(SERVER, **format))


class Formats(PcmTest):
    def test_each_format_passes_bit_for_bit_and_to_the_last_frame(self):
        for name, channels, rate, frames in (
            ("S16_LE", 3, 48000, 10_007),
            ("S16_LE", 5, 48000, 5_003),
            ("S16_LE", 6, 48000, 5_001),
            ("S16_BE", 2, 48000, 5_001),
            ("S24_LE", 1, 32000, 7_777),
            ("S24_PACKED", 2, 96000, 10_003),
            ("S32_LE", 2, 44100, 9_001),
            ("FLOAT", 2, 48000, 10_001),
        ):
            with self.subTest(format=name, channels=channels):
                loop = self.loop(underrun="stall")
                played = sound.encode(sound.noise(frames, channels=channels).samples, name)
                loop.file("song.raw").write_bytes(played)
                recorder = self.recorder(loop, rate=rate, channels=channels, format=name)
                self.program(loop, f"""
                    pcm = Pcm(PLAYBACK, {name!r}, {channels}, {rate}, 441, 1323)
                    pcm.write(open("song.raw", "rb").read())
                    pcm.drain()
                    pcm.close()
                    """).succeed()
                recorder.succeed()
                self.assertEqual(played, recorder.recording.read_bytes())

    def test_each_format_is_recorded_bit_for_bit(self):
        for name, channels in (("S16_LE", 3), ("S32_LE", 2), ("FLOAT", 5), ("S24_PACKED", 6), ("A_LAW", 1)):
            with self.subTest(format=name, channels=channels):
                loop = self.loop()
                samples = sound.noise(9_001, channels=channels).samples
                if name == "A_LAW":
                    table = sound.g711_table(name)
                    samples = sound.array.array("h", (table[s & 0xFF] for s in samples))
                played = sound.Sound(RATE, channels, samples)
                loop.wait_until_listening(loop.partner_plays(SERVER, played, format=name))
                self.program(loop, f"""
                    pcm = Pcm(CAPTURE, {name!r}, {channels}, {RATE}, 480, 1440)
                    with open("got.raw", "wb") as file:
                        try:
                            while True:
                                file.write(pcm.read(777))
                        except ConnectionResetError:
                            pass
                    """).succeed()
                self.assertEqual(sound.encode(samples, name), loop.file("got.raw").read_bytes())


class States(PcmTest):
    def play(self, text, loop=None, unloaded=False, **conf):
        loop = loop or self.loop(**conf)
        recorder = self.recorder(loop)
        program = (self.unloaded if unloaded else self.program)(loop, text)
        program.succeed()
        return program.output, loop.recorded(recorder)

    def test_a_buffer_is_as_long_as_was_asked_for(self):
        output, _ = self.play("""
            for period, buffer in ((441, 1323), (1000, 2000), (1001, 3003), (6000, 24000), (24000, 96000)):
                pcm = Pcm(PLAYBACK, period=period, buffer=buffer)
                pcm.software(start_threshold=buffer * 2)
                pcm.nonblock(1)
                taken = call("snd_pcm_writei", pcm.pcm, bytes(4 * 2 * buffer), ctypes.c_ulong(2 * buffer))
                print(taken == buffer, pcm.avail() == 0, pcm.delay() == buffer)
                pcm.drop()
                pcm.close()
            """, linger_ms=5000)
        self.assertEqual("True True True\n" * 5, output)

    UNDERRUN = """
        pcm = Pcm(PLAYBACK, period=480, buffer=1440)
        pcm.write(bytes(4 * 1440))
        while True:
            time.sleep(0.1)
            try:
                pcm.avail()
            except BrokenPipeError:
                break
        print(pcm.state())
        try:
            pcm.write(bytes(4))
        except BrokenPipeError as error:
            print(error.errno)
        pcm.prepare()
        pcm.write(b"1234" * 2000)
        pcm.drain()
        """

    def test_an_underrun_is_an_xrun_and_the_stream_goes_on(self):
        for unloaded in (False, True):
            output, got = self.play(self.UNDERRUN, unloaded=unloaded)
            self.assertEqual("XRUN\n32\n", output)
            self.assertIn(b"1234" * 2000, got.bytes())

    def test_where_the_loop_waits_for_sound_there_is_no_xrun(self):
        output, _ = self.play("""
            pcm = Pcm(PLAYBACK, period=480, buffer=1440)
            pcm.write(bytes(4 * 1440))
            time.sleep(0.3)
            print(pcm.avail(), pcm.state())
            """, underrun="stall")
        self.assertEqual("1440 RUNNING\n", output)

    def test_a_pause_keeps_what_is_queued(self):
        played = sound.noise(20_000)
        loop = self.loop(underrun="stall")
        loop.file("song.raw").write_bytes(played.bytes())
        output, got = self.play("""
            pcm = Pcm(PLAYBACK, period=1000, buffer=10000)
            song = open("song.raw", "rb").read()
            pcm.write(song[:40000])
            time.sleep(0.05)
            pcm.pause(1)
            before = pcm.delay()
            time.sleep(0.3)
            print(pcm.can_pause, pcm.state(), pcm.delay() == before, before > 0)
            pcm.pause(0)
            pcm.write(song[40000:])
            pcm.drain()
            """, loop)
        self.assertEqual("True PAUSED True True\n", output)
        self.assert_identical(played, got)

    def test_a_wait_ends_when_there_is_room_for_what_was_asked(self):
        for unloaded in (False, True):
            output, _ = self.play("""
                pcm = Pcm(PLAYBACK, period=480, buffer=4800)
                pcm.software(avail_min=4000)
                pcm.write(bytes(4 * 4800))
                for _ in range(5):
                    pcm.wait()
                    there = pcm.avail()
                    print(there >= 4000)
                    pcm.write(bytes(4 * there))
                """, unloaded=unloaded, underrun="stall")
            self.assertEqual("True\n" * 5, output)

    def test_the_position_moves_by_frames_and_never_back(self):
        output, _ = self.play("""
            pcm = Pcm(PLAYBACK, period=4800, buffer=24000)
            pcm.write(bytes(4 * 24000))
            seen = []
            while pcm.delay() > 4800:
                seen.append(pcm.delay())
                time.sleep(0.002)
            steps = {a - b for a, b in zip(seen, seen[1:])}
            print(min(steps) >= 0, len([step for step in steps if step % 480]) > 3)
            """, underrun="stall")
        self.assertEqual("True True\n", output)


class Capture(PcmTest):
    def test_a_recorder_that_comes_late_gets_all_and_a_long_buffer(self):
        loop = self.loop()
        played = sound.noise(2 * RATE)
        loop.wait_until_listening(loop.partner_plays(SERVER, played))
        self.program(loop, """
            pcm = Pcm(CAPTURE, period=30000, buffer=90000)
            with open("got.raw", "wb") as file:
                for _ in range(3):
                    file.write(pcm.read(30000))
                    time.sleep(0.7)
            """).succeed()
        self.assert_identical(played.head(90000), sound.from_bytes(loop.file("got.raw").read_bytes()))

    def test_lost_sound_is_an_xrun(self):
        loop = self.loop(overrun="drop")
        loop.wait_until_listening(loop.partner_plays(SERVER, sound.noise(6 * RATE)))
        program = self.program(loop, """
            pcm = Pcm(CAPTURE, period=480, buffer=4800)
            def heard():
                while True:
                    try:
                        return pcm.read(480)
                    except BrokenPipeError:
                        pcm.prepare()  # a busy machine is as late as that by itself
            heard()
            time.sleep(1)
            try:
                pcm.read(480)
            except BrokenPipeError:
                print(pcm.state())
            pcm.prepare()
            print(len(heard()))
            """)
        program.succeed()
        self.assertEqual("XRUN\n1920\n", program.output)

    def test_a_killed_player_ends_a_read(self):
        loop = self.loop()
        player = loop.wait_until_listening(loop.partner_plays(SERVER, sound.noise(60 * RATE)))
        program = self.program(loop, """
            pcm = Pcm(CAPTURE)
            pcm.read(1000)
            print("begun", flush=True)
            try:
                while True:
                    pcm.read(1000)
            except ConnectionResetError:
                print("ended")
            try:
                pcm.prepare()
            except OSError as error:
                print(error.strerror)
            """)
        self.wait_until(lambda: "begun" in program.output)
        player.kill()
        program.succeed()
        self.assertEqual("begun\nended\nNo such device\n", program.output)


class Refusals(PcmTest):
    def test_errors_are_told_as_what_they_are(self):
        loop = self.loop(clients=1)
        program = self.program(loop, """
            import errno
            for name in ("default", "ossloop:/dev/dsp7", "ossloop:/nowhere"):
                try:
                    Pcm(PLAYBACK, name=name)
                except OSError as error:
                    print(errno.errorcode[error.errno])
            """)
        program.succeed()
        self.assertEqual("ENODEV\nENOENT\nENOENT\n", program.output)

    def test_a_player_whose_recorder_has_gone_hears_of_it(self):
        loop = self.loop()
        recorder = self.recorder(loop)
        program = self.program(loop, """
            pcm = Pcm(PLAYBACK)
            pcm.write(bytes(4 * 10000))
            print("begun", flush=True)
            try:
                while True:
                    pcm.write(bytes(4 * 1000))
            except ConnectionResetError:
                print("gone")
            """)
        self.wait_until(lambda: "begun" in program.output)
        recorder.kill()
        program.succeed()
        self.assertEqual("begun\ngone\n", program.output)


if __name__ == "__main__":
    unittest.main()
