"""Programs that wait for a device in the ways of an event loop.

    waiter.py WAY DEVICE [argument]

Each prints "ready" when its device is open and a report in JSON at its end.
"""

import asyncio
import fcntl
import json
import os
import select
import signal
import struct
import sys
import time

GETISPACE, LOW_WATER, SETFRAGMENT, HALT = 0x8010500D, 0x40045022, 0xC004500A, 0x5000
FRAGMENT = 2048  # bytes: 10.7 ms
F_SETSIG = 10


def open_device(path, flags):
    fd = os.open(path, flags | os.O_NONBLOCK)
    fcntl.ioctl(fd, SETFRAGMENT, struct.pack("i", 0x7FFF000B))
    return fd


def ready():
    print("ready", flush=True)


def free_bytes(fd, request):
    return struct.unpack("4i", fcntl.ioctl(fd, request, bytes(16)))[3]


def pattern(frames):
    return b"".join((index * 40503 & 0xFFFFFFFF).to_bytes(4, "little") for index in range(frames))


class Recording:
    """Reads what is there; `ended` when the stream has."""

    def __init__(self, fd):
        self.fd, self.data, self.ended, self.empty_reads = fd, b"", False, 0

    def read(self, size):
        try:
            got = os.read(self.fd, size)
        except BlockingIOError:
            self.empty_reads += 1
            return False
        except ConnectionResetError:
            got = b""
        self.ended = not got
        self.data += got
        return bool(got)

    def report(self, **more):
        whole = self.data == pattern(len(self.data) // 4)
        return {"bytes": len(self.data), "whole": whole, "empty_reads": self.empty_reads, **more}


def epoll_level(path):
    recording = Recording(open_device(path, os.O_RDONLY))
    epoll = select.epoll()
    epoll.register(recording.fd, select.EPOLLIN)
    ready()
    waits = 0
    while not recording.ended:
        events = epoll.poll(5)
        assert events == [(recording.fd, select.EPOLLIN)], events
        waits += 1
        recording.read(1 << 16)
    return recording.report(waits=waits)


def epoll_after_halt(path):
    """Stops what the registration has started: the next wait starts it again."""
    recording = Recording(open_device(path, os.O_RDONLY))
    epoll = select.epoll()
    epoll.register(recording.fd, select.EPOLLIN)
    fcntl.ioctl(recording.fd, HALT)
    time.sleep(0.2)
    ready()
    while not recording.ended:
        assert epoll.poll(5)
        recording.read(1 << 16)
    return recording.report()


def epoll_edge(path):
    """Does not drain the first fragments: each further one has to be an edge."""
    recording = Recording(open_device(path, os.O_RDONLY))
    epoll = select.epoll()
    epoll.register(recording.fd, select.EPOLLIN | select.EPOLLET)
    ready()
    edges, undrained = 0, 0
    while not recording.ended:
        assert epoll.poll(5), f"no edge after {edges}"
        edges += 1
        if edges <= 8:
            recording.read(4)
            undrained += 1
            continue
        while recording.read(1 << 16):
            pass
    return recording.report(edges=edges, undrained=undrained)


def epoll_oneshot(path):
    recording = Recording(open_device(path, os.O_RDONLY))
    epoll = select.epoll()
    epoll.register(recording.fd, select.EPOLLIN | select.EPOLLONESHOT)
    ready()
    assert epoll.poll(5)
    again = epoll.poll(0.1)
    while not recording.ended:
        epoll.modify(recording.fd, select.EPOLLIN | select.EPOLLONESHOT)
        assert epoll.poll(5)
        recording.read(1 << 16)
    return recording.report(again=len(again))


def epoll_turning(path, other):
    """A client for both ways whose server goes, and comes back the other way round."""
    server = os.open(other, os.O_RDONLY)
    client = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    epoll = select.epoll()
    epoll.register(client, select.EPOLLIN | select.EPOLLOUT)
    seen = [epoll.poll(2)]
    os.close(server)
    server = os.open(other, os.O_WRONLY)
    deadline = time.monotonic() + 5
    child = os.fork()
    if child == 0:
        time.sleep(0.3)
        os.write(server, bytes(40000))
        time.sleep(2)
        os._exit(0)
    os.close(server)
    data = b""
    while not data and time.monotonic() < deadline:
        for _, events in epoll.poll(3):
            seen.append([(client, events)])
            if events & select.EPOLLIN:
                data = os.read(client, 4096)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return {"first": seen[0][0][1], "last": seen[-1][0][1], "bytes": len(data)}


def poll_many(path):
    """One device under a hundred numbers, none of them readable by a player."""
    fd = open_device(path, os.O_WRONLY)
    poll = select.poll()
    numbers = [fd] + [os.dup(fd) for _ in range(99)]
    for number in numbers:
        poll.register(number, select.POLLIN)
    blocked = len(poll.poll(50))
    for number in numbers:
        poll.modify(number, select.POLLIN | select.POLLOUT)
    events = poll.poll(1000)
    return {"blocked": blocked, "ready": len(events), "events": sorted({event for _, event in events})}


def low_water(path, size):
    recording = Recording(open_device(path, os.O_RDONLY))
    size = int(size)
    fcntl.ioctl(recording.fd, LOW_WATER, struct.pack("i", size))
    ready()
    least = 1 << 30
    while not recording.ended and len(recording.data) < 5 * size:
        assert select.select([recording.fd], [], [], 5)[0]
        least = min(least, free_bytes(recording.fd, GETISPACE))
        while recording.read(1 << 16):
            pass
    return recording.report(least=least)


def sigio(path):
    """Reads in answer to a signal, and to nothing else."""
    recording = Recording(open_device(path, os.O_RDONLY))
    signals = 0
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    fcntl.fcntl(recording.fd, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(recording.fd, F_SETSIG, signal.SIGUSR1)
    flags = fcntl.fcntl(recording.fd, fcntl.F_GETFL)
    fcntl.fcntl(recording.fd, fcntl.F_SETFL, flags | os.O_ASYNC)
    assert fcntl.fcntl(recording.fd, fcntl.F_GETFL) & os.O_ASYNC
    ready()
    while not recording.ended:
        assert signal.sigtimedwait([signal.SIGUSR1], 5), f"no signal after {signals}"
        signals += 1
        while recording.read(1 << 16):
            pass
    return recording.report(signals=signals)


def asyncio_reader(path):
    recording = Recording(open_device(path, os.O_RDONLY))

    async def record():
        loop, done = asyncio.get_running_loop(), asyncio.Event()

        def readable():
            recording.read(1 << 16)
            if recording.ended:
                loop.remove_reader(recording.fd)
                done.set()

        loop.add_reader(recording.fd, readable)
        ready()
        await asyncio.wait_for(done.wait(), 10)

    asyncio.run(record())
    return recording.report()


def asyncio_writer(path, frames):
    fd = open_device(path, os.O_WRONLY)
    left = pattern(int(frames))
    calls = 0

    async def play():
        loop, done = asyncio.get_running_loop(), asyncio.Event()

        def writable():
            nonlocal left, calls
            calls += 1
            try:
                left = left[os.write(fd, left[: 1 << 16]) :]
            except BlockingIOError:
                pass
            if not left:
                loop.remove_writer(fd)
                done.set()

        loop.add_writer(fd, writable)
        await asyncio.wait_for(done.wait(), 10)

    asyncio.run(play())
    os.close(fd)
    return {"calls": calls}


print(json.dumps(globals()[sys.argv[1]](*sys.argv[2:])))
