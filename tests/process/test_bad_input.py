"""Bad arguments, bad folders, bad shared memory: an errno, and nothing worse."""

import errno
import mmap
import os
import random
import stat
import struct
import time
import unittest

from driven import *
import sound
from loop import CLIENT, SERVER

FREE = {"clock": "free"}

# Every request that takes an argument, and the address of none.
POINTER_REQUESTS = [
    SETFMT, CHANNELS, SPEED, GETFMTS, GETCAPS, GETBLKSIZE, GETOSPACE, GETISPACE, GETODELAY,
    GETOPTR, GETIPTR, GETERROR, SETFRAGMENT, SETTRIGGER, POLICY, CURRENT_OPTR, CURRENT_IPTR,
    LOW_WATER, ENGINEINFO, AUDIOINFO, SYSINFO,
]

REFUSED = {errno.EACCES, errno.EPERM, errno.ELOOP, errno.ENOTDIR, errno.EIO, errno.ENXIO,
           errno.EPROTO, errno.EINVAL, errno.ENODEV}


class Arguments(DrivenTest):
    def test_null_and_wild_ioctl_pointers_are_efault(self):
        loop = self.loop()
        server, client = self.pair(loop, os.O_RDONLY, os.O_WRONLY)
        writing_only = {GETOSPACE, GETODELAY, GETOPTR, CURRENT_OPTR}
        reading_only = {GETISPACE, GETIPTR, CURRENT_IPTR}
        for request in POINTER_REQUESTS:
            agents = [a for a, not_its in ((server, writing_only), (client, reading_only)) if request not in not_its]
            for agent in agents:
                for address in (0, 8, 0xDEAD0000, 0x7FFFFFFFF000, 0xFFFFFFFFFFFFF000):
                    with self.subTest(request=hex(request), address=hex(address)):
                        self.assert_errno(errno.EFAULT, agent.ioctl_at, agent.fd, request, address)

    def test_an_answer_to_a_read_only_page_is_efault(self):
        loop = self.loop()
        server, _ = self.pair(loop)
        page = server.map_page(mmap.PROT_READ)
        for request in (GETFMTS, GETISPACE, SYSINFO, SPEED):
            with self.subTest(hex(request)):
                self.assert_errno(errno.EFAULT, server.ioctl_at, server.fd, request, page)

    def test_wild_buffers_of_read_and_write_are_efault(self):
        loop = self.loop(**FREE)
        server, client = self.pair(loop)
        self.assert_errno(errno.EFAULT, client.write_at, client.fd, 8, 4096)
        played = sound.count(1000).bytes()
        client.write(client.fd, played)
        self.assert_errno(errno.EFAULT, server.read_at, server.fd, 8, 4096)
        self.assertEqual(played, server.read_bytes(server.fd, len(played)))

    def test_an_unknown_oss_request_is_einval(self):
        loop = self.loop()
        for agent in self.pair(loop):
            for request in (0x50FF, 0xC00450F0, 0xC00458FE):
                with self.subTest(request=hex(request)):
                    self.assert_errno(errno.EINVAL, agent.ioctl_none, agent.fd, request)

    def test_a_request_is_known_by_type_and_number(self):
        loop = self.loop()
        server, _ = self.pair(loop)
        self.assertEqual(0, server.ioctl_at(server.fd, 0xC004501E, server.map_page(mmap.PROT_READ | mmap.PROT_WRITE)))

    def test_a_read_or_write_of_nothing_is_nothing(self):
        loop = self.loop()
        server, client = self.pair(loop)
        self.assertEqual(0, client.write(client.fd, b""))
        self.assertEqual(b"", server.read(server.fd, 0))

    def test_a_line_of_the_log_does_not_go_to_a_device_that_is_standard_error(self):
        loop = self.loop(**FREE)
        server, client = self.agent(loop), self.agent(loop, env={"OSSLOOP_LOG": "trace"})
        reading = server.open(SERVER, os.O_RDONLY)
        playing = client.open(CLIENT, os.O_WRONLY)
        client.dup2(playing, 2)
        played = sound.count(100).bytes()
        client.write(2, played)
        self.assertTrue(client.poll(2, 4, 1000), "no longer writable")
        client.close(2)
        client.close(playing)
        self.assertEqual((played, errno.ECONNRESET), server.read_to_end(reading)[::2])

    def test_many_tiny_writes_arrive(self):
        loop = self.loop(**FREE)
        server, client = self.pair(loop)
        played = sound.noise(2000).bytes()
        reading = server.later("read_to_end", server.fd)
        self.assertEqual((len(played), None), client.write_all(client.fd, played, 2))
        client.close(client.fd)
        self.assertEqual((played, errno.ECONNRESET), reading.result(PROMPT_SECONDS)[::2])


