"""Several programs at once on the client side: `clients=N`."""

import errno
import os
import select
import signal
import struct
import unittest

from driven import *
import sound
from loop import CLIENT, CONTROL, SERVER

FRAME = 4  # bytes, in the format both sides start with


def constant(value, frames):
    return struct.pack("<2h", value, value) * frames


def mean_of(data):
    values = struct.unpack(f"<{len(data) // 2}h", data)
    return set(values)


class Clients(DrivenTest):
    def player(self, loop):
        agent = self.agent(loop)
        agent.fd = agent.open(CLIENT, os.O_WRONLY)
        return agent

    def test_so_many_open_and_one_more_is_ebusy(self):
        for number in (1, 3, 8):
            with self.subTest(number=number):
                loop = self.loop(clients=number)
                server, other = self.agent(loop), self.agent(loop)
                server.open(SERVER, os.O_RDONLY)
                fds = [other.open(CLIENT, os.O_WRONLY) for _ in range(number)]
                self.assert_errno(errno.EBUSY, other.open, CLIENT, os.O_WRONLY)
                other.close(fds[number // 2])
                other.open(CLIENT, os.O_WRONLY)
                self.assert_errno(errno.EBUSY, other.open, CLIENT, os.O_WRONLY)

    def test_a_second_server_is_ebusy_all_the_same(self):
        loop = self.loop(clients=8)
        server = self.agent(loop)
        server.open(SERVER, os.O_RDONLY)
        self.assert_errno(errno.EBUSY, server.open, SERVER, os.O_RDONLY)

    def test_two_players_are_added(self):
        loop = self.loop(clients=2, clock="free")
        server = self.agent(loop)
        server.fd = server.open(SERVER, os.O_RDONLY)
        first, second = self.player(loop), self.player(loop)
        frames = 48000
        writing = [
            first.later("write_all", first.fd, constant(1000, frames)),
            second.later("write_all", second.fd, constant(300, frames)),
        ]
        for call in writing:
            call.wait_until_asleep()
        heard = server.read_bytes(server.fd, frames * FRAME)
        for call in writing:
            call.result()
        self.assertEqual({1300}, mean_of(heard))

    def test_a_killed_player_is_heard_to_its_last_frame_and_leaves_its_place(self):
        loop = self.loop(clients=2, clock="free")
        server = self.agent(loop)
        server.fd = server.open(SERVER, os.O_RDONLY)
        first, second = self.player(loop), self.player(loop)
        first.write_all(first.fd, constant(1000, 5000))
        second.write_all(second.fd, constant(300, 2000))
        second.kill()
        first.kill()
        data, _, ended = server.read_to_end(server.fd)
        self.assertEqual(errno.ECONNRESET, ended)
        self.assertEqual(constant(1300, 2000) + constant(1000, 3000), data)
        self.player(loop), self.player(loop)

    def test_one_alone_passes_bit_for_bit_and_its_end_is_told(self):
        loop = self.loop(clients=8, clock="free")
        server = self.agent(loop)
        server.fd = server.open(SERVER, os.O_RDONLY)
        player, idle = self.player(loop), self.player(loop)
        played = sound.count(20000).bytes()
        reading = server.later("read_to_end", server.fd)
        player.write_all(player.fd, played)
        player.close(player.fd)
        data, _, ended = reading.result()
        self.assertEqual((played, errno.ECONNRESET), (data, ended))

    def test_several_recorders_hear_all_of_a_server(self):
        loop = self.loop(clients=3, clock="free")
        server = self.agent(loop)
        server.fd = server.open(SERVER, os.O_WRONLY)
        readers = [self.agent(loop) for _ in range(3)]
        for reader in readers:
            reader.fd = reader.open(CLIENT, os.O_RDONLY)
        played = sound.count(3000).bytes()
        reading = [reader.later("read_to_end", reader.fd) for reader in readers]
        for call in reading:
            call.wait_until_asleep()
        server.write_all(server.fd, played)
        server.close(server.fd)
        for call in reading:
            data, _, ended = call.result()
            self.assertEqual((played, errno.ECONNRESET), (data, ended))

    def test_a_recorder_that_comes_later_hears_from_the_next_frame_on_and_delays_nobody(self):
        loop = self.loop(clients=2)
        server = self.agent(loop)
        server.fd = server.open(SERVER, os.O_WRONLY)
        first, late = self.agent(loop), self.agent(loop)
        first.fd = first.open(CLIENT, os.O_RDONLY)
        played = sound.count(72000).bytes()
        reading = first.later("read_to_end", first.fd)
        writing = server.later("write_all", server.fd, played)
        writing.wait_until_asleep()
        fd = late.open(CLIENT, os.O_RDONLY)
        heard = late.read_bytes(fd, 20000 * FRAME)
        first_frame = struct.unpack_from("<i", heard)[0]
        at = played.find(heard[:FRAME * 2])
        self.assertGreaterEqual(at, 0)
        self.assertEqual(played[at:at + len(heard)], heard)
        # And it stops to fetch.
        writing.result()
        server.close(server.fd)
        self.assertEqual(played, reading.result()[0])

    def recorders(self, loop, number):
        """A server that plays, and so many that wait for its sound."""
        server = self.agent(loop)
        server.fd = server.open(SERVER, os.O_WRONLY)
        recorders = [self.agent(loop) for _ in range(number)]
        for recorder in recorders:
            recorder.fd = recorder.open(CLIENT, os.O_RDONLY)
        return server, recorders

    def test_one_that_does_not_read_keeps_no_other_from_recording(self):
        server, (idle, first, second) = self.recorders(self.loop(clients=3, clock="free"), 3)
        played = sound.count(300_000).bytes()  # more than the ring holds
        reading = first.later("read_to_end", first.fd)
        reading.wait_until_asleep()
        server.write_all(server.fd, played)
        server.close(server.fd)
        self.assertEqual(played, reading.result()[0])

    def test_when_the_first_leaves_the_oldest_other_loses_nothing_any_more(self):
        for how in ("close", "kill", "halt"):
            with self.subTest(how=how):
                server, (first, second, third) = self.recorders(self.loop(clients=3, clock="free"), 3)
                for agent in second, third:
                    agent.poll(agent.fd, select.POLLIN, 0)  # begins to record
                early, late = sound.count(1000).bytes(), sound.noise(400_000).bytes()
                reading = first.later("read_bytes", first.fd, len(early))
                reading.wait_until_asleep()
                server.write_all(server.fd, early)
                self.assertEqual(early, reading.result())
                self.assertEqual(early[:400], second.read_bytes(second.fd, 400))
                if how == "close":
                    first.close(first.fd)
                elif how == "halt":
                    first.ioctl_none(first.fd, HALT)
                else:
                    first.kill()
                writing = server.later("write_all", server.fd, late)
                self.assert_waits(writing)  # for the second one
                reading = second.later("read_to_end", second.fd, 4096)
                self.assertEqual((len(late), None), writing.result())
                server.close(server.fd)
                data, _, ended = reading.result()
                self.assertEqual(errno.ECONNRESET, ended)
                self.assertEqual(early[400:] + late, data)

    def test_who_takes_the_place_of_the_first_hears_what_is_played_to_the_others(self):
        loop = self.loop(clients=2, underrun="stall")
        server, (first, second) = self.recorders(loop, 2)
        second.poll(second.fd, select.POLLIN, 0)
        played = sound.count(90_000).bytes()
        reading = first.later("read_bytes", first.fd, 4000)
        writing = server.later("write_all", server.fd, played)
        self.assertEqual(played[:4000], reading.result())
        server.signal(signal.SIGSTOP)
        first.kill()
        third = self.agent(loop)
        third.fd = third.open(CLIENT, os.O_RDONLY)
        third.poll(third.fd, select.POLLIN, 0)
        server.signal(signal.SIGCONT)
        listening = second.later("read_to_end", second.fd)
        heard = third.read_bytes(third.fd, 20_000 * FRAME)
        self.assertIn(heard, played)
        self.assertEqual((len(played), None), writing.result())  # not told that nobody hears
        server.close(server.fd)
        self.assertTrue(listening.result()[0].endswith(played[-4000:]))

    def test_who_was_overtaken_goes_on_with_what_there_is(self):
        for reads in (False, True):
            with self.subTest(reads=reads):
                self.overtaken(reads)

    def overtaken(self, reads):
        """A recorder that is waited for from now on, and that has read a little before."""
        server, (first, second) = self.recorders(self.loop(clients=2, clock="free"), 2)
        second.poll(second.fd, select.POLLIN, 0)
        early, late = sound.noise(300_000).bytes(), sound.count(300_000).bytes()
        reading = first.later("read_bytes", first.fd, 8000)
        reading.wait_until_asleep()
        writing = server.later("write_all", server.fd, early)
        self.assertEqual(early[:8000], reading.result())
        if reads:
            for size in (40, 400):
                second.read_bytes(second.fd, size)
        self.assertEqual(early[8000:], first.read_bytes(first.fd, len(early) - 8000))
        writing.result()
        first.close(first.fd)
        writing = server.later("write_all", server.fd, late)
        reading = second.later("read_to_end", second.fd, 4096)
        writing.result()
        server.close(server.fd)
        data = reading.result()[0]
        self.assertEqual(late, data[-len(late):])
        self.assertEqual(early[len(late) - len(data):], data[:-len(late)])

    def test_a_player_of_short_buffers_and_a_recorder_that_polls_do_not_wait_for_each_other(self):
        for clients in (1, 2):
            with self.subTest(clients=clients):
                loop = self.loop(clients=clients, clock="free")
                server = self.agent(loop)
                server.fd = server.open(SERVER, os.O_RDONLY)
                players = [self.player(loop) for _ in range(clients)]
                listening = server.later("poll_to_end", server.fd, "read", 20000)
                writing = []
                for player in players:
                    player.ioctl(player.fd, SETFRAGMENT, 2 << 16 | 9)  # 2 of 128 frames
                    writing.append(player.later("write_all", player.fd, bytes(100_000 * FRAME)))
                for player, call in zip(players, writing):
                    call.result(PROMPT_SECONDS)
                    player.close(player.fd)
                self.assertEqual(errno.ECONNRESET, listening.result())

    def test_the_next_server_waits_for_the_same_recorder(self):
        loop = self.loop(clients=2)
        server, (first, second) = self.recorders(loop, 2)
        first.close(first.fd)
        second.poll(second.fd, select.POLLIN, 0)
        played = sound.count(32_000).bytes()
        writing = server.later("write_all", server.fd, played)
        writing.wait_until_asleep()
        server.kill()
        server = self.agent(loop)
        server.open(SERVER, os.O_WRONLY)
        data, _, ended = second.read_to_end(second.fd)
        self.assertEqual(errno.ECONNRESET, ended)
        self.assertGreater(len(data), 16_320 * FRAME)  # more than its buffer
        self.assertEqual(played[:len(data)], data)

    def test_a_ring_that_others_hear_is_kept_when_a_larger_one_is_made(self):
        server, (first, second) = self.recorders(self.loop(clients=2, clock="free"), 2)
        for agent in first, second:
            agent.poll(agent.fd, select.POLLIN, 0)
        early, late = sound.count(1000).bytes(), bytes(64 * 1000)
        server.write_all(server.fd, early)
        self.assertEqual(early, first.read_bytes(first.fd, len(early)))
        server.set_format(server.fd, S32_LE, 16, 48000)
        reading = first.later("read_bytes", first.fd, 4000)
        server.write_all(server.fd, late)
        reading.result()
        self.assertEqual(early, second.read_bytes(second.fd, len(early)))

    def test_a_policy_that_is_set_holds_for_the_next_server(self):
        loop = self.loop(clients=2, clock="free")
        server, (first, second) = self.recorders(loop, 2)
        for agent in first, second:
            agent.poll(agent.fd, select.POLLIN, 0)
        loop.start(CONTROL, "set", 0, "clients=1", preload=False).succeed()
        first.close(first.fd)
        server.write_all(server.fd, bytes(4000))
        self.assertEqual(bytes(4000), second.read_bytes(second.fd, 4000))

    def test_the_position_of_a_server_goes_not_back(self):
        server, (first, second) = self.recorders(self.loop(clients=2, clock="free"), 2)
        for agent in first, second:
            agent.poll(agent.fd, select.POLLIN, 0)
        server.write_all(server.fd, bytes(20_000 * FRAME))
        first.read_bytes(first.fd, 20_000 * FRAME)
        before = server.position(server.fd, CURRENT_OPTR)
        first.close(first.fd)
        self.assertGreaterEqual(server.position(server.fd, CURRENT_OPTR), before)

    def test_clients_of_bad_values_are_told_in_one_line(self):
        for value in ("0", "9", "many"):
            loop = self.loop(clients=value)
            program = loop.start("cat", "/dev/sndstat").succeed()
            self.assertIn("clients", program.errors)
            self.assertEqual(1, len(program.errors.splitlines()))


if __name__ == "__main__":
    unittest.main()
