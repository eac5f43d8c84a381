"""Any call from any thread, in the company of signals and priorities."""

import pathlib
import signal
import time
import unittest

from loop import CLIENT, LIBRARY, LIMIT_SECONDS, SERVER, LoopTest

PROGRAMS = pathlib.Path(LIBRARY).parents[1] / "tests" / "threads"
MAPPED = pathlib.Path(LIBRARY).parents[1] / "tests" / "mapped"


class Threads(LoopTest):
    def assert_kept(self, what, device, loop=None, runner=(), program="threads", seconds=LIMIT_SECONDS):
        loop = loop or self.loop(linger_ms=0)  # some hear the end of what they played themselves
        done = loop.start(*runner, PROGRAMS / program, what, device)
        status = done.wait(seconds)
        self.assertEqual("ready\nkept\n", done.output, done.errors)
        self.assertEqual(0, status)
        return done

    def with_a_server(self, what, clock="realtime", **options):
        """On a client whose server reads all the time."""
        loop = self.loop(eof="wait", clock=clock)
        recorder = loop.partner_records(SERVER)
        loop.wait_until_listening(recorder)
        return self.assert_kept(what, CLIENT, loop, **options)

    def test_a_close_ends_a_read_that_waits(self):
        self.assert_kept("close_while_reading", SERVER)

    def test_a_read_that_waits_can_be_cancelled(self):
        self.assert_kept("cancel_a_read", SERVER)

    def test_a_write_that_waits_can_be_cancelled(self):
        self.with_a_server("cancel_a_write")

    def test_a_write_takes_nothing_after_a_close(self):
        for what in ("close_while_writing", "close_in_a_handler_while_writing"):
            with self.subTest(what):
                loop = self.loop()
                recorder = loop.partner_records(SERVER)
                loop.wait_until_listening(recorder)
                player = loop.start(PROGRAMS / "threads", what, CLIENT)
                self.assertEqual(0, player.wait(), player.output)
                recorder.succeed()
                took = f"took {recorder.recording.stat().st_size}"
                self.assertEqual(["ready", took, "kept"], player.output.splitlines(), player.errors)

    def test_a_child_has_no_descriptor_of_an_open_that_fails(self):
        self.assert_kept("fork_while_opens_fail", SERVER)

    def assert_one_stream(self, what, letters=b"abc"):
        loop = self.loop()
        recorder = loop.partner_records(SERVER)
        loop.wait_until_listening(recorder)
        self.assert_kept(what, CLIENT, loop)
        recorder.succeed()
        heard = recorder.recording.read_bytes().replace(bytes(4), b"")
        self.assertEqual(b"".join(20 * 4096 * bytes([letter]) for letter in letters), heard)

    def test_a_spawned_program_may_be_told_anything_before_it_opens_the_device(self):
        for before in ("an_open", "a_dup2", "a_close", "a_closefrom"):
            with self.subTest(before):
                self.assert_one_stream(f"spawn_after_{before}", b"a")

    def test_a_copy_of_the_process_begins_the_stream_and_spoils_no_file(self):
        self.assert_one_stream("begin_in_a_copy")

    def test_a_replacement_or_close_that_fails_ends_no_stream(self):
        self.assert_one_stream("replace_it_in_vain")

    def test_a_thread_of_64_kib_can_do_everything(self):
        self.with_a_server("small_stack")

    def test_a_program_may_block_all_signals(self):
        self.with_a_server("blocked_signals")

    def test_a_handler_may_call_the_device_it_interrupts(self):
        self.with_a_server("calls_from_a_handler", program="handlers")

    def test_a_handler_may_come_while_the_program_forks(self):
        self.with_a_server("forks_under_a_handler", program="handlers")

    def test_a_handler_may_jump_out_of_a_call(self):
        self.with_a_server("jumps_from_a_handler", program="handlers")

    def test_a_handler_may_jump_out_of_an_open(self):
        self.with_a_server("jumps_out_of_an_open", program="handlers", clock="free")

    def test_handlers_may_change_while_signals_come(self):
        self.with_a_server("handlers_change_under_a_storm", program="handlers", clock="free")

    def test_every_form_of_handler_may_use_the_device(self):
        self.with_a_server("every_form_of_handler_may_use_the_device", clock="4", program="handler_forms")

    def test_every_form_of_handler_may_jump_away(self):
        self.with_a_server("every_form_of_handler_may_jump_away", clock="4", program="handler_forms")

    def test_every_form_of_handler_may_end_its_thread(self):
        self.with_a_server("every_form_of_handler_may_end_its_thread", clock="4", program="handler_forms")

    def test_every_form_of_handler_may_become_another_program(self):
        self.with_a_server("every_form_of_handler_may_become_another_program", clock="4", program="handler_forms")

    def test_every_signal_ends_a_read_that_waits(self):
        self.assert_kept("every_signal_ends_a_read", SERVER, program="handlers")

    def test_a_cancelled_thread_cleans_up_with_its_own_mask(self):
        self.assert_kept("a_cancelled_thread_cleans_up_with_its_own_mask", SERVER, program="handlers")

    def test_a_program_under_thread_sanitizer_keeps_its_signals(self):
        options = {"program": "handlers_under_tsan", "runner": ("env", "TSAN_OPTIONS=report_bugs=0")}
        for what in ("calls_from_a_handler", "handlers_change_under_a_storm"):
            with self.subTest(what):
                self.with_a_server(what, clock="free", **options)
        self.assert_kept("every_signal_ends_a_read", SERVER, **options)

    def test_threads_that_fork_at_once_keep_their_masks(self):
        self.with_a_server("threads_fork_at_once", program="handlers")

    def test_a_handler_that_jumps_out_of_a_call_that_sleeps_leaves_nothing(self):
        for what in ("read", "poll", "select"):
            with self.subTest(what):
                self.assert_kept(f"out_of_a_{what}", SERVER, program="jumps")
        for what in ("write", "sync"):
            with self.subTest(what):
                self.with_a_server(f"out_of_a_{what}", program="jumps")

    def test_a_handler_that_jumps_out_of_a_first_call_leaves_the_loader_unlocked(self):
        self.assert_kept("out_of_a_first_call", SERVER, program="first_calls")

    def test_a_handler_that_leaves_the_last_close_leaves_the_device_free(self):
        for what in ("out_of_a_close", "out_of_a_dup2", "out_of_a_close_and_exit", "end_in_a_close", "end_in_a_dup2"):
            with self.subTest(what):
                self.assert_kept(what, CLIENT, program="jumps")

    # As on SIGINT: the handler comes while the program asks for memory, whose lock is held.

    def assert_handler_may(self, what, clock="free"):
        self.with_a_server(what, clock, program="memory", seconds=15)

    def test_a_handler_that_interrupts_malloc_may_close_what_plays(self):
        for clock in ("free", "realtime"):
            for what in ("close_in_a_handler", "close_in_a_restarting_handler"):
                with self.subTest(what, clock=clock):
                    self.assert_handler_may(what, clock)

    def test_a_handler_that_interrupts_malloc_may_close_other_devices(self):
        for device in (SERVER, "/dev/mixer", "/dev/sndstat"):
            with self.subTest(device):
                self.assert_kept("close_a_reader_in_a_handler", device, program="memory", seconds=15)

    def test_a_handler_that_interrupts_malloc_may_close_each_dup(self):
        self.assert_handler_may("close_dups_in_a_handler")

    def test_a_handler_that_interrupts_malloc_may_play_ask_and_close(self):
        self.assert_handler_may("play_and_close_in_a_handler")

    def test_a_handler_that_interrupts_malloc_may_stop_and_close(self):
        self.assert_handler_may("stop_and_close_in_a_handler")

    def test_a_handler_that_interrupts_malloc_may_close_and_open(self):
        self.assert_handler_may("close_and_open_in_a_handler")

    def test_a_real_time_thread_does_not_wait_for_idle_ones(self):
        self.with_a_server("real_time")

    def test_valgrind_finds_nothing_in_a_player(self):
        valgrind = ("valgrind", "--quiet", "--error-exitcode=9")
        done = self.with_a_server("blocked_signals", runner=valgrind)
        self.assertEqual("", done.errors)

    def test_valgrind_finds_nothing_in_a_recorder(self):
        # Which may be too slow for its buffer.
        self.assert_once(self.recorder_under_valgrind)

    def recorder_under_valgrind(self):
        loop = self.loop(eof="reset", buffer_ms=2000)
        recorder = loop.start(
            "valgrind", "--quiet", "--error-exitcode=9", MAPPED / "recorder", SERVER, 0x10, 2, 48000,
            loop.file("got"),
        )
        deadline = time.monotonic() + 20
        while "ready" not in recorder.output:
            self.assertLess(time.monotonic(), deadline, recorder.explain("is not ready"))
            time.sleep(0.05)
        sent = loop.file("sent")
        sent.write_bytes(bytes(range(256)) * 300)
        loop.partner("play", CLIENT, sent, rate=44100).succeed()
        recorder.succeed()
        self.assertEqual("", recorder.errors)

    def test_calls_without_a_lock_leave_the_descriptor_to_who_replaces_it(self):
        self.with_a_server("replaced_while_it_writes", clock="free", program="lent")

    def test_calls_without_a_lock_leave_the_device_to_a_child_of_vfork(self):
        self.with_a_server("child_of_vfork_writes", clock="free", program="lent")

    def test_calls_without_a_lock_are_counted_when_another_program_goes_on(self):
        for what in ("another_program_writes", "becomes_another_program"):
            with self.subTest(what):
                self.with_a_server(what, clock="free", program="lent")

    def test_calls_without_a_lock_are_counted_beside_another_open_of_the_place(self):
        loop = self.loop(eof="wait", clock="free", duplex="on")
        player = loop.wait_until_listening(loop.start(PROGRAMS / "lent", "counted_beside_a_recorder", SERVER))
        loop.partner_records(CLIENT)
        self.assertEqual(0, player.wait(), player.output)

    def test_a_player_that_is_stopped_goes_on_where_it_was(self):
        loop = self.loop(underrun="stall")
        recorder = loop.partner_records(SERVER)
        loop.wait_until_listening(recorder)
        sent = loop.file("sent")
        sent.write_bytes(bytes(range(256)) * 1500)
        player = loop.partner("play", CLIENT, sent)
        time.sleep(0.7)
        player.send(signal.SIGSTOP)
        time.sleep(0.7)
        player.send(signal.SIGCONT)
        player.succeed()
        recorder.succeed()
        self.assertEqual(sent.read_bytes(), recorder.recording.read_bytes())


if __name__ == "__main__":
    unittest.main()
