"""The OSS API as a whole: every request on each side, in each state and direction,
against api_table.txt; and that its arguments may point anywhere."""

import errno
import json
import mmap
import os
import pathlib
import shlex
import struct

from driven import *
from loop import CONTROL

REFERENCE = pathlib.Path(__file__).resolve().parents[1] / "layout/reference/oss4-constants.tsv"
TABLE = pathlib.Path(__file__).with_name("api_table.txt")

# What OSS 4 took over from OSS 3 and the reference no longer lists.
OLD_NAMES = {
    "SOUND_PCM_READ_RATE": 0x80045002,
    "SOUND_PCM_READ_BITS": 0x80045005,
    "SOUND_PCM_READ_CHANNELS": 0x80045006,
    "SOUND_PCM_READ_FILTER": 0x80045007,
    "SOUND_PCM_WRITE_FILTER": 0xC0045007,
    "SNDCTL_DSP_MAPINBUF": 0x80105013,
    "SNDCTL_DSP_MAPOUTBUF": 0x80105014,
}
RECORDS, PLAYS, MIXER = range(3)


def codes():
    found = dict(OLD_NAMES)
    for line in REFERENCE.read_text().splitlines()[2:]:
        name, value, _ = line.split("\t")
        found[name] = int(value, 16)
    return found


class Row:
    def __init__(self, line, known):
        words = shlex.split(line, posix=False)
        self.name, *argument = words[:-3]
        self.expected = words[-3:]
        self.text = " ".join(words)
        self.code = known[self.name]
        self.bytes = self.code >> 16 & 0x3FFF
        self.takes, self.gives = bool(self.code & 0x40000000), bool(self.code & 0x80000000)
        if argument[0].startswith('"'):
            data = argument[0].strip('"').encode()
        elif argument == ["-"]:
            data = b""
        else:
            data = b"".join(struct.pack("<I", int(word, 0) & 0xFFFFFFFF) for word in argument)
        self.argument = data.ljust(self.bytes, b"\0")


def rows():
    known = codes()
    lines = (line.strip() for line in TABLE.read_text().splitlines())
    return [Row(line, known) for line in lines if line and not line.startswith("#")]


class State:
    """A pair of sides in one of the states of a loop's life."""

    def __init__(self, test, name, server_records):
        self.loop = test.loop(clock="free")
        flags = (os.O_RDONLY, os.O_WRONLY)
        self.facts = {"rate": 48000, "format": 0x10, "channels": 2}
        self.server, self.client = test.pair(self.loop, *(flags if server_records else flags[::-1]))
        self.roles = (RECORDS, PLAYS) if server_records else (PLAYS, RECORDS)
        consumer, producer = (self.server, self.client) if server_records else (self.client, self.server)
        getattr(self, name)(consumer, producer)

    def just_opened(self, consumer, producer):
        pass

    def configured(self, consumer, producer):
        self.facts = {"rate": 44100, "format": 0x8, "channels": 2}
        for agent in (self.server, self.client):
            agent.set_format(agent.fd, 0x8, 2, 44100)

    def running(self, consumer, producer):
        reading = consumer.later("read_bytes", consumer.fd, 8000)
        producer.write_all(producer.fd, bytes(16000))
        reading.result()

    def ended(self, consumer, producer):
        reading = consumer.later("read_to_end", consumer.fd)
        producer.write_all(producer.fd, bytes(8000))
        producer.close(producer.fd)
        reading.result()
        self.reopen(producer)

    def reopen(self, producer):
        server = producer is self.server
        producer.fd = producer.open(f"/dev/oss/oss_audioloop0/{'server' if server else 'pcm'}0", os.O_WRONLY)

    def peer_gone(self, consumer, producer):
        self.running(consumer, producer)
        self.client.close(self.client.fd)
        self.client.fd = None

    def server_gone(self, consumer, producer):
        self.running(consumer, producer)
        self.server.close(self.server.fd)
        self.server.fd = None

    def sides(self):
        """(name, agent, column, audio device)"""
        for device, (name, agent) in enumerate((("client", self.client), ("server", self.server))):
            if agent.fd is not None:
                yield name, agent, self.roles[1 - device], device


STATES = ("just_opened", "configured", "running", "ended", "peer_gone", "server_gone")


class Requests(DrivenTest):
    def assert_row(self, row, column, number, data, facts):
        expected = row.expected[column]
        if expected.startswith("E"):
            self.assertEqual(expected, errno.errorcode.get(number, number), row.text)
            return
        self.assertEqual(0, number, f"{row.text}: {errno.errorcode.get(number, number)}")
        if expected != "ok":
            value = facts[expected] if expected in facts else int(expected, 0)
            layout = "<Q" if row.bytes == 8 else "<I"
            self.assertEqual(value & 0xFFFFFFFF, struct.unpack_from(layout, data)[0] & 0xFFFFFFFF, row.text)

    def walk(self, agent, fd, column, facts):
        table = rows()
        answers = agent.walk(fd, [(row.code, row.argument) for row in table])
        for row, (number, data) in zip(table, answers, strict=True):
            self.assert_row(row, column, number, data, facts)

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
