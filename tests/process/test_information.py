"""What the system requests and /dev/sndstat tell is true: of paths, formats, who has
what open, positions and peaks."""

import errno
import os
import struct
import time

from driven import *
from oss_api import *
import sound
from loop import CLIENT, SERVER, server as server_path

CAP_TRIGGER, CAP_MMAP, CAP_DUPLEX, CAP_VIRTUAL, CAP_HIDDEN = 0x1000, 0x2000, 0x100, 0x40000, 0x8000000
CAP_INPUT, CAP_OUTPUT, CAP_REALTIME = 0x10000, 0x20000, 0x200
ALL_FORMATS = 0x5F1FB


class AudioDevices(DrivenTest):
    def test_the_device_node_is_the_path_opened(self):
        loop = self.loop(instances=16)
        agent, other = self.agent(loop), self.agent(loop)
        for instance in (0, 9, 10, 15):
            server = agent.open(server_path(instance), os.O_RDONLY)
            self.assertEqual(server_path(instance), AudioInfo.of(agent, server).node)
            path = f"/dev/oss/oss_audioloop0/pcm{instance}"
            client = other.open(path, os.O_WRONLY)
            info = AudioInfo.of(other, client)
            self.assertEqual((path, instance, instance), (info.node, info.legacy, info.mixer))
            self.assertEqual(path, AudioInfo.of(agent, server, info.dev).node)

    def test_every_device_is_described_and_its_handle_is_its_own(self):
        loop = self.loop(instances=3)
        agent = self.agent(loop)
        mixer = agent.open("/dev/mixer", os.O_RDONLY)
        found = [AudioInfo.of(agent, mixer, number, AUDIOINFO) for number in range(6)]
        self.assertEqual(list(range(6)), [info.dev for info in found])
        self.assertEqual(6, len({info.handle for info in found}))
        self.assertEqual(6, len({info.node for info in found}))
        for info in found:
            self.assertEqual((1, 64, 5000, 768000), (info.min_channels, info.max_channels, info.min_rate, info.max_rate))
            self.assertEqual((ALL_FORMATS, ALL_FORMATS), (info.iformats, info.oformats))
            self.assertEqual((0, -1, 1), (info.busy, info.pid, info.enabled))
            self.assertGreater(len(info.rates), 10)
            self.assertEqual(sorted(info.rates), list(info.rates))
            self.assertTrue(all(5000 <= rate <= 768000 for rate in info.rates))
        again = self.agent(loop)
        number = again.open("/dev/mixer2", os.O_RDONLY)
        self.assertEqual([info.handle for info in found],
                         [AudioInfo.of(again, number, i, AUDIOINFO).handle for i in range(6)])

    def test_each_client_has_an_engine(self):
        loop = self.loop(instances=2, clients=3)
        server = self.agent(loop)
        server.fd = server.open(server_path(0), os.O_RDONLY)
        players = [self.agent(loop) for _ in range(3)]
        for rate, player in zip((8000, 16000, 32000), players):
            player.fd = player.open("/dev/oss/oss_audioloop0/pcm0", os.O_WRONLY)
            player.set_format(player.fd, S16_LE, 1, rate)
        system = server.ioctl_bytes(server.fd, SYSINFO, bytes(1248))
        self.assertEqual((4, 6), tuple(struct.unpack_from("<i", system, at)[0] for at in (196, 284)))
        for player, number, following in zip(players, (0, 4, 5), (4, 5, 0)):
            info = AudioInfo.of(server, server.fd, number, ENGINEINFO)
            self.assertEqual((number, player.pid, 2, following), (info.dev, info.pid, info.busy, info.next_play))
            self.assertEqual("/dev/oss/oss_audioloop0/pcm0", info.node)
        self.assert_errno(errno.EINVAL, AudioInfo.of, server, server.fd, 6, ENGINEINFO)
        self.assert_errno(errno.EINVAL, AudioInfo.of, server, server.fd, 4, AUDIOINFO)
        device = AudioInfo.of(server, server.fd, 0, AUDIOINFO)
        self.assertEqual((players[0].pid, 4), (device.pid, device.next_play))
        players[1].kill()
        info = AudioInfo.of(server, server.fd, 4, ENGINEINFO)
        self.assertEqual((-1, 0), (info.pid, info.busy))
        self.assertEqual(-1, AudioInfo.of(server, server.fd, 2, ENGINEINFO).pid)

    def test_every_rate_it_lists_can_be_set(self):
        server, client = self.pair(self.loop())
        for rate in AudioInfo.of(client, client.fd).rates:
            self.assertEqual(rate, client.ioctl(client.fd, SPEED, rate))
            self.assertEqual(rate, server.ioctl(server.fd, SPEED, rate))

    def test_capabilities_tell_direction_and_side(self):
        for flags, server_caps, client_caps in (
            ((os.O_RDONLY, os.O_WRONLY), CAP_INPUT, CAP_OUTPUT),
            ((os.O_WRONLY, os.O_RDONLY), CAP_OUTPUT, CAP_INPUT),
        ):
            loop = self.loop()
            server, client = self.pair(loop, *flags)
            both_ways = CAP_INPUT | CAP_OUTPUT
            for agent, caps, hidden in ((server, server_caps, CAP_HIDDEN), (client, client_caps, 0)):
                for found in (agent.ioctl(agent.fd, GETCAPS), AudioInfo.of(agent, agent.fd).caps):
                    self.assertEqual(caps, found & both_ways)
                    self.assertEqual(hidden, found & CAP_HIDDEN)
                    self.assertEqual(CAP_TRIGGER | CAP_VIRTUAL, found & (CAP_TRIGGER | CAP_VIRTUAL | CAP_DUPLEX))
            info = AudioInfo.of(server, server.fd)
            self.assertEqual((ALL_FORMATS if server_caps == CAP_INPUT else 0,
                              ALL_FORMATS if server_caps == CAP_OUTPUT else 0), (info.iformats, info.oformats))

    def test_every_format_it_lists_can_be_set_and_no_other(self):
        server, client = self.pair(self.loop())
        for bit in range(31):
            for agent in (server, client):
                agent.ioctl(agent.fd, SETFMT, S16_LE)
                got = agent.ioctl(agent.fd, SETFMT, 1 << bit)
                self.assertEqual(1 << bit if ALL_FORMATS >> bit & 1 else S16_LE, got)

    def test_who_has_it_open_and_what_is_played_is_seen_by_others(self):
        loop = self.loop()
        server, client = self.pair(loop)
        before = AudioInfo.of(server, server.fd, 0)
        self.assertEqual((2, client.pid, "python3", "python3"), (before.busy, before.pid, before.cmd, before.label))
        client.ioctl_bytes(client.fd, SETSONG, b"A song".ljust(64, b"\0"))
        client.ioctl_bytes(client.fd, SETLABEL, b"a label".ljust(16, b"\0"))
        client.ioctl_bytes(client.fd, SETNAME, b"a player".ljust(64, b"\0"))
        after = AudioInfo.of(server, server.fd, 0)
        self.assertEqual(("A song", "a label", "a player"), (after.song, after.label, after.cmd))
        self.assertEqual("A song", text(client.ioctl_bytes(client.fd, GETSONG, bytes(64))))
        self.assertEqual("a label", text(client.ioctl_bytes(client.fd, GETLABEL, bytes(16))))
        self.assertAlmostEqual(340_000, after.latency, delta=30_000)
        client.close(client.fd)
        gone = AudioInfo.of(server, server.fd, 0)
        self.assertEqual((0, -1, "", ""), (gone.busy, gone.pid, gone.cmd, gone.song))

    def test_a_killed_program_does_not_stay_in_the_books(self):
        server, client = self.pair(self.loop())
        client.kill()
        self.assertEqual((0, -1), (AudioInfo.of(server, server.fd, 0).busy, AudioInfo.of(server, server.fd, 0).pid))
        opened = struct.unpack_from("<i", server.ioctl_bytes(server.fd, SYSINFO, bytes(1248)), 200)[0]
        self.assertEqual(0b10, opened)

    def test_the_system_counts_its_devices(self):
        agent = self.agent(self.loop(instances=4))
        data = agent.ioctl_bytes(agent.open("/dev/mixer", os.O_RDONLY), SYSINFO, bytes(1248))
        self.assertEqual(("OSS", "4.1"), (text(data), text(data[32:])))
        self.assertEqual(0x40100, struct.unpack_from("<i", data, 64)[0])
        self.assertEqual(8, struct.unpack_from("<i", data, 196)[0])

    def test_dsp_w_and_audio_start_as_their_names_say(self):
        loop = self.loop()
        agent, other = self.agent(loop), self.agent(loop)
        agent.open(SERVER, os.O_RDONLY)
        for path, expected in (("/dev/dspW", (0x10, 2, 48000)), ("/dev/dspW0", (0x10, 2, 48000)),
                               ("/dev/audio", (1, 1, 8000)), ("/dev/audio0", (1, 1, 8000))):
            number = other.open(path, os.O_WRONLY)
            self.assertEqual(expected, tuple(other.ioctl(number, request) for request in (SETFMT, CHANNELS, SPEED)))
            other.close(number)


