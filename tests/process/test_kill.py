"""SIGKILL at any moment: the other side learns it soon, nothing that was
accepted is lost, and the instance is as good as new with no cleaning by hand.

OSSLOOP_KILL_ROUNDS sets the number of rounds.
"""

import errno
import os
import random
import select
import signal
import statistics
import struct
import time
import unittest

from driven import *
import sound
from loop import CLIENT, LIMIT_SECONDS, SERVER, limit

ROUNDS = int(os.environ.get("OSSLOOP_KILL_ROUNDS", "200"))
# In the median, twice as much for nine of ten, and at the very most: a machine that has
# other things to do is late now and then.
LEARNS_WITHIN_SECONDS = 0.5
LEARNS_AT_MOST_SECONDS = 10
# Nothing may come for so long of one that was killed before it played.
PATIENCE_SECONDS = 2.0
LONGEST_LIFE_SECONDS = 0.03
LONGEST_LIFE_IN_REAL_TIME_SECONDS = 0.15


def read_journal(path):
    return struct.unpack(f"<{os.path.getsize(path) // 4}I", path.read_bytes())


def wait_until_open(journal, child, frames=0):
    """Until the child has opened its device and moved so many frames."""
    deadline = time.monotonic() + LIMIT_SECONDS
    while (now := read_journal(journal))[0] < 1 or now[1] < frames:
        if time.monotonic() > deadline:
            os.kill(child, signal.SIGKILL)
            raise AssertionError(f"the child came to {now} within {LIMIT_SECONDS} s")
        time.sleep(0.0005)


