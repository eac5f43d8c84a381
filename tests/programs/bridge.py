"""An instance that is bridged to a sound server whose card is another instance: that one's `ppm` is the speed
of the card's clock."""

import array
import signal
import threading
import time

from control import ControlTest
from loop import CLIENT, CONTROL, client, entries_of, server, text_of

RATE = 48000


def numbered(seconds):
    """Sound whose frames tell their number: none of them is silent."""
    samples = array.array("H")
    for number in range(round(seconds * RATE)):
        samples.append(number & 0xFFFF)
        samples.append(1 + (number >> 16))
    return samples.tobytes()


class Heard:
    """What was recorded of numbered sound: the numbers of its frames, with None for silence."""

    def __init__(self, data):
        samples = array.array("H")
        samples.frombytes(data[: len(data) // 4 * 4])
        self.numbers = [
            (right - 1 << 16 | left) if right else None if left == 0 else -1
            for left, right in zip(samples[::2], samples[1::2])
        ]
        self.sound = [number for number in self.numbers if number is not None]

    def silences(self):
        """Of those between sound: (the frame of the recording behind it, how many frames)."""
        found = []
        began = None
        for place, number in enumerate(self.numbers):
            if number is None:
                continue
            if began is not None and place != began + 1:
                found.append((place, place - began - 1))
            began = place
        return found

    def breaks(self):
        """Where a frame does not follow the one before: (how many of sound are behind it, what, what then);
        silence in between counts, and is told as None."""
        found = []
        before = None
        silent = False
        heard = 0
        for number in self.numbers:
            if number is None:
                silent = before is not None
                continue
            if before is not None and (silent or number != before + 1):
                found.append((len(self.sound) - heard, before, None if silent and number == before + 1 else number))
            before, silent = number, False
            heard += 1
        return found


class Hindrance(threading.Thread):
    """Watches how long programs that could have run had to wait for a processor, and how far a recording was at
    what time."""

    STEP_SECONDS = 0.01

    def __init__(self, pids, recording):
        super().__init__(daemon=True)
        self.pids = pids
        self.recording = recording
        self.seen = []  # (time, recorded bytes, seconds that were waited since the one before)
        self.over = threading.Event()

    def waited(self):
        waits = {}
        for pid in self.pids:
            for thread in entries_of(f"/proc/{pid}/task"):
                fields = text_of(f"/proc/{pid}/task/{thread}/schedstat").split()
                waits[thread] = int(fields[1]) / 1e9 if fields else 0
        return waits

    def run(self):
        before, last = self.waited(), time.monotonic()
        while not self.over.wait(self.STEP_SECONDS):
            waits, now = self.waited(), time.monotonic()
            waited = [waits[thread] - before.get(thread, waits[thread]) for thread in waits]
            # Short waits are everybody's; and a whole machine may stand still, as one that is a guest does.
            long_waits = sum(one for one in waited if one > self.STEP_SECONDS)
            stood = now - last - self.STEP_SECONDS
            self.seen.append((now, self.recording.stat().st_size, max(long_waits, stood)))
            before, last = waits, now

    def stop(self):
        self.over.set()
        self.join()

    def before(self, recorded_bytes, seconds=1):
        """Seconds that were waited in the last second or so before the recording was so long."""
        until = next((at for at, size, _ in self.seen if size >= recorded_bytes), 0)
        return sum(waited for at, _, waited in self.seen if until - seconds <= at <= until)


class BridgeTest(ControlTest):
    # The card waits for a sound server that is late, so that what is silent was so at the sound server.
    def bridged_loop(self, **conf):
        return self.loop(**{"instances": 2, "loop1.eof": "wait", "loop1.underrun": "stall", **conf})

    def card_listener(self, loop):
        """Who hears all that the card plays."""
        return loop.wait_until_listening(loop.partner_records(server(1)))

    def speed(self, loop, ppm):
        self.does(loop, "set", "1", f"ppm={ppm}")

    def sound_server(self, loop, module="module-oss device=/dev/dsp1 record=0 rate=48000 channels=2 "
                                       "fragments=12 fragment_size=2048"):
        """A PulseAudio of the loop's own; started again, its clients find it at the same place."""
        socket = loop.file("pulse.sock")
        modules = [f"module-native-protocol-unix auth-anonymous=1 socket={socket}", module]
        program = loop.start(
            "pulseaudio", "-n", "--daemonize=no", "--use-pid-file=no", "--exit-idle-time=-1", "--disable-shm=yes",
            "--resample-method=trivial", *(word for name in modules for word in ("-L", name)),
            env={"XDG_RUNTIME_DIR": loop.work})

        def answers():
            self.assertTrue(program.running(), program.explain("ended early"))
            return loop.start("pactl", "info", env=self.at_server(loop), preload=False).wait() == 0

        self.wait_until(answers)
        return program

    def at_server(self, loop):
        return {"PULSE_SERVER": f"unix:{loop.file('pulse.sock')}", "XDG_RUNTIME_DIR": loop.work}

    def bridge(self, loop, *words, env=None):
        """Returns when it holds its side."""
        program = loop.start(CONTROL, "bridge", "-v", *words, env=env or self.at_server(loop), preload=False)

        def holds():
            self.assertTrue(program.running(), program.explain("ended early"))
            return self.status(loop)["server"]["state"] == "open"

        self.wait_until(holds)
        return program

    def wait_until_told(self, program, text, times=1):
        def told():
            self.assertTrue(program.running(), program.explain("ended early"))
            return program.errors.count(text) >= times

        self.wait_until(told)

    def player(self, loop, data, device=CLIENT, format="S16_LE", rate=RATE, channels=2):
        path = loop.file(f"played-{len(loop.programs)}.raw")
        path.write_bytes(data)
        return loop.partner("play", device, path, rate, channels, format)

    def end(self, program):
        """By the user's Ctrl-C."""
        program.send(signal.SIGINT)
        program.succeed()


__all__ = ["BridgeTest", "Heard", "Hindrance", "RATE", "client", "numbered", "server"]
