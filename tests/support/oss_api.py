"""The structures of the OSS API as a test needs them, on top of an agent."""

import struct

# Requests of the mixer.
NRMIX, NREXT, EXTINFO = 0x80045802, 0xC0045803, 0xC0DC5804
MIX_READ, MIX_WRITE, ENUMINFO, DESCRIPTION = 0xC0345805, 0xC0345806, 0xCDC85808, 0xCDC8580E
MIXERINFO, CARDINFO, AUDIOINFO_EX = 0xC470580A, 0xC498580B, 0xC49C580D
LEGACY_INFO, OLD_LEGACY_INFO = 0x805C4D65, 0x80304D65
VOLUME, PCM, IGAIN, RECLEV = 0, 4, 12, 11
DEVMASK, STEREODEVS, RECMASK, RECSRC, CAPS = 254, 251, 253, 255, 252

# Of audio devices.
GETPLAYVOL, SETPLAYVOL, GETRECVOL, SETRECVOL = 0x80045018, 0xC0045018, 0x80045029, 0xC0045029
GETIPEAKS, GETOPEAKS = 0x8100502B, 0x8100502C
SYNCGROUP, SYNCSTART = 0xC048501C, 0x4004501D
GET_CHNORDER, SET_CHNORDER = 0x8008502A, 0xC008502A
SETSONG, GETSONG, SETLABEL, GETLABEL, SETNAME = 0x40405902, 0x80405902, 0x40105904, 0x80105904, 0x40405903

MIXT_DEVROOT, MIXT_GROUP, MIXT_ENUM, MIXT_STEREOPEAK = 0, 1, 3, 10
MIXT_MARKER, MIXT_STEREOSLIDER16, MIXT_MUTE = 12, 20, 21


def read_channel(channel):
    return 0x80044D00 | channel


def write_channel(channel):
    return 0xC0044D00 | channel


def both(level):
    return level | level << 8


def text(data):
    return data.split(b"\0", 1)[0].decode()


class AudioInfo:
    """oss_audioinfo."""

    SIZE = 1180
    LAYOUT = "<i64s6i64s12i32sI20I64s16si32sii"

    def __init__(self, data):
        values = struct.unpack_from(self.LAYOUT, data)
        self.dev, name, self.busy, self.pid, self.caps, self.iformats, self.oformats, _, cmd = values[:9]
        self.card, self.port, self.mixer, self.legacy, self.enabled, self.flags = values[9:15]
        self.min_rate, self.max_rate, self.min_channels, self.max_channels = values[15:19]
        handle, count = values[21:23]
        self.rates = values[23 : 23 + count]
        song, label, self.latency = values[43:46]
        self.next_play, self.next_record = values[47:49]
        self.name, self.cmd, self.handle = text(name), text(cmd), text(handle)
        self.song, self.label = text(song), text(label)
        # As a C program reads it: on into what follows, up to a zero byte.
        start = struct.calcsize("<i64s6i64s12i32sI20I64s16si")
        self.node = text(data[start : start + 40])

    @classmethod
    def of(cls, agent, number, device=-1, request=0xC49C580C):
        return cls(agent.ioctl_bytes(number, request, struct.pack("i", device).ljust(cls.SIZE, b"\0")))


class MixerInfo:
    """oss_mixerinfo."""

    SIZE = 1136
    LAYOUT = "<i16s32siii32s6i32si"

    def __init__(self, data):
        (self.dev, identity, name, self.counter, self.card, self.port, handle, _, self.enabled,
         self.caps, _, self.controls, self.priority, node, self.legacy) = struct.unpack_from(self.LAYOUT, data)
        self.id, self.name, self.handle, self.node = text(identity), text(name), text(handle), text(node)

    @classmethod
    def of(cls, agent, number, device=-1):
        return cls(agent.ioctl_bytes(number, MIXERINFO, struct.pack("i", device).ljust(cls.SIZE, b"\0")))


class Control:
    """oss_mixext, and the value behind it."""

    SIZE = 220
    LAYOUT = "<6i16s3i64s32siI32sii"

    def __init__(self, agent, number, device, control):
        self.agent, self.fd = agent, number
        asked = struct.pack("ii", device, control).ljust(self.SIZE, b"\0")
        data = agent.ioctl_bytes(number, EXTINFO, asked)
        (self.dev, self.ctrl, self.type, self.most, self.least, self.flags, identity, self.parent, _,
         self.timestamp, self.data, self.present, self.channel, _, name, self.counter, self.color) = (
            struct.unpack_from(self.LAYOUT, data))
        self.id, self.name = text(identity), text(name)

    def value_of(self, request, value=0, timestamp=None):
        asked = struct.pack("iiiii", self.dev, self.ctrl, value, 0,
                            self.timestamp if timestamp is None else timestamp).ljust(52, b"\0")
        return struct.unpack_from("i", self.agent.ioctl_bytes(self.fd, request, asked), 8)[0]

    def get(self):
        return self.value_of(MIX_READ)

    def set(self, value):
        return self.value_of(MIX_WRITE, value)

    def names(self, request=ENUMINFO):
        data = self.agent.ioctl_bytes(self.fd, request, struct.pack("ii", self.dev, self.ctrl).ljust(3528, b"\0"))
        count = struct.unpack_from("i", data, 8)[0]
        places = struct.unpack_from(f"{count}h", data, 16)
        return [text(data[16 + 2 * 255 + place :]) for place in places]


def controls(agent, number, device=0):
    """All controls of a mixer, by name."""
    count = agent.ioctl(number, NREXT, device)
    found = [Control(agent, number, device, i) for i in range(count)]
    return {control.name or control.type: control for control in found}


__all__ = [name for name in dir() if not name.startswith("__")]
