"""Descriptors of a device on their way to and from other processes, and beside what
a program does otherwise."""

import unittest

from compare import *
import sound


class Processes(CompareTest):
    def test_children_get_a_device_in_every_way(self):
        self.compare("spawn", "/dev/null", ".")

    def test_a_device_arrives_by_message(self):
        self.compare("pass", "/dev/null")


class OtherCalls(CompareTest):
    def test_handlers_are_installed_as_ever(self):
        self.compare("signal", "/dev/null")

    def test_maps_of_other_things_are_made_as_ever(self):
        self.compare("memory", "/dev/null")

    def test_transfers_inside_the_kernel_are_refused(self):
        refused = {
            "sendfile(fd": " = -1 EINVAL", "sendfile64(fd": " = -1 EINVAL", "splice(pipes[0], NULL, fd": " = -1 EINVAL",
            "vmsplice(fd": " = -1 EBADF", "tee(pipes[0], fd": " = -1 EINVAL", "copy_file_range": " = -1 EINVAL",
        }
        for way in WAYS:
            with self.subTest(way):
                loop = self.loop()
                loop.file("source").write_bytes(b"abcdefgh")
                expected = self.lines(loop, [program("transfer", way), "/dev/null", "source"], preload=False)
                got = self.lines(loop, [program("transfer", way), SERVER, "source"])
                for before, after in zip(expected, got, strict=True):
                    errors = [error for call, error in refused.items() if before.startswith(call)]
                    if errors:
                        before = before[: before.index(" = ")] + errors[0]
                    self.assertEqual(before, after)


class Data(CompareTest):
    def test_bytes_are_written_by_every_call(self):
        for way in WAYS:
            with self.subTest(way):
                loop = self.loop(clock="free")
                os.mkfifo(loop.file("fifo"))
                cat = loop.start("cat", "fifo", preload=False)
                expected = self.lines(loop, [program("data", way), "write", "fifo"], preload=False)
                cat.succeed()
                recorder = loop.partner_records(SERVER)
                loop.wait_until_listening(recorder)
                got = self.lines(loop, [program("data", way), "write", CLIENT])
                self.assert_agree(expected, got, {})
                recorder.succeed()
                heard = recorder.recording.read_bytes()
                self.assertEqual((cat.folder / "stdout").read_bytes(), heard)

    def test_bytes_are_read_by_every_call(self):
        for way in WAYS:
            with self.subTest(way):
                loop = self.loop(clock="free", eof="eof")
                played = sound.noise(1000)
                loop.file("song").write_bytes(played.bytes())
                expected = self.lines(loop, [program("data", way), "read", "song"], preload=False)
                player = loop.partner_plays(SERVER, played)
                loop.wait_until_listening(player)
                self.assert_agree(expected, self.lines(loop, [program("data", way), "read", CLIENT]), {})


if __name__ == "__main__":
    unittest.main()
