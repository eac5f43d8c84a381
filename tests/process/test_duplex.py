"""A headset: both sides play and record at once, by one program or by two (`duplex=on`)."""

import errno
import os
import select
import unittest

from driven import *
import sound
from loop import CLIENT, SERVER

FREE = {"clock": "free", "duplex": "on"}
REAL = {"duplex": "on"}
FRAME = 4  # bytes, in the format both sides start with
IN, OUT = select.POLLIN, select.POLLOUT
SETDUPLEX = 0x5016
GETCAPS = 0x8004500F
CAP_DUPLEX = 0x100


class Headset(DrivenTest):
    def open_both(self, loop, name, **options):
        """A program that plays and one that records on the same side."""
        player, recorder = self.agent(loop, **options), self.agent(loop, **options)
        recorder.fd = recorder.open(name, os.O_RDONLY)
        player.fd = player.open(name, os.O_WRONLY)
        return player, recorder

    def test_each_side_takes_an_open_for_each_direction_and_no_more(self):
        for name in (SERVER, CLIENT):
            with self.subTest(name=name):
                loop = self.loop(**REAL)
                if name == CLIENT:
                    self.open_both(loop, SERVER)
                player, recorder = self.open_both(loop, name)
                other = self.agent(loop)
                for flags in (os.O_RDONLY, os.O_WRONLY, os.O_RDWR):
                    self.assert_errno(errno.EBUSY, other.open, name, flags)
                player.close(player.fd)
                self.assert_errno(errno.EBUSY, other.open, name, os.O_RDONLY)
                self.assert_errno(errno.EBUSY, other.open, name, os.O_RDWR)
                fd = other.open(name, os.O_WRONLY)
                other.close(fd)
                recorder.close(recorder.fd)
                fd = other.open(name, os.O_RDWR)
                for flags in (os.O_RDONLY, os.O_WRONLY, os.O_RDWR):
                    self.assert_errno(errno.EBUSY, player.open, name, flags)

    def test_both_directions_pass_bit_for_bit_at_once(self):
        loop = self.loop(**FREE)
        server_plays, server_records = self.open_both(loop, SERVER)
        client_plays, client_records = self.open_both(loop, CLIENT)
        there, back = sound.count(20000).bytes(), sound.count(15000).bytes()
        hearing = server_records.later("read_bytes", server_records.fd, len(there))
        listening = client_records.later("read_bytes", client_records.fd, len(back))
        writing = client_plays.later("write_all", client_plays.fd, there)
        self.assertEqual((len(back), None), server_plays.write_all(server_plays.fd, back))
        writing.result()
        self.assertEqual((there, back), (hearing.result(), listening.result()))

    def test_each_half_has_its_own_format(self):
        loop = self.loop(**REAL)
        player, recorder = self.open_both(loop, SERVER)
        self.assertEqual((S16_LE, 1, 8000), player.set_format(player.fd, S16_LE, 1, 8000))
        self.assertEqual((S16_LE, 2, 48000), recorder.set_format(recorder.fd, 0, 0, 0))

    def test_duplex_is_told_and_chosen(self):
        loop = self.loop(**REAL)
        server, client = self.pair(loop, os.O_RDWR, os.O_RDWR)
        for agent in (server, client):
            self.assertNotEqual(0, agent.ioctl(agent.fd, GETCAPS) & CAP_DUPLEX)
            agent.ioctl_none(agent.fd, SETDUPLEX)
        loop = self.loop()
        server, client = self.pair(loop, os.O_RDONLY, os.O_RDWR)
        self.assertEqual(0, client.ioctl(client.fd, GETCAPS) & CAP_DUPLEX)
        self.assert_errno(errno.EOPNOTSUPP, client.ioctl_none, client.fd, SETDUPLEX)

    def test_without_any_server_no_client_opens(self):
        client = self.agent(self.loop(**REAL))
        for flags in (os.O_RDONLY, os.O_WRONLY, os.O_RDWR):
            self.assert_errno(errno.EAGAIN, client.open, CLIENT, flags)
            self.assert_errno(errno.ENXIO, client.open, CLIENT, flags | os.O_EXCL)

    def test_a_direction_without_a_server_is_silence_and_nobody_at_the_pace_of_the_device(self):
        loop = self.loop(**REAL)
        server, other = self.agent(loop), self.agent(loop)
        server.fd = server.open(SERVER, os.O_RDONLY)
        recorder = self.agent(loop)
        fd = recorder.open(CLIENT, os.O_RDONLY)
        silence, seconds = recorder.timed("read_bytes", fd, 48000 * FRAME // 2)
        self.assertEqual(bytes(48000 * FRAME // 2), silence)
        self.assertGreaterEqual(seconds, 0.45)
        server.close(server.fd)
        server.fd = server.open(SERVER, os.O_WRONLY)
        fd = other.open(CLIENT, os.O_WRONLY)
        _, seconds = other.timed("write_all", fd, bytes(48000 * FRAME))
        self.assertGreaterEqual(seconds, 0.55)

    def test_a_server_that_comes_hears_what_is_not_yet_played(self):
        loop = self.loop(**REAL)
        server, client = self.agent(loop), self.agent(loop)
        server.open(SERVER, os.O_WRONLY)
        fd = client.open(CLIENT, os.O_WRONLY)
        played = sound.count(96000).bytes()
        writing = client.later("write_all", fd, played)
        writing.wait_until_asleep()
        recorder = self.agent(loop)
        fd = recorder.open(SERVER, os.O_RDONLY)
        heard = recorder.read_bytes(fd, 40000 * FRAME)
        recorder.close(fd)  # which is no error
        self.assertEqual((len(played), None), writing.result())
        # From some frame on, without a gap.
        first = played.find(heard[:4 * FRAME])
        self.assertGreater(first, 0)
        self.assertEqual(played[first:first + len(heard)], heard)

    def test_two_ends_in_one_thread_do_not_wait_for_each_other(self):
        agent = self.agent(self.loop(**REAL))
        server, client = agent.open(SERVER, os.O_RDWR), agent.open(CLIENT, os.O_RDWR)
        for fd in (client, server, client, server):
            self.assertEqual(480 * FRAME, len(agent.read_bytes(fd, 480 * FRAME)))
            self.assertEqual((480 * FRAME, None), agent.write_all(fd, bytes(480 * FRAME)))

    def test_a_descriptor_has_all_four_states_of_readiness(self):
        # So slow that no state passes by itself.
        loop = self.loop(clock="0.01", **REAL)
        server, client = self.pair(loop, os.O_RDWR, os.O_RDWR | os.O_NONBLOCK)
        both = IN | OUT

        def assert_ready(events):
            for fd in (client.fd, copy):
                self.assertEqual(events, client.poll(fd, both, 0))
                self.assertEqual(events & IN, client.poll(fd, IN, 0))
                self.assertEqual(events & OUT, client.poll(fd, OUT, 0))
                self.assertEqual((bool(events & IN), bool(events & OUT)), client.select(fd, 0))
                self.assertEqual(events, client.epoll(fd, both, 0))

        copy = client.dup(client.fd)
        assert_ready(OUT)
        client.write_until_refused(client.fd)
        assert_ready(0)
        self.assertEqual(OUT, client.poll(client.fd, OUT, 20000))
        client.write_until_refused(client.fd)
        self.assertEqual(IN, client.poll(client.fd, IN, 20000))
        client.write_until_refused(client.fd)
        assert_ready(IN)
        self.assertEqual(OUT, client.poll(client.fd, OUT, 20000))
        assert_ready(both)
        client.read(client.fd, 65536)
        assert_ready(OUT)

    def test_room_is_told_beside_a_process_that_polls_for_input(self):
        loop = self.loop(**REAL)
        server = self.agent(loop)
        server.open(SERVER, os.O_RDONLY)
        for way in ("poll", "epoll"):
            with self.subTest(way=way):
                client = self.agent(loop)
                fd = client.open(CLIENT, os.O_RDWR | os.O_NONBLOCK)
                child = client.fork_and("poll_again_and_again", fd, IN, 1.5, str(loop.file("answer")))
                for _ in range(20):
                    client.write_until_refused(fd)
                    _, seconds = client.timed(way, fd, OUT, 20000)
                    self.assertLess(seconds, PROMPT_SECONDS)
                self.assertEqual(0, client.reap(child))
                client.close(fd)

    def test_a_refused_open_disturbs_nobody(self):
        server, client = self.pair(self.loop(**REAL), os.O_RDWR, os.O_RDWR)
        self.assertEqual(IN, client.poll(client.fd, IN, 20000))
        self.assertEqual(IN | OUT, client.poll(client.fd, IN | OUT, 0))
        self.assert_errno(errno.EBUSY, server.open, CLIENT, os.O_RDWR)
        self.assertEqual(IN | OUT, client.poll(client.fd, IN | OUT, 0))

    def test_a_killed_peer_is_told_of_when_names_lead_nowhere(self):
        loop = self.loop(**FREE)
        server, client = self.agent(loop), self.agent(loop)
        server.fd = server.open(SERVER, os.O_RDONLY)
        client.fd = client.open(CLIENT, os.O_WRONLY)
        loop.runtime.rename(loop.folder / "elsewhere")
        client.write_all(client.fd, bytes(400))
        client.kill()
        data, _, ended = server.read_to_end(server.fd)
        self.assertEqual((bytes(400), errno.ECONNRESET), (data, ended))

    def test_an_open_goes_on_in_a_program_that_inherits_it(self):
        loop = self.loop(**FREE)
        server = self.agent(loop)
        server.fd = server.open(SERVER, os.O_RDWR)
        client = self.agent(loop)
        fd = client.open(CLIENT, os.O_RDWR)
        server.read(server.fd, FRAME)
        played = sound.count(3000).bytes()
        child = client.fork_and("write_all", fd, played, str(loop.file("answer")))
        self.assertEqual(0, client.reap(child))
        self.assertEqual(played, server.read_bytes(server.fd, len(played)))

    def test_who_records_and_closes_ends_no_stream_of_its_neighbour(self):
        loop = self.loop(**FREE)
        player, recorder = self.open_both(loop, SERVER)
        client = self.agent(loop)
        client.fd = client.open(CLIENT, os.O_RDONLY)
        played = sound.count(6000).bytes()
        # Whether the client, which goes on without a server, hears of the end is not asked.
        listening = client.later("read_bytes", client.fd, len(played))
        player.write_all(player.fd, played[:8000])
        recorder.close(recorder.fd)
        player.write_all(player.fd, played[8000:])
        player.close(player.fd)
        recorder.open(SERVER, os.O_RDONLY)
        self.assertEqual(played, listening.result())

    def test_a_server_has_a_format_of_its_own_until_it_hears_a_client_that_plays_to_nobody(self):
        loop = self.loop(**REAL)
        server, client = self.agent(loop), self.agent(loop)
        fd = server.open(SERVER, os.O_RDONLY)
        client.fd = client.open(CLIENT, os.O_RDWR)
        server.close(fd)
        server.open(SERVER, os.O_WRONLY)
        writing = client.later("write_all", client.fd, bytes(96000 * FRAME))
        writing.wait_until_asleep()
        recorder = self.agent(loop)
        fd = recorder.open(SERVER, os.O_RDONLY)
        for rate in range(8000, 8200):  # meanwhile the client plays on
            self.assertEqual((S16_LE, 1, rate), recorder.set_format(fd, S16_LE, 1, rate))

    def test_a_new_server_has_a_format_of_its_own_while_the_one_before_is_heard(self):
        loop = self.loop(**REAL)
        server, client = self.pair(loop, os.O_WRONLY, os.O_RDONLY)
        listening = client.later("read_bytes", client.fd, FRAME)
        server.write_all(server.fd, bytes(8000 * FRAME))
        listening.result()
        server.kill()
        server = self.agent(loop)
        fd = server.open(SERVER, os.O_WRONLY)
        self.assertEqual((S16_LE, 1, 44100), server.set_format(fd, S16_LE, 1, 44100))

    def test_two_new_ends_hear_each_other_where_two_were_killed_in_the_midst_of_a_stream(self):
        loop = self.loop(**FREE)
        server, client = self.pair(loop, os.O_RDWR, os.O_RDWR)
        client.read(client.fd, FRAME)
        server.write_all(server.fd, bytes(20000 * FRAME))
        client.read(client.fd, FRAME)
        for agent in (server, client):
            agent.kill()
        server, client = self.pair(loop, os.O_RDWR, os.O_RDWR)
        client.poll(client.fd, IN, 0)  # begins to record
        played = sound.count(2000).bytes()
        server.write_all(server.fd, played)
        self.assertEqual(played[:400], client.read_bytes(client.fd, 400))

    def test_a_killed_program_leaves_its_half_and_no_other(self):
        loop = self.loop(**REAL)
        self.open_both(loop, SERVER)
        player, recorder = self.open_both(loop, CLIENT)
        player.kill()
        other = self.agent(loop)
        fd = other.open(CLIENT, os.O_WRONLY)
        self.assert_errno(errno.EBUSY, other.open, CLIENT, os.O_RDONLY)
        other.close(fd)
        recorder.kill()
        other.open(CLIENT, os.O_RDWR)


if __name__ == "__main__":
    unittest.main()
