"""An OSS program that does exactly what it is told: the other end of the loop.

    partner.py play   DEVICE FORMAT CHANNELS RATE FILE
    partner.py record DEVICE FORMAT CHANNELS RATE FILE [FRAMES]

FILE is raw sound. `record` goes on until the stream ends, or until it has
FRAMES. The last line on standard output is a report in JSON.
"""

import errno
import fcntl
import json
import os
import struct
import sys
import time

from sound import FORMATS

SETFMT, CHANNELS, SPEED = 0xC0045005, 0xC0045006, 0xC0045002
BLOCK_BYTES = 16384


def setting(fd, request, value):
    (answer,) = struct.unpack("i", fcntl.ioctl(fd, request, struct.pack("i", value)))
    if answer != value:
        sys.exit(f"asked {request:#x} for {value}, the device says {answer}")


def play(fd, path):
    with open(path, "rb") as file:
        data = memoryview(file.read())
    accepted, ended = 0, None
    start = time.monotonic()
    while accepted < len(data):
        try:
            accepted += os.write(fd, data[accepted : accepted + BLOCK_BYTES])
        except ConnectionResetError:
            ended = errno.ECONNRESET
            break
    os.close(fd)
    return {"bytes": accepted, "seconds": time.monotonic() - start, "errno": ended}


def record(fd, path, limit_bytes):
    got, ended, first, last = 0, None, None, None
    with open(path, "wb") as file:
        while limit_bytes is None or got < limit_bytes:
            wanted = BLOCK_BYTES if limit_bytes is None else min(BLOCK_BYTES, limit_bytes - got)
            try:
                data = os.read(fd, wanted)
            except ConnectionResetError:
                ended = errno.ECONNRESET
                break
            if not data:
                ended = 0
                break
            last = time.monotonic()
            first = first or last
            got += file.write(data)
    os.close(fd)
    return {"bytes": got, "seconds": (last - first) if got else 0, "errno": ended}


def main():
    role, device, format_name, channels, rate, path, *rest = sys.argv[1:]
    code, sample_bytes = FORMATS[format_name]
    fd = os.open(device, os.O_WRONLY if role == "play" else os.O_RDONLY)
    setting(fd, SETFMT, code)
    setting(fd, CHANNELS, int(channels))
    setting(fd, SPEED, int(rate))
    if role == "play":
        report = play(fd, path)
    else:
        limit = int(rest[0]) * int(channels) * sample_bytes if rest else None
        report = record(fd, path, limit)
    print(json.dumps(report))


main()
