"""Where a seccomp filter refuses system calls, in whichever of the usual ways, a device
works or cannot be opened, and the program goes on."""

import errno
import os
import unittest

from hardship import *
import sound
from api_requests import RequestsTest, State

NUMBERS = (errno.EPERM, errno.EACCES, errno.ENOSYS)
# What an open may say of a system that refuses something.
WHY = {*NUMBERS, errno.EOPNOTSUPP}
THREADS = PROGRAMS.parent / "threads"


class Sandboxes(RequestsTest):
    wrapper = ()

    def agent(self, loop, **options):
        return super().agent(loop, wrapper=self.wrapper, **options)

    def opens(self):
        """Whether a device can be opened, or what becomes of it is told."""
        agent = self.agent(self.loop())
        for path, flags in ((SERVER, os.O_RDONLY), ("/dev/mixer", os.O_RDWR), ("/dev/sndstat", os.O_RDONLY)):
            try:
                agent.close(agent.open(path, flags))
            except Failed as failed:
                self.assertIn(failed.errno, WHY, path)
                if path == SERVER:
                    return False
            finally:
                agent.now()
        return True

    def assert_every_request_is_served(self):
        for server_records in (True, False):
            state = State(self, "running", server_records)
            for _, agent, column, device in state.sides():
                self.walk(agent, agent.fd, column, state.facts | {"device": device})
            agent.open("/dev/mixer", os.O_RDWR)
            state.loop.close()

    def assert_sound_passes(self):
        loop = self.loop(clock="free")
        played = sound.noise(20011).bytes()
        server, client = self.pair(loop)
        reading = server.later("read_to_end", server.fd)
        self.assertEqual((40000, None), client.write_all(client.fd, played[:40000]))
        child = client.fork_and("write_all", client.fd, played[40000:], loop.file("answer"))
        self.assertEqual(0, client.reap(child))
        client.close(client.fd)
        self.assertEqual((played, errno.ECONNRESET), reading.result()[::2])

    def with_a_server(self, program, what):
        loop = self.loop(eof="wait")
        recorder = loop.partner_records(SERVER)
        loop.wait_until_listening(recorder)
        self.assert_kept(program, what, loop)

    def assert_kept(self, program, what, loop):
        words = [*self.wrapper, "env", f"LD_PRELOAD={LIBRARY}", THREADS / program, what, CLIENT]
        done = loop.start(*words, preload=False)
        self.assertEqual((0, "ready\nkept\n"), (done.wait(), done.output), done.errors)

    def in_sandbox(self, family, *promises):
        for number in NUMBERS:
            with self.subTest(f"{family} refused with {errno.errorcode[number]}"):
                self.wrapper = [PROGRAMS / "sandbox", family, number]
                if not self.opens():
                    continue
                self.assert_every_request_is_served()
                self.assert_sound_passes()
                for program, what in promises:
                    self.with_a_server(program, what)

    EVERYTHING = ("threads", "small_stack")
    CONTENTION = ("threads", "real_time")
    HANDLERS = ("handlers", "calls_from_a_handler")
    FORKS = ("handlers", "forks_under_a_handler")

    def test_where_nothing_is_refused(self):
        self.in_sandbox("nothing", self.EVERYTHING)

    def test_without_copies_between_processes(self):
        self.in_sandbox("process_vm", self.EVERYTHING)

    def test_without_futexes_that_inherit_priority(self):
        self.in_sandbox("futex_pi", self.EVERYTHING, self.CONTENTION)

    def test_without_futexes_that_inherit_priority_under_handlers(self):
        self.in_sandbox("futex_pi", self.HANDLERS, self.FORKS)

    def test_without_a_descriptor_table_for_a_thread(self):
        self.in_sandbox("close_range", self.EVERYTHING, self.HANDLERS)

    def test_without_files_that_have_no_name(self):
        self.in_sandbox("memfd_create", self.EVERYTHING)
        self.in_sandbox("seals")

    def test_without_threads(self):
        self.in_sandbox("threads")

    def test_without_threads_a_handler_that_leaves_the_last_close_leaves_the_device_free(self):
        self.wrapper = [PROGRAMS / "sandbox", "threads", errno.EPERM]
        for what in ("out_of_a_close", "out_of_a_dup2", "out_of_a_close_and_exit"):
            with self.subTest(what):
                self.assert_kept("jumps", what, self.loop())

    def test_without_the_newer_call_that_makes_threads(self):
        self.in_sandbox("clone3")

    def test_without_signals_that_are_queued(self):
        self.in_sandbox("signal_queue", self.HANDLERS)

    def test_without_what_libc_asks_for_its_threads(self):
        self.in_sandbox("robust_list", self.EVERYTHING)
        self.in_sandbox("rseq", self.EVERYTHING)

    def test_without_barriers_and_the_pointer_of_a_thread(self):
        self.in_sandbox("membarrier")
        self.in_sandbox("arch_prctl", self.HANDLERS)

    def test_without_priorities(self):
        self.in_sandbox("priorities", self.CONTENTION)

    def test_without_locks_of_open_files(self):
        self.in_sandbox("file_locks")

    def test_without_the_size_of_a_pipe(self):
        self.in_sandbox("pipe_size")

    def test_without_files_of_a_given_size_or_mode(self):
        self.in_sandbox("fallocate")
        self.in_sandbox("fchmod")

    def test_without_nodes_and_links(self):
        self.in_sandbox("mknod")
        self.in_sandbox("link")


if __name__ == "__main__":
    unittest.main()