class RuntimeFolder(DrivenTest):
    def opens(self, loop):
        return self.agent(loop).open(SERVER, os.O_RDONLY)

    def test_a_missing_folder_is_made_for_its_owner_only(self):
        loop = self.loop()
        loop.runtime.rmdir()
        self.opens(loop)
        self.assertEqual(0o700, stat.S_IMODE(loop.runtime.stat().st_mode))
        self.assertEqual(os.geteuid(), loop.runtime.stat().st_uid)

    def test_a_symbolic_link_is_refused(self):
        loop = self.loop()
        elsewhere = loop.folder / "elsewhere"
        loop.runtime.rename(elsewhere)
        loop.runtime.symlink_to(elsewhere)
        self.assert_errno(REFUSED, self.opens, loop)
        self.assertEqual([], list(elsewhere.iterdir()))

    def test_a_plain_file_in_its_place_is_refused(self):
        loop = self.loop()
        loop.runtime.rmdir()
        loop.runtime.write_text("not a folder")
        self.assert_errno(REFUSED, self.opens, loop)
        self.assertEqual("not a folder", loop.runtime.read_text())

    def test_a_folder_of_somebody_else_is_refused(self):
        loop = self.loop()
        folder = loop.runtime
        if os.geteuid() == 0:
            os.chown(folder, 12345, 12345)
        else:
            folder = "/var"
        agent = self.agent(loop, env={"OSSLOOP_DIR": folder})
        self.assert_errno(REFUSED, agent.open, SERVER, os.O_RDONLY)
        self.assertEqual([], list(loop.runtime.iterdir()))
        self.assertIn(f"{folder}: belongs to another user", agent.program.errors)

    def test_a_folder_open_to_all_is_refused_or_closed(self):
        loop = self.loop()
        loop.runtime.chmod(0o777)
        try:
            self.opens(loop)
        except Failed as failed:
            self.assertIn(failed.errno, REFUSED)
        else:
            self.assertEqual(0o700, stat.S_IMODE(loop.runtime.stat().st_mode))

    def test_a_folder_that_cannot_be_written_is_an_errno(self):
        loop = self.loop()
        loop.runtime.chmod(0o500)
        wrapper = []
        if os.geteuid() == 0:
            os.chown(loop.runtime, NOBODY, NOBODY)
            open_to_all(loop)
            wrapper = AS_NOBODY
        agent = self.agent(loop, wrapper=wrapper, env=library_for_all(self))
        self.assert_errno(REFUSED, agent.open, SERVER, os.O_RDONLY)

    def test_a_full_file_system_is_enospc_at_the_open(self):
        loop = self.loop(instances=16)
        wrapper = in_namespace(self, f"mount -t tmpfs -o size=8k,mode=700 none {loop.runtime}")
        agent = self.agent(loop, wrapper=wrapper)
        self.assert_errno(errno.ENOSPC, agent.open, SERVER, os.O_RDONLY)
        self.assertTrue(agent.exists("/"))

    def test_no_room_for_a_players_sound_is_enospc_at_its_first_write_space_map_or_trigger(self):
        loop = self.loop(clock="free", buffer_ms=340)
        wrapper = in_namespace(self, f"mount -t tmpfs -o size=1m,mode=700 none {loop.runtime}")
        agent = self.agent(loop, wrapper=wrapper)
        recording, playing = agent.open(SERVER, os.O_RDONLY), agent.open(CLIENT, os.O_WRONLY)
        agent.set_format(playing, S32_LE, 64, 192000)
        for call in (
            lambda: agent.write(playing, bytes(256)),
            lambda: agent.ioctl_bytes(playing, GETOSPACE, bytes(16)),
            lambda: agent.ioctl(playing, SETTRIGGER, 2),
        ):
            self.assert_errno(errno.ENOSPC, call)
        # A format that fits is heard.
        agent.set_format(playing, S16_LE, 2, 48000)
        self.assertEqual(400, agent.write(playing, bytes(range(100)) * 4))
        self.assertEqual(bytes(range(100)) * 4, agent.read_bytes(recording, 400))


