"""A PNG file of 8-bit RGB or with a palette, as pixels."""

import struct
import zlib


class Png:
    def __init__(self, data):
        if data[:8] != b"\x89PNG\r\n\x1a\n":
            raise ValueError("no PNG")
        self.width, self.height, *kind = struct.unpack(">IIBBBBB", data[16:29])
        if kind not in ([8, 2, 0, 0, 0], [8, 3, 0, 0, 0]):
            raise ValueError(f"neither 8-bit RGB nor indexed: {kind}")
        self.samples = 3 if kind[1] == 2 else 1
        compressed, self.palette, at = b"", None, 8
        while at < len(data):
            length, name = struct.unpack(">I4s", data[at : at + 8])
            body = data[at + 8 : at + 8 + length]
            if struct.unpack(">I", data[at + 8 + length : at + 12 + length])[0] != zlib.crc32(name + body):
                raise ValueError(f"bad sum of {name}")
            compressed += body if name == b"IDAT" else b""
            self.palette = body if name == b"PLTE" else self.palette
            at += 12 + length
        if name != b"IEND":
            raise ValueError("no end")
        self.rows = self._rows(zlib.decompress(compressed))

    def _rows(self, data):
        stride = self.samples * self.width
        rows, before = [], bytearray(stride)
        for y in range(self.height):
            line = data[y * (stride + 1) : (y + 1) * (stride + 1)]
            before = undo(line[0], bytearray(line[1:]), before, self.samples)
            rows.append(before)
        return rows

    def at(self, x, y):
        data, at = (self.rows[y], x) if self.samples == 3 else (self.palette, self.rows[y][x])
        return tuple(data[3 * at : 3 * at + 3])

    def light(self, x, y):
        red, green, blue = self.at(x, y)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def undo(kind, line, above, samples):
    """A filtered line."""
    for i in range(len(line) if kind else 0):
        left = line[i - samples] if i >= samples else 0
        corner = above[i - samples] if i >= samples else 0
        if kind == 1:
            guess = left
        elif kind == 2:
            guess = above[i]
        elif kind == 3:
            guess = (left + above[i]) // 2
        else:
            guess = min((abs(above[i] - corner), 0, left), (abs(left - corner), 1, above[i]),
                        (abs(left + above[i] - 2 * corner), 2, corner))[2]
        line[i] = (line[i] + guess) & 0xFF
    return line
