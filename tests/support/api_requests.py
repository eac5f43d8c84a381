"""The requests of the OSS API, each with what it gives, as api_table.txt lists them; and
the states of a loop's life in which a test sends them."""

import errno
import os
import pathlib
import shlex
import struct

from driven import DrivenTest

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
    # Ours.
    "OSSLOOP_DSP_LOOK": 0xC0305078,
    "OSSLOOP_DSP_BUFFER": 0xC0085079,
    "OSSLOOP_DSP_PAUSE": 0x4004507A,
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


class RequestsTest(DrivenTest):
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
