"""The OSS API as a whole: every request on each side, in each state and direction,
against api_table.txt; and that its arguments may point anywhere."""

import errno
import json
import mmap
import os

from api_requests import MIXER, PLAYS, RECORDS, RequestsTest, State, codes, rows
from driven import *
from loop import CONTROL


class Requests(RequestsTest):
    def in_state(self, name):
        for server_records in (True, False):
            state = State(self, name, server_records)
            for side, agent, column, device in state.sides():
                with self.subTest(state=name, side=side, server_records=server_records):
                    self.walk(agent, agent.fd, column, state.facts | {"device": device})
            state.loop.close()

    def test_on_sides_just_opened(self):
        self.in_state("just_opened")

    def test_on_sides_whose_format_is_set(self):
        self.in_state("configured")

    def test_while_sound_runs(self):
        self.in_state("running")

    def test_after_the_end_of_a_stream(self):
        self.in_state("ended")

    def test_on_a_server_whose_client_is_gone(self):
        self.in_state("peer_gone")

    def test_on_a_client_whose_server_is_gone(self):
        self.in_state("server_gone")

    def test_on_a_mixer(self):
        agent = self.agent(self.loop())
        self.walk(agent, agent.open("/dev/mixer", os.O_RDONLY), MIXER, {})

    def test_the_table_and_the_library_know_the_same_requests(self):
        page = json.loads(self.loop().start(CONTROL, "api", "--json", preload=False).succeed().output)
        known = codes()
        tested = {known[row.name] for row in rows()}
        self.assertEqual({row["code"] for row in page}, tested)
        for row in page:
            self.assertEqual(known[row["name"]], row["code"])
            self.assertTrue(row["help"].endswith("."))

    def test_the_reference_page_has_a_line_for_each(self):
        page = self.loop().start(CONTROL, "api", preload=False).succeed().output
        for row in rows():
            if row.name not in ("SNDCTL_DSP_SAMPLESIZE", "OSS_SYSINFO") and "RESET" not in row.name:
                self.assertIn(f"{row.name} ", page)

    def test_the_trace_shows_names_arguments_and_results(self):
        loop = self.loop()
        agent = self.agent(loop, env={"OSSLOOP_LOG": f"trace:{loop.file('trace')}"})
        number = agent.open("/dev/oss/oss_audioloop0/server0", os.O_RDONLY)
        agent.ioctl(number, SPEED, 22050)
        agent.ioctl_bytes(number, 0x40405902, b"A song".ljust(64, b"\0"))
        self.assert_errno(errno.ENOTSUP, agent.ioctl_bytes, number, GETOSPACE, bytes(16))
        self.assert_errno(errno.EINVAL, agent.ioctl_none, number, 0x50FF)
        trace = loop.file("trace").read_text()
        for line in (f"ioctl {number}, SNDCTL_DSP_SPEED 22050 -> 0, 22050",
                     f'ioctl {number}, SNDCTL_SETSONG "A song" -> 0',
                     f"ioctl {number}, SNDCTL_DSP_GETOSPACE -> {-errno.ENOTSUP}",
                     f"ioctl {number}, 0x000050ff unknown request -> {-errno.EINVAL}"):
            self.assertIn(line, trace)


class Arguments(DrivenTest):
    """A pointer that cannot be used is EFAULT, whatever the request; one that can be
    is used wherever it points."""

    def sides(self):
        server, client = self.pair(self.loop())
        mixer = self.agent(self.loop())
        mixer.fd = mixer.open("/dev/mixer", os.O_RDWR)
        return ((server, RECORDS), (client, PLAYS), (mixer, MIXER))

    def each(self, test):
        for agent, column in self.sides():
            table = [row for row in rows() if row.bytes > 0]
            if column == MIXER:
                table = [row for row in table if (row.code >> 8 & 0xFF) not in b"PY"]
            test(agent, table, column)

    def test_null_and_unmapped(self):
        def test(agent, table, _):
            for address in (0, 1, 0xDEAD0000, 0x7FFFFFFFF000, 0xFFFFFFFFFFFFF000):
                answers = agent.walk_at(agent.fd, [row.code for row in table], address)
                self.assertEqual([errno.EFAULT] * len(table), answers, hex(address))

        self.each(test)

    def test_read_only(self):
        def test(agent, table, _):
            page = agent.map_page(mmap.PROT_READ)
            table = [row for row in table if row.gives]
            answers = agent.walk_at(agent.fd, [row.code for row in table], page)
            self.assertEqual([errno.EFAULT] * len(table), answers)

        self.each(test)

    def test_half_outside(self):
        def test(agent, table, _):
            end = agent.map_page_and_hole() + mmap.PAGESIZE
            for row in table:
                (answer,) = agent.walk_at(agent.fd, [row.code], end - row.bytes // 2)
                self.assertEqual(errno.EFAULT, answer, row.name)

        self.each(test)

    def test_unaligned_at_the_very_end_of_memory(self):
        def test(agent, table, column):
            end = agent.map_page_and_hole() + mmap.PAGESIZE
            for row in table:
                for address in (end - row.bytes, end - mmap.PAGESIZE + 1):
                    answer = agent.ioctl_bytes_at(agent.fd, row.code, row.argument, address)
                    expected = row.expected[column]
                    expected = getattr(errno, expected) if expected.startswith("E") else 0
                    self.assertEqual(expected, answer, row.text)

        self.each(test)
