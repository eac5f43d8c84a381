"""Test material, WAV files, and how two recordings are compared.

A Sound is 16-bit stereo (or any other channel count) in memory; the same
arguments always make the same samples, so a test can make its sound twice.
"""

import array
import math
import random
import struct
import sys
import wave
from dataclasses import dataclass

# OSS names of sample formats: code, bytes of one sample.
FORMATS = {
    "MU_LAW": (0x1, 1),
    "A_LAW": (0x2, 1),
    "U8": (0x8, 1),
    "S16_LE": (0x10, 2),
    "S16_BE": (0x20, 2),
    "S8": (0x40, 1),
    "U16_LE": (0x80, 2),
    "U16_BE": (0x100, 2),
    "S32_LE": (0x1000, 4),
    "S32_BE": (0x2000, 4),
    "FLOAT": (0x4000, 4),
    "S24_LE": (0x8000, 4),
    "S24_BE": (0x10000, 4),
    "S24_PACKED": (0x40000, 3),
}


@dataclass
class Sound:
    rate: int
    channels: int
    samples: array.array  # of 'h', interleaved

    @property
    def frames(self):
        return len(self.samples) // self.channels

    @property
    def seconds(self):
        return self.frames / self.rate

    def head(self, frames):
        return Sound(self.rate, self.channels, self.samples[: frames * self.channels])

    def tail(self, first_frame):
        return Sound(self.rate, self.channels, self.samples[first_frame * self.channels :])

    def channel(self, number):
        return Sound(self.rate, 1, self.samples[number :: self.channels])

    def bytes(self):
        """As S16_LE, the way it goes through the loop."""
        return little_endian(self.samples).tobytes()

    def __add__(self, other):
        return Sound(self.rate, self.channels, self.samples + other.samples)


def little_endian(samples):
    if sys.byteorder == "big":
        samples = samples[:]
        samples.byteswap()
    return samples


def from_bytes(data, rate=48000, channels=2):
    """S16_LE bytes as a Sound; a last frame that is not whole is an error."""
    if len(data) % (2 * channels):
        raise ValueError(f"{len(data)} bytes are no whole number of {channels}-channel frames")
    samples = array.array("h")
    samples.frombytes(data)
    return Sound(rate, channels, little_endian(samples))


def count(frames, rate=48000):
    """Stereo in which every frame carries its own number, so loss, repetition
    and order show at once. Frame 0 is not silence."""
    return from_bytes(b"".join(struct.pack("<I", n + 1) for n in range(frames)), rate)


def numbers(data):
    """The frame numbers in the bytes of count(): 0 for the first frame."""
    whole = len(data) // 4 * 4
    return [n - 1 for (n,) in struct.iter_unpack("<I", data[:whole])]


def noise(frames, rate=48000, channels=2, seed=1):
    """White noise of full range: no two blocks are alike, every bit is used."""
    return from_bytes(random.Random(seed).randbytes(frames * channels * 2), rate, channels)


def silence(frames, rate=48000, channels=2):
    return from_bytes(bytes(frames * channels * 2), rate, channels)


def tone_at(seconds, length, hz, amplitude=0.8, fade=0.05):
    """One point of a faded sine, so that a converted sound can be computed at
    any rate and compared. The fade keeps its band narrow."""
    edge = min(seconds, length - seconds, fade)
    if edge < 0:
        return 0.0
    gain = 0.5 - 0.5 * math.cos(math.pi * edge / fade)
    return amplitude * gain * math.sin(2 * math.pi * hz * seconds)


def tone(seconds, rate=48000, channels=2, hz=(997.0, 1499.0), frames=None):
    """A faded sine, another pitch in each channel."""
    frames = round(seconds * rate) if frames is None else frames
    by_channel = []
    for channel in range(channels):
        pitch = hz[channel % len(hz)]
        by_channel.append([round(32767 * tone_at(n / rate, seconds, pitch)) for n in range(frames)])
    samples = array.array("h", [0]) * (frames * channels)
    for channel, values in enumerate(by_channel):
        samples[channel::channels] = array.array("h", values)
    return Sound(rate, channels, samples)


def encode(samples, format_name):
    """16-bit values in another sample format, exactly: wider formats get zeros
    below, narrower ones must be able to hold the value."""
    if format_name == "S16_LE":
        return little_endian(samples).tobytes()
    if format_name == "S16_BE":
        return struct.pack(f">{len(samples)}h", *samples)
    if format_name == "U16_LE":
        return struct.pack(f"<{len(samples)}H", *(s + 32768 for s in samples))
    if format_name == "U16_BE":
        return struct.pack(f">{len(samples)}H", *(s + 32768 for s in samples))
    if format_name == "S32_LE":
        return struct.pack(f"<{len(samples)}i", *(s << 16 for s in samples))
    if format_name == "S32_BE":
        return struct.pack(f">{len(samples)}i", *(s << 16 for s in samples))
    if format_name == "S24_LE":
        return struct.pack(f"<{len(samples)}i", *(s << 8 for s in samples))
    if format_name == "S24_BE":
        return struct.pack(f">{len(samples)}i", *(s << 8 for s in samples))
    if format_name == "S24_PACKED":
        return b"".join(struct.pack("<i", s << 8)[:3] for s in samples)
    if format_name == "FLOAT":
        return struct.pack(f"={len(samples)}f", *(s / 32768 for s in samples))
    if format_name == "S8":
        return struct.pack(f"{len(samples)}b", *(s >> 8 for s in samples))
    if format_name == "U8":
        return bytes((s >> 8) + 128 for s in samples)
    if format_name in ("MU_LAW", "A_LAW"):
        table = {value: code for code, value in enumerate(g711_table(format_name))}
        return bytes(table[s] for s in samples)
    raise ValueError(format_name)


