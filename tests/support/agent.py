"""A preloaded process that makes one call at a time, as a test tells it.

The test writes pickled (name, arguments) to standard input and reads pickled
(kind, value, start, end) from standard output, where kind is "value" or "errno"
and the call began and returned at these times of CLOCK_MONOTONIC, measured here.
An event counter, whose descriptor is the argument, counts the calls that have begun.
"""

import ctypes
import errno
import fcntl
import mmap
import os
import pickle
import resource
import select
import signal
import struct
import sys
import time

libc = ctypes.CDLL(None, use_errno=True)


def libc_call(name, *arguments):
    """A call with nothing of Python's in between: it is not repeated on EINTR."""
    function = getattr(libc, name)
    function.restype = ctypes.c_ssize_t if name in ("read", "write") else ctypes.c_int
    result = function(*arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), name)
    return result


def fd(number):
    return ctypes.c_int(number)


class Calls:
    """What a test may ask for."""

    def __init__(self):
        self.signals = []
        self.memory = mmap.mmap(-1, 1 << 16)

    # Plain calls.
    open = staticmethod(lambda path, flags: os.open(path, flags))
    close = staticmethod(os.close)
    read = staticmethod(os.read)
    write = staticmethod(os.write)
    dup = staticmethod(os.dup)
    dup2 = staticmethod(os.dup2)
    set_inheritable = staticmethod(os.set_inheritable)
    set_blocking = staticmethod(os.set_blocking)
    exists = staticmethod(os.path.exists)
    stat = staticmethod(os.stat)
    fstat = staticmethod(os.fstat)
    lseek = staticmethod(os.lseek)
    flags = staticmethod(lambda number: fcntl.fcntl(number, fcntl.F_GETFL))

    @staticmethod
    def ioctl(number, request, value=0):
        """An ioctl with an int in and out."""
        return struct.unpack("i", fcntl.ioctl(number, request, struct.pack("i", value)))[0]

    @staticmethod
    def ioctl_bytes(number, request, argument):
        """An ioctl with a structure in and out."""
        argument = bytearray(argument)
        fcntl.ioctl(number, request, argument)
        return bytes(argument)

    @staticmethod
    def ioctl_none(number, request):
        return libc_call("ioctl", fd(number), ctypes.c_ulong(request), ctypes.c_void_p(None))

    @staticmethod
    def ioctl_at(number, request, address):
        """An ioctl whose argument is an address, wild or not."""
        return libc_call("ioctl", fd(number), ctypes.c_ulong(request), ctypes.c_void_p(address))

    @staticmethod
    def positions(numbers, request=0x80905024):
        """Frames moved by each descriptor, asked one right after the other."""
        answers = [bytearray(144) for _ in numbers]
        for number, answer in zip(numbers, answers):
            fcntl.ioctl(number, request, answer)
        return [struct.unpack_from("<q", answer)[0] for answer in answers]

    @staticmethod
    def position(number, request):
        """Frames moved, and the times before and after: the closest of several looks."""
        looks = []
        for _ in range(20):
            answer, before = bytearray(144), time.monotonic()
            fcntl.ioctl(number, request, answer)
            looks.append((before, struct.unpack_from("<q", answer)[0], time.monotonic()))
        return min(looks, key=lambda look: look[2] - look[0])

    @staticmethod
    def walk(number, requests):
        """Each (code, argument) in turn: (errno or 0, the argument afterwards)."""
        answers = []
        for code, argument in requests:
            data = bytearray(argument)
            try:
                if data:
                    fcntl.ioctl(number, code, data)
                else:
                    Calls.ioctl_none(number, code)
                answers.append((0, bytes(data)))
            except OSError as error:
                answers.append((error.errno, bytes(data)))
        return answers

    @staticmethod
    def walk_at(number, codes, address):
        """The errno, or 0, of each request with its argument at an address."""
        answers = []
        for code in codes:
            try:
                Calls.ioctl_at(number, code, address)
                answers.append(0)
            except OSError as error:
                answers.append(error.errno)
        return answers

    @staticmethod
    def map_page_and_hole():
        """The address of a fresh page with nothing behind it."""
        libc.mmap.restype = ctypes.c_void_p
        address = libc.mmap(None, ctypes.c_size_t(2 * mmap.PAGESIZE), mmap.PROT_READ | mmap.PROT_WRITE,
                            mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, -1, ctypes.c_long(0))
        libc.munmap(ctypes.c_void_p(address + mmap.PAGESIZE), ctypes.c_size_t(mmap.PAGESIZE))
        return address

    @staticmethod
    def ioctl_bytes_at(number, code, argument, address):
        """The errno, or 0, with the argument put at the address."""
        ctypes.memmove(address, argument, len(argument))
        return Calls.walk_at(number, [code], address)[0]

    @staticmethod
    def read_at(number, address, size):
        return libc_call("read", fd(number), ctypes.c_void_p(address), ctypes.c_size_t(size))

    @staticmethod
    def write_at(number, address, size):
        return libc_call("write", fd(number), ctypes.c_void_p(address), ctypes.c_size_t(size))

    @staticmethod
    def map_page(protection):
        """The address of a fresh page."""
        function = libc.mmap
        function.restype = ctypes.c_void_p
        return function(None, ctypes.c_size_t(mmap.PAGESIZE), protection,
                        mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, -1, ctypes.c_long(0))

    @staticmethod
    def libc_read(number, size):
        buffer = ctypes.create_string_buffer(size)
        got = libc_call("read", fd(number), buffer, ctypes.c_size_t(size))
        return buffer.raw[:got]

    @staticmethod
    def libc_write(number, data):
        return libc_call("write", fd(number), data, ctypes.c_size_t(len(data)))

    @staticmethod
    def poll(number, events, milliseconds):
        poll = select.poll()
        poll.register(number, events)
        ready = poll.poll(milliseconds)
        return ready[0][1] if ready else 0

    @staticmethod
    def select(number, seconds):
        """Whether it is ready for reading, and for writing."""
        readable, writable, _ = select.select([number], [number], [], seconds)
        return bool(readable), bool(writable)

    @staticmethod
    def select_input(number, seconds):
        return bool(select.select([number], [], [], seconds)[0])

    # Signals.
    def handle(self, number, restart):
        signal.signal(number, lambda n, frame: self.signals.append(n))
        signal.siginterrupt(number, not restart)

    def handled(self):
        return list(self.signals)

    @staticmethod
    def persist(number, what, block=8000):
        """Reads or writes for ever, whatever comes back."""
        while True:
            try:
                os.read(number, block) if what == "read" else os.write(number, bytes(block))
            except OSError:
                time.sleep(0.0005)

    @staticmethod
    def play_in_child(number, code, channels, rate, data):
        """A forked child sets a format on the shared open, plays, and ends
        without a close. Its exit status."""
        child = os.fork()
        if child == 0:
            try:
                Calls.set_format(number, code, channels, rate)
                os.write(number, data)
                os._exit(0)
            except OSError as error:
                os._exit(error.errno)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    # Whole transfers, so that no round trip to the test comes in between.
    @staticmethod
    def set_format(number, code, channels, rate):
        return tuple(
            Calls.ioctl(number, request, value)
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
            return Calls.write_all(number, data)
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

    def marked(self, name, *arguments):
        """The call between two system calls that nothing else makes."""
        os.getppid()
        getattr(self, name)(*arguments)
        os.getppid()

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
        data, sizes, ended = Calls.read_to_end(number)
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
        while Calls.poll(number, events, milliseconds):
            ended = Calls.move_to_end(number, what)
            if ended != errno.EAGAIN:
                return ended
        return None

    @staticmethod
    def write_until_refused(number, data=bytes(1024), most=4 << 20):
        """Writes without blocking until EAGAIN: how many bytes fitted."""
        accepted = 0
        while accepted < most:
            try:
                accepted += os.write(number, data)
            except BlockingIOError:
                break
        return accepted

    # Processes.
    @staticmethod
    def fork_and(name, *arguments):
        """A forked child makes one call and exits: with its errno, or with 0
        and the value pickled in `arguments`' last, a file name."""
        *arguments, answer = arguments
        child = os.fork()
        if child == 0:
            status = 0
            try:
                with open(answer, "wb") as file:
                    pickle.dump(getattr(Calls(), name)(*arguments), file)
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

    @staticmethod
    def limit(name, value):
        """setrlimit, for good."""
        resource.setrlimit(getattr(resource, name), (value, value))

    @staticmethod
    def nap(seconds):
        time.sleep(seconds)

    @staticmethod
    def now():
        return time.monotonic()


def main():
    # The descriptors of the conversation move up: low numbers are the test's.
    commands = os.fdopen(fcntl.fcntl(0, fcntl.F_DUPFD_CLOEXEC, 200), "rb")
    answers = os.fdopen(fcntl.fcntl(1, fcntl.F_DUPFD_CLOEXEC, 200), "wb")
    begun = fcntl.fcntl(int(sys.argv[1]), fcntl.F_DUPFD_CLOEXEC, 200)
    os.close(int(sys.argv[1]))
    null = os.open("/dev/null", os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    if null > 2:
        os.close(null)
    calls = Calls()
    while True:
        try:
            name, arguments = pickle.load(commands)
        except EOFError:
            break
        os.eventfd_write(begun, 1)
        start = time.monotonic()
        try:
            kind, value = "value", getattr(calls, name)(*arguments)
        except OSError as error:
            kind, value = "errno", error.errno
        pickle.dump((kind, value, start, time.monotonic()), answers)
        answers.flush()


main()
