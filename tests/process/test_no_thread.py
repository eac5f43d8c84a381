"""Where the system gives no thread: calls look for themselves, and it is told once."""

import errno
import os
import unittest

from driven import *
import sound
from loop import CLIENT, SERVER

HANG_SECONDS = 5


class NoThread(DrivenTest):
    def users(self, limited, **conf):
        """A loop, and a server and a client agent with their sides open. One of them
        may have no thread, which root always may."""
        loop = self.loop(**conf)
        wrapper, env = [], {"OSSLOOP_LOG": "warning"}
        if os.geteuid() == 0:
            open_to_all(loop)
            os.chown(loop.runtime, NOBODY, NOBODY)
            wrapper, env = AS_NOBODY, {**env, **library_for_all(self)}
        server, client = (self.agent(loop, wrapper=wrapper, env=env) for _ in range(2))
        {"server": server, "client": client}[limited].limit("RLIMIT_NPROC", 0)
        server.fd = server.open(SERVER, os.O_RDONLY)
        client.fd = client.open(CLIENT, os.O_WRONLY)
        return server, client

    def assert_told_once(self, agent):
        lines = agent.program.errors.splitlines()
        self.assertEqual(1, len(lines), lines[:5])
        self.assertIn("thread", lines[0])

    def assert_hears_of_a_kill(self, limited, call, *arguments):
        for clock in ("realtime", "free"):
            with self.subTest(clock=clock):
                server, client = self.users(limited, clock=clock)
                peer, agent, what, counterpart = {
                    "server": (client, server, "read", "write"), "client": (server, client, "write", "read"),
                }[limited]
                peer.later("persist", peer.fd, counterpart)
                moving = agent.later(call, agent.fd, what, *arguments)
                # It never sleeps for long: it looks around.
                self.assertFalse(moving.done(1), "it did not go on")
                peer.kill()
                self.assertEqual(errno.ECONNRESET, moving.result(HANG_SECONDS))
                agent.close(agent.fd)
                self.assert_told_once(agent)

    def test_a_recorder_hears_of_its_player_s_kill(self):
        self.assert_hears_of_a_kill("server", "move_to_end")

    def test_a_recorder_that_polls_goes_on_and_hears_of_its_player_s_kill(self):
        self.assert_hears_of_a_kill("server", "poll_to_end", HANG_SECONDS * 1000)

    def test_a_player_hears_of_its_recorder_s_kill(self):
        self.assert_hears_of_a_kill("client", "move_to_end")

    def test_a_player_that_polls_goes_on_and_hears_of_its_recorder_s_kill(self):
        self.assert_hears_of_a_kill("client", "poll_to_end", HANG_SECONDS * 1000)

    def test_a_song_is_heard_whole(self):
        for limited in ("server", "client"):
            with self.subTest(limited):
                server, client = self.users(limited, underrun="stall")
                played = sound.noise(24000).bytes()
                reading = server.later("read_to_end", server.fd)
                self.assertEqual((len(played), None), client.write_all(client.fd, played))
                client.close(client.fd)
                self.assertEqual((played, errno.ECONNRESET), reading.result()[::2])
                server.close(server.fd)
                self.assert_told_once({"server": server, "client": client}[limited])


if __name__ == "__main__":
    unittest.main()
