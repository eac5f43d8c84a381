"""A PCM of ALSA as a program has it, by libasound itself: for programs of a test that do what
no player does. Errors are OSError."""

import ctypes
import os
import sys

PLAYBACK, CAPTURE = 0, 1
FORMATS = {"S8": 0, "U8": 1, "S16_LE": 2, "S16_BE": 3, "U16_LE": 4, "U16_BE": 5, "S24_LE": 6, "S24_BE": 7, "S32_LE": 10,
           "S32_BE": 11, "FLOAT": 14, "MU_LAW": 20, "A_LAW": 21, "S24_PACKED": 32}
STATES = ("OPEN", "SETUP", "PREPARED", "RUNNING", "XRUN", "DRAINING", "PAUSED", "SUSPENDED", "DISCONNECTED")

asound = ctypes.CDLL("libasound.so.2")
for function in ("snd_pcm_writei", "snd_pcm_readi", "snd_pcm_avail", "snd_pcm_avail_update"):
    getattr(asound, function).restype = ctypes.c_long


def call(name, *words):
    result = getattr(asound, name)(*words)
    if result < 0:
        raise OSError(-result, os.strerror(-result), name)
    return result


class Pcm:
    def __init__(self, way, format="S16_LE", channels=2, rate=48000, period=1024, buffer=4096, name="default",
                 nonblock=False):
        self.pcm = ctypes.c_void_p()
        call("snd_pcm_open", ctypes.byref(self.pcm), name.encode(), way, 1 if nonblock else 0)
        hardware = ctypes.create_string_buffer(asound.snd_pcm_hw_params_sizeof())
        call("snd_pcm_hw_params_any", self.pcm, hardware)
        for what, value in (("access", 3), ("format", FORMATS[format]), ("channels", channels)):
            call(f"snd_pcm_hw_params_set_{what}", self.pcm, hardware, value)
        call("snd_pcm_hw_params_set_rate", self.pcm, hardware, rate, 0)
        call("snd_pcm_hw_params_set_period_size", self.pcm, hardware, ctypes.c_ulong(period), 0)
        call("snd_pcm_hw_params_set_buffer_size", self.pcm, hardware, ctypes.c_ulong(buffer))
        call("snd_pcm_hw_params", self.pcm, hardware)
        self.can_pause = asound.snd_pcm_hw_params_can_pause(hardware) == 1
        self.frame_bytes = call("snd_pcm_frames_to_bytes", self.pcm, ctypes.c_long(1))

    def software(self, **values):
        software = ctypes.create_string_buffer(asound.snd_pcm_sw_params_sizeof())
        call("snd_pcm_sw_params_current", self.pcm, software)
        for name, value in values.items():
            call(f"snd_pcm_sw_params_set_{name}", self.pcm, software, ctypes.c_ulong(value))
        call("snd_pcm_sw_params", self.pcm, software)

    def write(self, data):
        """All of it: as many calls as it takes."""
        while data:
            moved = call("snd_pcm_writei", self.pcm, data, ctypes.c_ulong(len(data) // self.frame_bytes))
            data = data[moved * self.frame_bytes :]

    def read(self, frames):
        data = ctypes.create_string_buffer(frames * self.frame_bytes)
        moved = call("snd_pcm_readi", self.pcm, data, ctypes.c_ulong(frames))
        return data.raw[: moved * self.frame_bytes]

    def delay(self):
        frames = ctypes.c_long()
        call("snd_pcm_delay", self.pcm, ctypes.byref(frames))
        return frames.value

    def avail(self):
        return call("snd_pcm_avail", self.pcm)

    def wait(self, milliseconds=10000):
        return call("snd_pcm_wait", self.pcm, milliseconds)

    def state(self):
        return STATES[asound.snd_pcm_state(self.pcm)]

    def __getattr__(self, name):
        return lambda *words: call(f"snd_pcm_{name}", self.pcm, *words)


def standard_input():
    return sys.stdin.buffer.read()
