"""stdio on a device, in programs that open it and in programs that are given it."""

import os
import unittest

from compare import *
import sound

FREE = {"clock": "free"}


class Streams(CompareTest):
    def fifo(self, loop):
        path = loop.file("fifo")
        os.mkfifo(path)
        fd = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        self.addCleanup(os.close, fd)
        return path, fd

    def record(self, loop, frames, server=SERVER):
        recorder = loop.partner_records(server, frames=frames)
        loop.wait_until_listening(recorder)
        return recorder

    def recorded_bytes(self, recorder):
        recorder.succeed()
        return recorder.recording.read_bytes()

    def test_a_program_writes_by_stdio_in_every_way(self):
        for way in WAYS:
            with self.subTest(way):
                loop = self.loop(eof="wait", **FREE)
                path, fd = self.fifo(loop)
                expected = self.lines(loop, [program("stream", way), "write", path], preload=False)
                written = os.read(fd, 65536)
                self.assertEqual(0, len(written) % 4)
                recorder = self.record(loop, len(written) // 4)
                got = self.lines(loop, [program("stream", way), "write", CLIENT])
                self.assert_agree(expected, got, {})
                self.assertEqual(written, self.recorded_bytes(recorder))

    def test_a_program_reads_by_stdio(self):
        for way in WAYS:
            with self.subTest(way):
                loop = self.loop(eof="eof", **FREE)
                played = sound.noise(1000)
                loop.file("song").write_bytes(played.bytes())
                os.mkfifo(loop.file("fifo"))
                loop.start("sh", "-c", "cat song > fifo", preload=False)
                words = [program("stream", way), "read"]
                expected = self.lines(loop, [*words, "fifo"], preload=False)
                player = loop.partner_plays(SERVER, played)
                loop.wait_until_listening(player)
                got = self.lines(loop, [*words, CLIENT])
                self.assert_agree(expected, got, {})


class StandardStreams(Streams):
    def plays(self, expected, *words, **options):
        """A shell command plays these bytes on /dev/dsp."""
        loop = self.loop(eof="wait", **FREE)
        for name, content in options.pop("files", {}).items():
            loop.file(name).write_bytes(content)
        recorder = self.record(loop, len(expected) // 4)
        done = loop.start(*words, **options).succeed()
        self.assertEqual(expected, self.recorded_bytes(recorder))
        return done

    def test_head_plays_on_its_standard_output(self):
        song = sound.noise(5000).bytes()
        self.plays(song[:12000], "sh", "-c", "head -c 12000 song > /dev/dsp", files={"song": song})

    def test_tools_that_use_stdio_play_on_their_standard_output(self):
        song = sound.noise(2000).bytes()
        for tool in ("cat song", "dd if=song status=none", "head -c 8000 song", "tail -c 8000 song",
                     "tee < song", "sed -n p song"):
            with self.subTest(tool):
                self.plays(song, "sh", "-c", f"{tool} > /dev/dsp", files={"song": song})

    def test_a_program_prints_on_its_standard_output_and_error(self):
        for way in WAYS:
            with self.subTest(way):
                self.plays(b"prinput\nfputchar", "sh", "-c",
                           f"{program('stream', way)} print > /dev/dsp 2> /dev/null")
                done = self.plays(b"per: Success\ner\n", "sh", "-c",
                                  f"{program('stream', way)} print 2> /dev/dsp")
                self.assertEqual("prinput\nfputchar", done.output)

    def test_both_streams_on_one_device_keep_their_order_as_buffered(self):
        self.plays(b"per: Success\ner\nprinput\nfputchar", "sh", "-c",
                   f"{program('stream', 'plain')} print > /dev/dsp 2>&1")

    def test_a_program_counts_what_its_standard_input_gives(self):
        loop = self.loop(eof="eof", **FREE)
        player = loop.partner_plays(SERVER, sound.noise(3000))
        loop.wait_until_listening(player)
        done = loop.start("sh", "-c", f"{program('stream', 'large')} count < /dev/dsp").succeed()
        self.assertEqual("12000 bytes, end\n", done.errors)

    def test_streams_follow_the_number_when_it_is_exchanged_and_back(self):
        for way in WAYS:
            with self.subTest(way):
                done = self.plays(b"to the device...anew", program("stream", way), "exchange",
                                  "/dev/dsp")
                self.assertEqual("early......again, and back\n", done.output)

    def test_the_builtins_of_shells_print_on_a_device(self):
        for shell in ("dash", "bash"):
            with self.subTest(shell):
                done = self.plays(
                    b"abcdwas\n123\n", shell, "-c",
                    "printf abcd > /dev/dsp; echo aside; echo was > /dev/dsp; "
                    "{ printf 123; printf '\\n'; } > /dev/dsp; echo done")
                self.assertEqual("aside\ndone\n", done.output)

    def test_a_shell_that_execs_into_a_device_prints_there(self):
        for shell in ("dash", "bash"):
            with self.subTest(shell):
                self.plays(b"onetwo\n.", shell, "-c", "exec > /dev/dsp; printf one; echo two; printf .")

    def test_a_pipe_of_popen_and_a_command_of_system_reach_the_device(self):
        script = ("import os\n"
                  "os.system('printf abcd > /dev/dsp')\n"
                  "with os.popen('cat > /dev/dsp', 'w') as pipe: pipe.write('efgh')\n")
        self.plays(b"abcdefgh", PYTHON, "-E", "-c", script)

    def test_cxx_streams_print_on_a_device(self):
        self.plays(b"cout4\nerr\n..", "sh", "-c", f"{PROGRAMS / 'iostream'} > /dev/dsp 2>&1")


if __name__ == "__main__":
    unittest.main()
