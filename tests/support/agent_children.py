"""The processes that an agent makes."""

import ctypes
import fcntl
import mmap
import os
import pickle
import struct
import time

from agent_calls import fd, libc_call
from agent_transfers import Transfers


class Children(Transfers):
    def play_in_child(self, number, code, channels, rate, data):
        """A forked child sets a format on the shared open, plays, and ends
        without a close. Its exit status."""
        child = os.fork()
        if child == 0:
            try:
                self.set_format(number, code, channels, rate)
                os.write(number, data)
                os._exit(0)
            except OSError as error:
                os._exit(error.errno)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    def fork_and(self, name, *arguments):
        """A forked child makes one call and exits: with its errno, or with 0
        and the value pickled in `arguments`' last, a file name."""
        *arguments, answer = arguments
        child = os.fork()
        if child == 0:
            status = 0
            try:
                with open(answer, "wb") as file:
                    pickle.dump(getattr(self, name)(*arguments), file)
            except OSError as error:
                status = error.errno
            finally:
                os._exit(status)
        return child

    @staticmethod
    def spawn(words, close_fds=False):
        """fork and exec, descriptors inherited as their flags say."""
        child = os.fork()
        if child == 0:
            try:
                os.execvp(words[0], words)
            finally:
                os._exit(127)
        return child

    @staticmethod
    def become(words):
        os.execvp(words[0], words)

    @staticmethod
    def reap(child):
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    # One round of the kill tests, in a child of its own.
    @staticmethod
    def fork_player(device, journal, block_bytes, seed, rate_hz):
        """A child that plays numbered frames until it is killed. Journal: u32
        stage (1 opened, 2 about to write), u32 accepted frames."""
        child = os.fork()
        if child == 0:
            try:
                with open(journal, "r+b") as file:
                    memory = mmap.mmap(file.fileno(), 8)
                number = os.open(device, os.O_WRONLY)
                fcntl.ioctl(number, 0xC0045002, struct.pack("i", rate_hz))  # SNDCTL_DSP_SPEED
                memory[0:4] = struct.pack("<I", 1)
                accepted = 0
                while True:
                    size = block_bytes + (accepted * 40503 + seed) % block_bytes // 4 * 4
                    frames = range(accepted + 1, accepted + 1 + size // 4)
                    data = struct.pack(f"<{len(frames)}I", *frames)
                    memory[0:4] = struct.pack("<I", 2)
                    offset = 0
                    while offset < len(data):
                        offset += os.write(number, data[offset:])
                        memory[4:8] = struct.pack("<I", accepted + offset // 4)
                    accepted += len(frames)
            except OSError as error:
                os._exit(error.errno)
        return child

    @staticmethod
    def fork_recorder(device, journal):
        """A child that reads until it is killed and checks that each frame
        follows the one before. Journal: u32 stage (1 opened, 2 about to read),
        u32 frames, u32 frames out of order."""
        child = os.fork()
        if child == 0:
            try:
                with open(journal, "r+b") as file:
                    memory = mmap.mmap(file.fileno(), 12)
                number = os.open(device, os.O_RDONLY)
                memory[0:4] = struct.pack("<I", 1)
                frames, wrong, expected = 0, 0, None
                memory[0:4] = struct.pack("<I", 2)
                while True:
                    data = os.read(number, 4096)
                    values = struct.unpack(f"<{len(data) // 4}I", data)
                    for value in values:
                        if expected is not None and value != expected:
                            wrong += 1
                        expected = (value + 1) & 0xFFFFFFFF
                    frames += len(values)
                    memory[4:12] = struct.pack("<II", frames, wrong)
            except OSError as error:
                os._exit(error.errno)
        return child

    @staticmethod
    def write_numbers(number, first, stop_at, most_seconds):
        """Writes numbered frames until an error: (next number, errno)."""
        value = first
        deadline = time.monotonic() + most_seconds
        try:
            while time.monotonic() < deadline and value < stop_at:
                data = struct.pack("<256I", *range(value, value + 256))
                value += libc_call("write", fd(number), data, ctypes.c_size_t(len(data))) // 4
        except OSError as error:
            return value, error.errno
        return value, None