def g711_table(format_name):
    """The 256 linear values of ITU-T G.711, as 16 bit."""
    if format_name == "MU_LAW":
        return [_mu_law(code) for code in range(256)]
    return [_a_law(code) for code in range(256)]


def _mu_law(code):
    code = ~code & 0xFF
    magnitude = (((code & 0x0F) << 3) + 0x84 << ((code & 0x70) >> 4)) - 0x84
    return -magnitude if code & 0x80 else magnitude


def _a_law(code):
    code ^= 0x55
    magnitude = (code & 0x0F) << 4
    segment = (code & 0x70) >> 4
    magnitude += 8 if segment == 0 else 0x108
    if segment > 1:
        magnitude <<= segment - 1
    return magnitude if code & 0x80 else -magnitude


def write_wav(path, sound):
    with wave.open(str(path), "wb") as file:
        file.setnchannels(sound.channels)
        file.setsampwidth(2)
        file.setframerate(sound.rate)
        file.writeframes(sound.bytes())
    return path


def read_wav(path):
    """A 16-bit WAV file. Raises ValueError when its header and its size do not
    agree: the program that wrote it did not finish it."""
    data = path.read_bytes()
    if len(data) < 12 or data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise ValueError(f"{path} is no WAV file: begins with {data[:12]!r}")
    (riff_bytes,) = struct.unpack_from("<I", data, 4)
    if riff_bytes + 8 not in (len(data), len(data) - 1):
        raise ValueError(f"{path}: header says {riff_bytes + 8} bytes, file has {len(data)}")
    rate = channels = None
    at = 12
    while at + 8 <= len(data):
        name, size = data[at : at + 4], struct.unpack_from("<I", data, at + 4)[0]
        at += 8
        if name == b"fmt ":
            tag, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", data, at)
            if tag not in (1, 0xFFFE) or bits != 16:
                raise ValueError(f"{path}: format {tag:#x} with {bits} bits")
        if name == b"data":
            if at + size > len(data):
                raise ValueError(f"{path}: header says {size} bytes of sound, {len(data) - at} follow")
            return from_bytes(data[at : at + size], rate, channels)
        at += size + size % 2
    raise ValueError(f"{path} has no sound in it")


@dataclass
class Comparison:
    sent: Sound
    got: Sound

    @property
    def identical(self):
        return self._same_kind() and self.sent.samples == self.got.samples

    def _same_kind(self):
        return (self.sent.rate, self.sent.channels) == (self.got.rate, self.got.channels)

    @property
    def first_difference(self):
        """The first frame that is not the same, or None."""
        if self.identical:
            return None
        shorter = min(len(self.sent.samples), len(self.got.samples))
        for index in range(shorter):
            if self.sent.samples[index] != self.got.samples[index]:
                return index // self.sent.channels
        return shorter // self.sent.channels

    @property
    def snr_db(self):
        """How far the difference lies below the sound; what is missing or too
        much counts as difference."""
        shorter = min(len(self.sent.samples), len(self.got.samples))
        signal = sum(s * s for s in self.sent.samples)
        error = sum(
            (s - g) ** 2 for s, g in zip(self.sent.samples[:shorter], self.got.samples[:shorter])
        )
        error += sum(s * s for s in self.sent.samples[shorter:])
        error += sum(g * g for g in self.got.samples[shorter:])
        if error == 0:
            return math.inf
        if signal == 0:
            return -math.inf
        return 10 * math.log10(signal / error)

    def __str__(self):
        if self.identical:
            return f"identical, {self.sent.frames} frames"
        parts = []
        if not self._same_kind():
            parts.append(
                f"sent {self.sent.rate} Hz {self.sent.channels} ch, "
                f"got {self.got.rate} Hz {self.got.channels} ch"
            )
        parts.append(f"sent {self.sent.frames} frames, got {self.got.frames}")
        if self.sent.channels == self.got.channels:
            first = self.first_difference
            parts.append(f"first difference at frame {first}")
            parts.append(f"SNR {self.snr_db:.1f} dB")
            channels = self.sent.channels
            window = slice(max(0, first - 1) * channels, (first + 3) * channels)
            parts.append(f"sent {list(self.sent.samples[window])}")
            parts.append(f"got {list(self.got.samples[window])} from frame {max(0, first - 1)}")
        leading = next((i for i, s in enumerate(self.got.samples) if s), len(self.got.samples))
        if leading >= self.got.channels:
            parts.append(f"{leading // self.got.channels} frames of silence before the first sound")
        return "; ".join(parts)


def compare(sent, got):
    return Comparison(sent, got)


def part_like(sent, got, loud=4000):
    """The part of a recording that begins where a sound is heard in it, and is as long:
    for sounds that begin quietly and arrive late and a little changed."""
    channels, window = sent.channels, 400

    def first_loud(samples):
        return next((n // channels for n, s in enumerate(samples) if abs(s) > loud), 0)

    heard = first_loud(sent.samples)
    near = first_loud(got.samples) - heard
    probe = sent.samples[heard * channels : (heard + window) * channels]

    def error(start):
        at = (start + heard) * channels
        return sum((s - g) ** 2 for s, g in zip(probe, got.samples[at : at + len(probe)]))

    best = min(range(max(0, near - 16), max(0, near) + 17), key=error)
    return got.tail(best).head(sent.frames)
