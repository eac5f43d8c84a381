"""Sound goes through shared memory: the kernel is called to sleep and to wake, and for nothing else."""

import signal
import unittest

from driven import *
from loop import CLIENT, SERVER, limit

FRAME, RATE = 4, 48000
BLOCK_FRAMES = 64
BLOCK = BLOCK_FRAMES * FRAME


class SystemCalls(DrivenTest):
    def watched(self, loop):
        """An agent whose system calls are written down, but for those that get memory."""
        log = loop.work / f"calls-{len(loop.programs)}"
        agent = self.agent(loop, wrapper=["strace", "-f", "-q", "-e", "trace=!%memory", "-e", "signal=none", "-o", log])
        agent.log = log
        return agent

    def watched_pair(self, loop):
        """Both have no signal handler and have moved a block, so that nothing is done
        for the first time."""
        server, client = self.watched(loop), self.watched(loop)
        for agent in (server, client):
            agent.handle_nothing()
        server.fd = server.open(SERVER, os.O_RDONLY)
        client.fd = client.open(CLIENT, os.O_WRONLY)
        client.write_blocks(client.fd, 1, BLOCK)
        server.read_blocks(server.fd, 1, BLOCK)
        return server, client

    @staticmethod
    def cost(agent):
        """The system calls that the last marked call made in its thread, and those
        that other threads made meanwhile."""
        agent.now()  # what was before the answer to it is on record
        lines = [line.split(maxsplit=1) for line in agent.log.read_text().splitlines()]
        marks = [i for i, (_, text) in enumerate(lines) if text.startswith("getppid(")]
        main = lines[marks[-1]][0]
        during = [line for line in lines[marks[-2] + 1 : marks[-1]] if "resumed>" not in line[1]]
        return ([text for thread, text in during if thread == main],
                [text for thread, text in during if thread != main])

    def futexes(self, agent):
        """How often it slept and how often it woke somebody, where it did nothing else."""
        mine, _ = self.cost(agent)
        self.assertEqual([], [call for call in mine if not call.startswith("futex(")])
        return tuple(sum(kind in call for call in mine) for kind in ("FUTEX_WAIT", "FUTEX_WAKE"))

    def test_sound_that_nobody_waits_for_makes_no_system_call(self):
        for clock in ("realtime", "free"):
            with self.subTest(clock=clock):
                server, client = self.watched_pair(self.loop(clock=clock))
                client.marked("write_blocks", client.fd, 200, BLOCK)
                self.assertEqual((0, 0), self.futexes(client))
                if clock == "realtime":
                    server.nap(0.34)  # until it is due
                server.marked("read_blocks", server.fd, 200, BLOCK)
                self.assertEqual((0, 0), self.futexes(server))

    def calls_that_keep_handlers_out(self, clock):
        """How often 50 calls hold signals, for each kind of handler and of call, where they do nothing else."""
        kinds = ((signal.SIGUSR1, True), (signal.SIGCHLD, False), (signal.SIGSEGV, False), (signal.SIGRTMIN, True))
        server, client = self.watched_pair(self.loop(clock=clock))
        for agent, call in ((client, "write_blocks"), (server, "read_blocks")):
            if clock == "realtime" and agent is server:
                server.nap(0.34)  # until it is due
            for number, restart in kinds:
                agent.handle(number, restart)
                getattr(agent, call)(agent.fd, 1, BLOCK)
                agent.marked(call, agent.fd, 50, BLOCK)
                mine, _ = self.cost(agent)
                self.assertEqual([], [text for text in mine if not text.startswith("rt_sigprocmask(")])
                yield len(mine)

    def test_handlers_of_all_kinds_are_kept_out_of_our_work_by_two(self):
        self.assertEqual([100] * 8, list(self.calls_that_keep_handlers_out("realtime")))

    def test_without_a_clock_handlers_cost_no_system_call(self):
        """But for those calls in which the thread loses its processor."""
        for calls in self.calls_that_keep_handlers_out("free"):
            self.assertLess(calls, 20)

    @limit(90)
    def test_nobody_is_woken_who_does_not_sleep_and_nobody_sleeps_for_each_block(self):
        for clock, blocks in (("realtime", 3 * RATE // BLOCK_FRAMES), ("free", 40000)):
            with self.subTest(clock=clock):
                server, client = self.watched_pair(self.loop(clock=clock))
                reading = server.later("marked", "read_blocks", server.fd, blocks, BLOCK)
                client.marked("write_blocks", client.fd, blocks, BLOCK)
                reading.result()
                (server_slept, server_woke), (client_slept, client_woke) = map(self.futexes, (server, client))
                # One that has announced its sleep may find the post before it sleeps; and the
                # first sound wakes the timer.
                self.assertLessEqual(client_woke, server_slept + 4)
                self.assertLessEqual(server_woke, client_slept + 4)
                self.assertLess(server_slept + client_slept, blocks // 8)

    def test_the_timer_of_a_stream_that_nobody_polls_looks_four_times_a_second(self):
        server, client = self.watched_pair(self.loop())
        reading = server.later("marked", "read_blocks", server.fd, 3 * RATE // BLOCK_FRAMES, BLOCK)
        client.marked("write_blocks", client.fd, 3 * RATE // BLOCK_FRAMES, BLOCK)
        reading.result()
        seconds = reading.end - reading.start
        for agent in (server, client):
            _, others = self.cost(agent)
            self.assertLessEqual(sum("FUTEX_WAIT" in call for call in others), 4 * seconds + 4)


if __name__ == "__main__":
    unittest.main()