class Positions(DrivenTest):
    def samples(self, agent, request):
        return struct.unpack_from("<qi", agent.ioctl_bytes(agent.fd, request, bytes(144)))

    def test_output_positions_are_exact_against_what_the_peer_has_read(self):
        for rate in (48000, 44100, 8000):
            server, client = self.pair(self.loop(clock="free"))
            client.ioctl(client.fd, SPEED, rate)
            server.later("read_bytes", server.fd, 4).done(0.1)
            client.write_all(client.fd, bytes(4 * 4000))
            server.busy.result()
            played, queued = self.samples(client, CURRENT_OPTR)
            delay = client.ioctl(client.fd, GETODELAY)
            self.assertEqual(4000, played + queued)
            # What a filter holds is not yet heard.
            self.assertEqual(rate == 48000, queued * 4 == delay)
            self.assertLessEqual(queued * 4, delay)
            self.assertEqual(played * 4 & 0xFFFFFFFF, struct.unpack_from("<I", client.ioctl_bytes(client.fd, GETOPTR, bytes(12)))[0])

    def test_an_output_position_never_goes_back(self):
        for rate in (22050, 32000, 44100, 96000):
            with self.subTest(rate=rate):
                server, client = self.pair(self.loop())
                server.later("read_to_end", server.fd, 4096)
                client.ioctl(client.fd, SPEED, rate)
                places = client.positions_while_writing(client.fd, bytes(4 * rate // 10))
                self.assertEqual(sorted(places), places)
                self.assertGreater(len(set(places)), 5)

    def test_the_delay_is_what_the_peer_has_not_read_and_cannot_read_yet(self):
        # Each look is at a rest: the recorder's buffer is full, or all has been read.
        for clock in ("realtime", "free"):
            for rate in (48000, 44100, 8000):
                with self.subTest(clock=clock, rate=rate):
                    server, client = self.pair(self.loop(clock=clock))
                    server.ioctl(server.fd, SETFRAGMENT, 4 << 16 | 11)  # 2048 frames
                    client.ioctl(client.fd, SETFRAGMENT, 16 << 16 | 12)  # 16384 frames
                    client.ioctl(client.fd, SPEED, rate)
                    written, read = rate // 5, 0
                    reading = server.later("read_bytes", server.fd, 4 * 1000)
                    client.write_all(client.fd, bytes(4 * written))
                    reading.result()
                    for more in (1, 500, 1234, 0):
                        if clock == "realtime":
                            time.sleep(0.2)
                        given = 1000 + read + fields(server.ioctl_bytes(server.fd, GETISPACE, bytes(16)), "4i")[3] // 4
                        delay = client.ioctl(client.fd, GETODELAY) // 4
                        # What is inside the filter counts as delay.
                        self.assertAlmostEqual(written - given * rate / 48000, delay, delta=0 if rate == 48000 else 1)
                        server.read_bytes(server.fd, 4 * more)
                        read += more
                    if rate == 48000:
                        server.read_bytes(server.fd, 4 * (written - 1000 - read))
                        self.assertEqual(0, client.ioctl(client.fd, GETODELAY))

    def test_two_fragments_of_a_millisecond_are_honoured_on_both_sides(self):
        # A millisecond is 192 bytes; a fragment is a power of two.
        for server_flags, client_flags in ((os.O_RDONLY, os.O_WRONLY), (os.O_WRONLY, os.O_RDONLY)):
            server, client = self.pair(self.loop(), server_flags, client_flags)
            player, recorder = (client, server) if client_flags == os.O_WRONLY else (server, client)
            for agent, request in ((player, GETOSPACE), (recorder, GETISPACE)):
                agent.ioctl(agent.fd, SETFRAGMENT, 2 << 16 | 8)
                _, total, size, there = fields(agent.ioctl_bytes(agent.fd, request, bytes(16)), "4i")
                self.assertEqual((2, 256, 512 if agent is player else 0), (total, size, there))
            # The recorder has read a block and reads no more: both buffers fill, and no more is taken.
            reading = recorder.later("read_bytes", recorder.fd, 128)
            player.write(player.fd, bytes(4))
            player.set_blocking(player.fd, False)
            deadline = time.monotonic() + 10
            while not reading.done(0.01) and time.monotonic() < deadline:
                player.write_until_refused(player.fd, bytes(4))
            reading.result()
            time.sleep(0.05)
            player.write_until_refused(player.fd, bytes(4))
            self.assertEqual(512, player.ioctl(player.fd, GETODELAY))
            self.assertEqual(512, fields(recorder.ioctl_bytes(recorder.fd, GETISPACE, bytes(16)), "4i")[3])

    def test_input_positions_count_what_has_arrived(self):
        server, client = self.pair(self.loop(clock="free"))
        reading = server.later("read_bytes", server.fd, 4 * 1000)
        client.write_all(client.fd, bytes(4 * 3000))
        reading.result()
        samples, waiting = self.samples(server, CURRENT_IPTR)
        self.assertEqual((3000, 2000), (samples, waiting))
        self.assertEqual(8000, fields(server.ioctl_bytes(server.fd, GETISPACE, bytes(16)), "4i")[3])

    def test_errors_count_xruns_since_the_last_question(self):
        server, client = self.pair(self.loop())
        errors = lambda agent: struct.unpack_from("<2i", agent.ioctl_bytes(agent.fd, GETERROR, bytes(104)))
        self.assertEqual((0, 0), errors(client))
        reading = server.later("read_bytes", server.fd, 48000 * 2)
        client.write_all(client.fd, bytes(4800))
        reading.result()
        self.assertGreaterEqual(errors(client)[0], 1)
        self.assertEqual(0, errors(client)[0])
        time.sleep(1)
        self.assertGreaterEqual(errors(server)[1], 1)


class Peaks(DrivenTest):
    def peaks(self, agent, request):
        return struct.unpack("<128H", agent.ioctl_bytes(agent.fd, request, bytes(256)))

    def test_both_sides_see_the_peaks_of_what_plays(self):
        server, client = self.pair(self.loop())
        self.assertEqual((0,) * 128, self.peaks(client, GETOPEAKS))
        reading = server.later("read_bytes", server.fd, 4 * 48000)
        loud = sound.Sound(48000, 2, sound.array.array("h", [0, 0, 16384, -8192, -2, 1, 5, 5]) * 12000)
        writing = client.later("write_all", client.fd, loud.bytes())
        time.sleep(0.5)
        reading.result()
        writing.result()
        for agent, request in ((client, GETOPEAKS), (server, GETIPEAKS)):
            left, right, *others = self.peaks(agent, request)
            self.assertAlmostEqual(16384, left, delta=2)
            self.assertAlmostEqual(8192, right, delta=2)
            self.assertFalse(any(others))

    def test_of_a_stream_that_went_silent_they_are_zero(self):
        server, client = self.pair(self.loop(clock="free"))
        reading = server.later("read_bytes", server.fd, 4 * 14800)
        client.write_all(client.fd, sound.Sound(48000, 2, sound.array.array("h", [9999]) * 10000).bytes())
        client.write_all(client.fd, bytes(4 * 9800))
        reading.result()
        self.assertEqual((0,) * 128, self.peaks(server, GETIPEAKS))


class Groups(DrivenTest):
    def join(self, agent, number, directions, group=0):
        data = agent.ioctl_bytes(number, SYNCGROUP, struct.pack("<ii", group, directions).ljust(72, b"\0"))
        return struct.unpack_from("<i", data)[0]

    def test_devices_of_a_group_start_on_the_same_frame(self):
        count = 3
        loop = self.loop(instances=count)
        player, recorders = self.agent(loop), [self.agent(loop) for _ in range(count)]
        for i, recorder in enumerate(recorders):
            recorder.fd = recorder.open(server_path(i), os.O_RDONLY)
        outputs = [player.open(f"/dev/oss/oss_audioloop0/pcm{i}", os.O_WRONLY) for i in range(count)]
        group = 0
        for output in outputs:
            group = self.join(player, output, 2, group)
        reading = [recorder.later("read_bytes", recorder.fd, 4 * 4800) for recorder in recorders]
        for output in outputs:
            player.write(output, bytes(4 * 12000))
        time.sleep(0.3)
        self.assertEqual([False] * count, [pending.done(0) for pending in reading])
        self.assertEqual([0] * count, [self.position(player, output) for output in outputs])
        player.ioctl_bytes(outputs[0], SYNCSTART, struct.pack("<i", group))
        # Each clock runs once its recorder has woken, and counts from the start of the group.
        self.wait_until(lambda: all(self.position(player, output) > 0 for output in outputs))
        first, *others, last = player.positions([*outputs, outputs[0]])
        # Asked one after the other: none is before the first, none after the last.
        for position in others:
            self.assertTrue(first <= position <= last, (first, others, last))
        for pending in reading:
            pending.result()

    def test_recorders_of_a_group_start_on_the_same_frame(self):
        count = 3
        loop = self.loop(instances=count)
        recorder, players = self.agent(loop), [self.agent(loop) for _ in range(count)]
        for i, player in enumerate(players):
            player.fd = player.open(server_path(i), os.O_WRONLY)
        inputs = [recorder.open(f"/dev/oss/oss_audioloop0/pcm{i}", os.O_RDONLY) for i in range(count)]
        group = 0
        for number in inputs:
            group = self.join(recorder, number, 1, group)
        # A server's write sleeps until its client starts.
        writing = [player.later("write_all", player.fd, bytes(4 * 24000)) for player in players]
        time.sleep(0.3)
        self.assertEqual([False] * count, [pending.done(0) for pending in writing])
        recorder.ioctl_bytes(inputs[0], SYNCSTART, struct.pack("<i", group))
        time.sleep(0.1)
        first, *others, last = recorder.positions([*inputs, inputs[0]], CURRENT_IPTR)
        self.assertGreater(first, 0)
        for position in others:
            self.assertTrue(first <= position <= last, (first, others, last))

    @staticmethod
    def position(agent, number):
        return struct.unpack_from("<q", agent.ioctl_bytes(number, CURRENT_OPTR, bytes(144)))[0]

    def test_a_group_is_started_once_and_takes_only_what_can_join(self):
        loop = self.loop()
        server, client = self.pair(loop)
        group = self.join(client, client.fd, 2)
        self.assertGreater(group, 0)
        self.assertEqual(0, client.ioctl(client.fd, 0x80045010))
        self.assert_errno(errno.EBUSY, self.join, client, client.fd, 2, 0)
        self.assert_errno(errno.EINVAL, self.join, server, server.fd, 1, group)  # of another program
        client.ioctl_bytes(client.fd, SYNCSTART, struct.pack("<i", group))
        self.assertEqual(2, client.ioctl(client.fd, 0x80045010))
        self.assert_errno(errno.EINVAL, client.ioctl_bytes, client.fd, SYNCSTART, struct.pack("<i", group))

    def test_a_member_that_closes_leaves_its_group(self):
        loop = self.loop()
        server, client = self.pair(loop)
        group = self.join(client, client.fd, 2)
        client.close(client.fd)
        number = client.open(CLIENT, os.O_WRONLY)
        self.assert_errno(errno.EINVAL, client.ioctl_bytes, number, SYNCSTART, struct.pack("<i", group))


class Queue(DrivenTest):
    def test_silence_quiets_what_is_queued_and_skip_drops_it(self):
        for request, expected in ((0x501F, bytes(4 * 1000)), (0x5020, b"")):
            server, client = self.pair(self.loop())
            client.write(client.fd, b"\x11" * 4000)
            client.ioctl_none(client.fd, request)
            reading = server.later("read_to_end", server.fd)
            client.close(client.fd)
            self.assertEqual(expected, reading.result()[0])


class Text(DrivenTest):
    def test_sndstat_names_devices_mixers_states_and_who_has_them_open(self):
        loop = self.loop(instances=2)
        server, client = self.pair(loop)
        client.set_format(client.fd, 0x8, 1, 8000)
        client.ioctl_bytes(client.fd, SETSONG, b"A\x1bsong".ljust(64, b"\0"))
        stat = loop.start("cat", "/dev/sndstat").succeed().output
        self.assertTrue(stat.startswith("OSS 4"))
        for line in ("Number of audio devices:\t4", "Number of mixer devices:\t2",
                     " 1: ossloop 1 (Mixer 1 of device object 0)",
                     "ossloop 0 client side  /dev/oss/oss_audioloop0/pcm0  (device index 0)\n"
                     f"    OUTPUT, U8/1/8000, open by python3 (pid {client.pid}), \"A?song\"\n",
                     "ossloop 0 server side  /dev/oss/oss_audioloop0/server0  (device index 1)\n"
                     f"    INPUT, S16_LE/2/48000, open by python3 (pid {server.pid})\n",
                     "ossloop 1 client side  /dev/oss/oss_audioloop0/pcm1  (device index 2)\n    free\n",
                     "  /dev/dsp -> /dev/oss/oss_audioloop0/pcm0\n",
                     "  /dev/mixer1 -> /dev/oss/oss_audioloop0/mix1\n"):
            self.assertIn(line, stat)
