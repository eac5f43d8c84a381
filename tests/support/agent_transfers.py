"""Whole transfers of an agent, so that no round trip to the test comes in between."""

import errno
import mmap
import os
import select
import time

from agent_calls import PlainCalls


class Transfers(PlainCalls):
    def __init__(self):
        super().__init__()
        self.memory = mmap.mmap(-1, 1 << 16)

    @staticmethod
    def persist(number, what, block=8000):
        """Reads or writes for ever, whatever comes back."""
        while True:
            try:
                os.read(number, block) if what == "read" else os.write(number, bytes(block))
            except OSError:
                time.sleep(0.0005)

    @staticmethod
    def set_format(number, code, channels, rate):
        return tuple(
            Transfers.ioctl(number, request, value)
            for request, value in ((0xC0045005, code), (0xC0045006, channels), (0xC0045002, rate))
        )

    @staticmethod
    def write_all(number, data, block=8192):
        """Writes everything: (bytes accepted, errno or None)."""
        accepted = 0
        try:
            while accepted < len(data):
                accepted += os.write(number, data[accepted : accepted + block])
        except OSError as error:
            return accepted, error.errno
        return accepted, None

    @staticmethod
    def play(device, data):
        """Opens, writes everything at once, and closes: (bytes accepted, errno or None)."""
        number = os.open(device, os.O_WRONLY)
        try:
            return Transfers.write_all(number, data)
        finally:
            os.close(number)

    def write_blocks(self, number, blocks, size):
        """Writes the same memory again and again."""
        view = memoryview(self.memory)[:size]
        for _ in range(blocks):
            if os.write(number, view) != size:
                raise OSError(errno.EIO, "a short write")

    def read_blocks(self, number, blocks, size):
        """Reads into the same memory again and again."""
        view = memoryview(self.memory)[:size]
        for _ in range(blocks):
            if os.readv(number, [view]) != size:
                raise OSError(errno.EIO, "a short read")

    @staticmethod
    def read_to_end(number, block=8192):
        """Reads until an error or 0: (data, the sizes of the reads, errno or 0)."""
        blocks, ended = [], 0
        while True:
            try:
                got = os.read(number, block)
            except OSError as error:
                if error.errno == errno.EAGAIN:
                    select.select([number], [], [], 1)
                    continue
                ended = error.errno
                break
            if not got:
                break
            blocks.append(got)
        return b"".join(blocks), [len(got) for got in blocks], ended

    @staticmethod
    def read_next(number):
        """read_to_end of the next stream, however often the last one's end is
        told until it comes."""
        while not (first := os.read(number, 8192)):
            time.sleep(0.001)
        data, sizes, ended = Transfers.read_to_end(number)
        return first + data, [len(first), *sizes], ended

    @staticmethod
    def read_bytes(number, size, block=8192):
        """Reads exactly so many."""
        blocks = []
        while size > 0 and (got := os.read(number, min(block, size))):
            blocks.append(got)
            size -= len(got)
        return b"".join(blocks)

    @staticmethod
    def move_to_end(number, what, block=2048):
        """Reads or writes until an error, whatever it is: its errno."""
        try:
            while os.read(number, block) if what == "read" else os.write(number, bytes(block)):
                pass
        except OSError as error:
            return error.errno
        return 0

    @staticmethod
    def poll_to_end(number, what, milliseconds):
        """The same without blocking, after a poll each time: the errno, or None
        when a poll found nothing."""
        events = select.POLLIN if what == "read" else select.POLLOUT
        os.set_blocking(number, False)
        while Transfers.poll(number, events, milliseconds):
            ended = Transfers.move_to_end(number, what)
            if ended != errno.EAGAIN:
                return ended
        return None

    @staticmethod
    def write_until_refused(number, data=bytes(1024), most=4 << 20):
        """Writes without blocking until not all of a write is taken: how many bytes fitted. (A slow
        program finds room for a frame each time.)"""
        accepted, taken = 0, len(data)
        while accepted < most and taken == len(data):
            try:
                taken = os.write(number, data)
            except BlockingIOError:
                break
            accepted += taken
        return accepted

    @staticmethod
    def read_until_refused(number, size=4096):
        """Reads without blocking until EAGAIN: what there was."""
        got = bytearray()
        while True:
            try:
                got += os.read(number, size)
            except BlockingIOError:
                return bytes(got)

    def marked(self, name, *arguments):
        """The call between two system calls that nothing else makes."""
        os.getppid()
        getattr(self, name)(*arguments)
        os.getppid()