class Environment(DrivenTest):
    def told(self, agent):
        agent.kill()
        return agent.program.errors.splitlines()

    def test_a_bad_default_device_is_told_once_and_passed_over(self):
        for value in ("pcm", "pcm16", "server", "/dev/dsp", "PCM0", " pcm0", "x" * 5000, "\udcff\n\x1b[1m"):
            with self.subTest(value[:20]):
                loop = self.loop()
                agent = self.agent(loop, env={"OSSLOOP_DSP": value})
                for _ in range(3):
                    self.assertTrue(agent.exists("/dev/dsp"))
                    self.assert_errno(errno.EAGAIN, agent.open, "/dev/dsp", os.O_WRONLY)
                lines = self.told(agent)
                self.assertEqual(1, len(lines), lines)
                self.assertRegex(
                    lines[0],
                    r"\Aossloop: bad value '[ -~]{1,60}' for OSSLOOP_DSP; "
                    r"expected pcm0 to pcm15, server0 to server15 or off\Z",
                )

    def test_a_bad_time_to_wait_is_told_once_and_passed_over(self):
        for value in ("soon", "-1", "nan", "inf", "1e10", "5s", "1,5", "\n"):
            with self.subTest(value):
                loop = self.loop()
                agent = self.agent(loop, env={"OSSLOOP_OPEN_WAIT": value})
                for _ in range(3):
                    self.assert_errno(errno.EAGAIN, agent.open, CLIENT, os.O_WRONLY)
                lines = self.told(agent)
                self.assertEqual(1, len(lines), lines)
                self.assertIn("for OSSLOOP_OPEN_WAIT; expected seconds", lines[0])

    def test_a_folder_name_makes_no_second_line(self):
        loop = self.loop()
        folder = loop.folder / "a\nb\x1b[1m"
        folder.mkdir()
        folder.chmod(0o777)
        agent = self.agent(loop, env={"OSSLOOP_DIR": folder})
        self.assert_errno(errno.EACCES, agent.open, SERVER, os.O_RDONLY)
        lines = self.told(agent)
        self.assertEqual(1, len(lines), lines)
        self.assertRegex(lines[0], r"\Aossloop: [ -~]+\Z")


