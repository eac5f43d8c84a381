"""PulseAudio and its padsp, measured beside ours where they are installed."""

import pathlib
import shutil
import subprocess
import time

from stage import LIMIT_SECONDS, MeasureFailed, cpu_us


def libraries():
    """The library that padsp preloads, if all of it is here."""
    if not shutil.which("pulseaudio"):
        return []
    return [str(path) for path in pathlib.Path("/usr/lib").glob("*/pulseaudio/libpulsedsp.so")][:1]


def read_bytes(pid):
    """What a process has read so far, of whatever."""
    lines = pathlib.Path(f"/proc/{pid}/io").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("rchar:"))


def realtime(stage, feed, drain, seconds):
    """CPU in microseconds a second of the same two programs through a sound
    server of our own, the server's included; None where there is none."""
    if not libraries():
        return None
    home = stage.folder / "pulse"
    home.mkdir(exist_ok=True)
    socket = home / "socket"
    environment = {**stage.environment(libraries()[0]), "HOME": str(home), "XDG_RUNTIME_DIR": str(home),
                   "PULSE_SERVER": f"unix:{socket}", "PULSE_SINK": "loop", "PULSE_SOURCE": "loop.monitor"}
    plain = {key: value for key, value in environment.items() if key != "LD_PRELOAD"}
    daemon = subprocess.Popen(
        ["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no", "--disable-shm=no",
         "-L", f"module-native-protocol-unix auth-anonymous=1 socket={socket}",
         "-L", "module-null-sink sink_name=loop rate=48000"],
        env=plain, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 10
        while not socket.exists():
            if daemon.poll() is not None or time.monotonic() > deadline:
                raise MeasureFailed("PulseAudio is installed and does not start")
            time.sleep(0.05)
        recorder = stage.start([stage.program("drain"), "--path", "/dev/dsp", *drain], env=environment)
        time.sleep(0.3)
        # A monitor never ends: the recorder's CPU is asked of the kernel, from when it
        # has started on.
        others = (daemon.pid, recorder.process.pid)
        before, heard = sum(map(cpu_us, others)), read_bytes(recorder.process.pid)
        player = stage.start([stage.program("feed"), "--path", "/dev/dsp", *feed], env=environment)
        fed = player.report()
        if recorder.process.poll() is not None:
            raise MeasureFailed("the recorder of PulseAudio's yardstick has ended")
        others_us, heard = sum(map(cpu_us, others)) - before, read_bytes(recorder.process.pid) - heard
        recorder.kill()
        if heard < fed["bytes"] // 2:
            raise MeasureFailed(f"of {fed['bytes']} bytes played to PulseAudio {heard} were recorded")
        return (fed["cpu_ns"] / 1000 + others_us) / seconds
    finally:
        daemon.terminate()
        daemon.wait(LIMIT_SECONDS)