class Kill(DrivenTest):
    def assert_learned_soon(self, delays):
        self.assertLess(statistics.median(delays), LEARNS_WITHIN_SECONDS)
        self.assertLess(statistics.quantiles(delays, n=10)[-1], 2 * LEARNS_WITHIN_SECONDS)
        self.assertLess(max(delays), LEARNS_AT_MOST_SECONDS)

    def rounds_of_players(self, producer_path, consumer_path, rounds, seed, rate_hz=48000, **conf):
        """Kills a forked player again and again; one reader lives through it."""
        chance = random.Random(seed)
        free = conf.get("clock") == "free"
        longest_life = LONGEST_LIFE_SECONDS if free else LONGEST_LIFE_IN_REAL_TIME_SECONDS
        loop = self.loop(**conf)
        reader, mother = self.agent(loop), self.agent(loop)
        consumer_is_server = consumer_path == SERVER
        if consumer_is_server:
            fd = reader.open(consumer_path, os.O_RDONLY)
        journal = loop.file("journal")
        delays = []
        for number in range(rounds):
            journal.write_bytes(bytes(8))
            block = chance.choice((4, 64, 1024, 4096, 16384))
            if consumer_is_server:
                reading = reader.busy or reader.later("read_to_end", fd)
            moment = chance.random()
            child = mother.fork_player(producer_path, str(journal), block, number, rate_hz)
            if not consumer_is_server:
                wait_until_open(journal, child)
                fd = reader.open(consumer_path, os.O_RDONLY)
                reading = reader.later("read_to_end", fd)
            if moment < 0.7:
                wait_until_open(journal, child, frames=1)
            elif moment < 0.9:  # the others may die before they open it
                wait_until_open(journal, child)
            time.sleep(chance.uniform(0, longest_life))
            os.kill(child, signal.SIGKILL)
            killed = time.monotonic()
            self.assertEqual(-signal.SIGKILL, mother.reap(child), f"round {number}: the player failed")
            stage, accepted = read_journal(journal)
            patience = PATIENCE_SECONDS if stage == 2 else 0
            if accepted == 0 and consumer_is_server and not reading.done(patience):
                continue  # killed before it played: the server goes on waiting
            data, _, ended = reading.result()
            heard = sound.numbers(data)
            due = round(accepted * 48000 / rate_hz)
            where = f"round {number}: stage {stage}, accepted {accepted}, heard {len(heard)}"
            # ENXIO: the server was gone before the client's first read.
            ends = {errno.ECONNRESET} if heard else {errno.ECONNRESET, errno.ENXIO}
            self.assertIn(ended, ends, where)
            self.assertEqual(0, len(data) % 4, where)
            self.assertGreaterEqual(len(heard), due, where)
            if rate_hz == 48000:
                self.assertEqual(list(range(len(heard))), heard, where)
            if accepted > 0:
                delays.append(reading.end - killed)
            if not consumer_is_server:
                reader.close(fd)
        self.assertGreater(len(delays), rounds // 2, "most were killed before they played")
        self.assert_learned_soon(delays)

    @limit(600)
    def test_player_killed_at_any_moment(self):
        self.rounds_of_players(CLIENT, SERVER, ROUNDS, seed=1, clock="free")

    @limit(600)
    def test_player_as_server_killed_at_any_moment(self):
        self.rounds_of_players(SERVER, CLIENT, ROUNDS // 4, seed=2, clock="free")

    @limit(600)
    def test_player_killed_at_any_moment_in_real_time(self):
        # A buffer of 20 ms: what was accepted is played out well within the limit.
        self.rounds_of_players(
            CLIENT, SERVER, ROUNDS // 4, seed=3, buffer_ms=20, underrun="stall")

    @limit(600)
    def test_player_killed_while_it_converts_rates(self):
        # The last frames were in its filter: the server makes them up.
        self.rounds_of_players(
            CLIENT, SERVER, ROUNDS // 4, seed=4, rate_hz=44100, clock="free")

    def rounds_of_recorders(self, producer_path, consumer_path, rounds, seed, **conf):
        """Kills a forked recorder again and again; one player lives through it."""
        chance = random.Random(seed)
        free = conf.get("clock") == "free"
        longest_life = LONGEST_LIFE_SECONDS if free else LONGEST_LIFE_IN_REAL_TIME_SECONDS
        loop = self.loop(**conf)
        player, mother = self.agent(loop), self.agent(loop)
        producer_is_server = producer_path == SERVER
        journal = loop.file("journal")
        player.handle(signal.SIGUSR1, False)
        fd = player.open(producer_path, os.O_WRONLY) if producer_is_server else None
        value, delays = 1, []
        for number in range(rounds):
            journal.write_bytes(bytes(12))
            writing = None
            if producer_is_server:
                writing = player.later("write_numbers", fd, value, 1 << 31, LIMIT_SECONDS)
            child = mother.fork_recorder(consumer_path, str(journal))
            wait_until_open(journal, child)
            if not producer_is_server:
                if fd is None:
                    fd = player.open(producer_path, os.O_WRONLY)
                writing = player.later("write_numbers", fd, value, 1 << 31, LIMIT_SECONDS)
            if chance.random() < 0.7:
                wait_until_open(journal, child, frames=1)
            time.sleep(chance.uniform(0, longest_life))
            os.kill(child, signal.SIGKILL)
            killed = time.monotonic()
            self.assertEqual(-signal.SIGKILL, mother.reap(child), f"round {number}: the recorder failed")
            stage, frames, wrong = read_journal(journal)
            where = f"round {number}: stage {stage}, heard {frames}"
            self.assertEqual(0, wrong, where)
            if frames == 0 and producer_is_server and not writing.done(PATIENCE_SECONDS):
                # Killed before it listened: the server goes on waiting.
                player.interrupt(writing, signal.SIGUSR1)
                self.assertEqual((value, errno.EINTR), writing.result())
                continue
            before = value
            value, error = writing.result()
            if frames > 0:
                delays.append(writing.end - killed)
            # ENXIO: the server was gone before the client's first write.
            begun = producer_is_server or value > before
            self.assertIn(error, {errno.ECONNRESET} if begun else {errno.ECONNRESET, errno.ENXIO}, where)
            if not producer_is_server:
                self.assert_errno(errno.ENXIO, player.write, fd, bytes(64))
        self.assertGreater(len(delays), rounds // 2, "most were killed before they listened")
        self.assert_learned_soon(delays)

    @limit(600)
    def test_recorder_killed_at_any_moment(self):
        self.rounds_of_recorders(CLIENT, SERVER, ROUNDS, seed=4, clock="free")

    @limit(600)
    def test_recorder_killed_at_any_moment_in_real_time(self):
        self.rounds_of_recorders(CLIENT, SERVER, ROUNDS // 4, seed=5)

    @limit(600)
    def test_recorder_as_client_killed_at_any_moment(self):
        self.rounds_of_recorders(SERVER, CLIENT, ROUNDS // 4, seed=6, clock="free")

    def test_both_killed_leave_an_instance_as_good_as_new(self):
        loop = self.loop(clock="free")
        for number in range(10):
            server, client = self.pair(loop)
            client.write(client.fd, sound.noise(1000, seed=number).bytes())
            server.read_bytes(server.fd, 400)
            for agent in (client, server) if number % 2 else (server, client):
                agent.kill()
        server, client = self.pair(loop)
        played = sound.count(5000).bytes()
        reading = server.later("read_to_end", server.fd)
        client.write_all(client.fd, played)
        client.close(client.fd)
        self.assertEqual((played, errno.ECONNRESET), reading.result()[::2])

    def test_a_server_that_plays_after_both_were_killed_waits_for_a_client(self):
        for clock in ("free", "realtime"):
            loop = self.loop(clock=clock, underrun="stall")
            mother, server, client = (self.agent(loop) for _ in range(3))
            journals = [loop.file(name) for name in ("played", "heard")]
            played = sound.count(40000).bytes()  # more than the buffers hold
            for number in range(4):
                for journal in journals:
                    journal.write_bytes(bytes(12))
                children = [mother.fork_player(SERVER, str(journals[0]), 4096, number, 48000)]
                wait_until_open(journals[0], children[0])
                children.append(mother.fork_recorder(CLIENT, str(journals[1])))
                wait_until_open(journals[1], children[1])
                time.sleep(0.1)
                for child in children[:: -1 if number % 2 else 1]:
                    os.kill(child, signal.SIGKILL)
                for child in children:
                    self.assertEqual(-signal.SIGKILL, mother.reap(child))
                self.assertGreater(read_journal(journals[1])[1], 0, "nothing was heard")
                writing = server.later("play", SERVER, played)
                if writing.done(0.4):
                    self.fail(f"round {number}, with nobody there: {writing.result()}")
                fd = client.open(CLIENT, os.O_RDONLY)
                self.assertEqual((played, errno.ECONNRESET), client.read_to_end(fd)[::2])
                self.assertEqual((len(played), None), writing.result(PROMPT_SECONDS))
                client.close(fd)

    def test_a_recorder_that_polls_hears_what_a_killed_player_left_at_its_pace(self):
        server, client = self.pair(self.loop(underrun="stall"), os.O_RDONLY, os.O_WRONLY | os.O_NONBLOCK)
        server.ioctl(server.fd, SETFRAGMENT, 2 << 16 | 9)  # 2 of 128 frames
        reading = server.later("read_bytes", server.fd, 400)
        client.write_until_refused(client.fd)
        reading.result()
        client.kill()
        ended, seconds = server.timed("poll_to_end", server.fd, "read", 20000)
        self.assertEqual(errno.ECONNRESET, ended)
        self.assertLess(seconds, PROMPT_SECONDS)

    def test_a_recorder_that_polls_is_told_once_that_its_server_has_gone(self):
        server, client = self.pair(self.loop(), os.O_WRONLY, os.O_RDONLY)
        client.poll(client.fd, select.POLLIN, 0)
        server.kill()
        self.assertEqual(select.POLLIN, client.poll(client.fd, select.POLLIN, 20000))
        self.assert_errno(errno.ECONNRESET, client.read, client.fd, 4)
        for _ in range(2):
            self.assertEqual(select.POLLIN, client.poll(client.fd, select.POLLIN, 20000))
            self.assert_errno(errno.ENXIO, client.read, client.fd, 4)

    def test_poll_tells_no_room_that_the_rest_of_a_killed_player_takes(self):
        loop = self.loop(underrun="stall")
        server, client = self.pair(loop, os.O_RDONLY, os.O_WRONLY | os.O_NONBLOCK)
        reading = server.later("read_bytes", server.fd, 400)
        client.write_until_refused(client.fd)
        reading.result()
        time.sleep(0.5)  # the clock is held: nobody fetches
        client.write_until_refused(client.fd)
        client.kill()
        client = self.agent(loop)
        fd = client.open(CLIENT, os.O_WRONLY | os.O_NONBLOCK)
        self.assert_errno(errno.EAGAIN, client.write, fd, bytes(400))
        self.assertEqual(0, client.poll(fd, select.POLLOUT, 0))
        listening = server.later("read_to_end", server.fd)
        self.assertEqual(select.POLLOUT, client.poll(fd, select.POLLOUT, 20000))
        self.assertEqual(400, client.write(fd, bytes(400)))
        listening.result()

    def test_a_server_killed_in_its_sleep_leaves_a_free_side(self):
        loop = self.loop()
        for _ in range(5):
            server = self.agent(loop)
            fd = server.open(SERVER, os.O_RDONLY)
            self.assert_waits(server.later("read", fd, 64), 0.05)
            server.kill()
        client = self.agent(loop)
        self.assert_errno(errno.EAGAIN, client.open, CLIENT, os.O_WRONLY)


if __name__ == "__main__":
    unittest.main()