class SharedMemory(DrivenTest):
    def segment(self, loop):
        """The shared file of the loop's only instance."""
        found = [
            path
            for path in loop.runtime.iterdir()
            if stat.S_ISREG(path.stat().st_mode) and path.stat().st_size > 4096
        ]
        self.assertEqual(1, len(found), list(loop.runtime.iterdir()))
        return found[0]

    def left_behind(self, loop):
        """The shared file of a server that was killed."""
        server = self.agent(loop)
        server.open(SERVER, os.O_RDONLY)
        server.kill()
        return self.segment(loop)

    def another_version(self, segment):
        with open(segment, "r+b") as file:
            file.seek(8)  # after the magic number
            version = struct.unpack("<I", file.read(4))[0]
            file.seek(8)
            file.write(struct.pack("<I", version + 1))

    def garbage(self, segment, seed, keep=0):
        """Fills every field after the first `keep` bytes, and some of the ring."""
        size = min(segment.stat().st_size, 65536)
        with open(segment, "r+b") as file:
            file.seek(keep)
            file.write(random.Random(seed).randbytes(size - keep))

    def assert_refused_or_made_anew(self, loop):
        """What nobody uses may be replaced; then it must be sound."""
        server, client = self.agent(loop), self.agent(loop)
        try:
            fd = server.open(SERVER, os.O_RDONLY)
        except Failed as failed:
            self.assertIn(failed.errno, REFUSED)
            return
        played = sound.count(1000).bytes()
        playing = client.open(CLIENT, os.O_WRONLY)
        client.write(playing, played)
        client.close(playing)
        self.assertEqual((played, errno.ECONNRESET), server.read_to_end(fd)[::2])

    def test_a_segment_of_another_layout_version_that_nobody_uses(self):
        loop = self.loop(**FREE)
        self.another_version(self.left_behind(loop))
        self.assert_refused_or_made_anew(loop)

    def test_a_segment_of_another_layout_version_in_use_is_refused(self):
        loop = self.loop()
        server, client = self.agent(loop), self.agent(loop)
        fd = server.open(SERVER, os.O_RDONLY)
        self.another_version(self.segment(loop))
        self.assert_errno(REFUSED, client.open, CLIENT, os.O_WRONLY)
        self.assertEqual(48000, server.ioctl(fd, SPEED, 0))

    def test_a_segment_without_the_magic_number_that_nobody_uses(self):
        loop = self.loop(**FREE)
        with open(self.left_behind(loop), "r+b") as file:
            file.write(b"\xff" * 8)
        self.assert_refused_or_made_anew(loop)

    def test_a_segment_that_was_cut_short(self):
        for size in (0, 10, 2000, 4096, 20000):
            with self.subTest(size=size):
                loop = self.loop(**FREE)
                os.truncate(self.left_behind(loop), size)
                self.assert_refused_or_made_anew(loop)

    def test_a_segment_full_of_garbage_crashes_nobody_who_opens_it(self):
        for seed in range(6):
            with self.subTest(seed=seed):
                loop = self.loop()
                self.garbage(self.left_behind(loop), seed, keep=0 if seed % 2 else 16)
                self.use(self.agent(loop))

    def use(self, agent):
        """Any errno will do; a crash or a hang will not."""
        try:
            fd = agent.open(SERVER, os.O_RDONLY)
            for request, size in ((GETISPACE, 16), (GETIPTR, 12), (GETERROR, 104), (CURRENT_IPTR, 144)):
                agent.ioctl_bytes(fd, request, bytes(size))
            agent.set_format(fd, S16_LE, 2, 48000)
            agent.poll(fd, 1, 10)
            agent.close(fd)
        except Failed:
            pass
        self.assertGreater(agent.now(), 0)

    def test_garbage_in_every_field_while_a_stream_runs_crashes_nobody(self):
        for seed in range(8):
            with self.subTest(seed=seed):
                loop = self.loop(clock="free" if seed % 2 else "realtime")
                server, client = self.pair(loop)
                reading = server.later("read_to_end", server.fd)
                writing = client.later("write_all", client.fd, bytes(48000 * 4))
                time.sleep(0.1)
                self.garbage(self.segment(loop), seed, keep=16 if seed < 4 else 0)
                for agent, pending in ((server, reading), (client, writing)):
                    # It may wait for ever, as for an idle peer; it must not die.
                    if pending.done(0.3):
                        try:
                            pending.result()
                        except Failed:
                            pass
                        self.use_open(agent)
                    self.assertTrue(agent.program.running(), agent.program.explain("died"))

    def use_open(self, agent):
        for name, arguments in (
            ("ioctl_bytes", (agent.fd, GETERROR, bytes(104))),
            ("poll", (agent.fd, 5, 10)),
            ("close", (agent.fd,)),
        ):
            try:
                getattr(agent, name)(*arguments)
            except Failed:
                pass


if __name__ == "__main__":
    unittest.main()
