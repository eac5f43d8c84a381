"""The single calls of an agent."""

import ctypes
import fcntl
import mmap
import os
import resource
import select
import signal
import struct
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


def timespec(seconds):
    return struct.pack("ll", int(seconds), int(seconds % 1 * 1e9))


class PlainCalls:
    def __init__(self):
        self.signals = []

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
                    PlainCalls.ioctl_none(number, code)
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
                PlainCalls.ioctl_at(number, code, address)
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
        return PlainCalls.walk_at(number, [code], address)[0]

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
    def positions_while_writing(number, data, seconds=1):
        """Where it plays, asked again and again while it is fed."""
        os.set_blocking(number, False)
        end, places = time.monotonic() + seconds, []
        while time.monotonic() < end:
            try:
                os.write(number, data)
            except BlockingIOError:
                time.sleep(0.001)
            places.append(PlainCalls.position(number, 0x80905024))
        return places

    @staticmethod
    def poll_again_and_again(number, events, seconds):
        """Never mind what it finds."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            PlainCalls.poll(number, events, 100)

    @staticmethod
    def select(number, seconds):
        """Whether it is ready for reading, and for writing."""
        readable, writable, _ = select.select([number], [number], [], seconds)
        return bool(readable), bool(writable)

    @staticmethod
    def epoll(number, events, milliseconds):
        with select.epoll() as epoll:
            epoll.register(number, events)
            ready = epoll.poll(milliseconds / 1000)
        return ready[0][1] if ready else 0

    @staticmethod
    def select_input(number, seconds):
        return bool(select.select([number], [], [], seconds)[0])

    @staticmethod
    def readiness(number, way, seconds):
        """For what one call of a kind finds it ready: 1 for input, 2 for output, their sum."""
        if way == "select":
            ready = select.select([number], [number], [], seconds)
            return bool(ready[0]) | bool(ready[1]) << 1
        if way == "pselect":
            words = [number // 64 * [0] + [1 << number % 64] + (15 - number // 64) * [0] for _ in range(2)]
            sets = [(ctypes.c_uint64 * 16)(*word) for word in words]
            libc_call("pselect", fd(number + 1), sets[0], sets[1], None, timespec(seconds), None)
            return sum((sets[n][number // 64] >> number % 64 & 1) << n for n in range(2))
        if way == "epoll":
            with select.epoll() as epoll:
                epoll.register(number, select.EPOLLIN | select.EPOLLOUT)
                events = dict(epoll.poll(seconds)).get(number, 0)
        elif way == "ppoll":
            asked = ctypes.create_string_buffer(struct.pack("ihh", number, select.POLLIN | select.POLLOUT, 0))
            libc_call("ppoll", asked, ctypes.c_ulong(1), timespec(seconds), None)
            events = struct.unpack_from("h", asked.raw, 6)[0]
        else:
            events = PlainCalls.poll(number, select.POLLIN | select.POLLOUT, 1000 * seconds)
        return bool(events & select.POLLIN) | bool(events & select.POLLOUT) << 1

    # Signals.
    def handle(self, number, restart):
        signal.signal(number, lambda n, frame: self.signals.append(n))
        signal.siginterrupt(number, not restart)

    @staticmethod
    def handle_nothing():
        """Takes back the one handler that Python begins with."""
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    def handled(self):
        return list(self.signals)

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
