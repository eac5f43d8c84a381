"""Where processes stand: for each thread its state, its system call and its stack."""

import pathlib
import shutil
import subprocess

MOST_FRAMES = 24


def of_group(pid):
    """The processes of a group, the living ones."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        state = fields(entry / "stat")
        if state and state[2] == str(pid) and state[0] not in "ZX":
            found.append(int(entry.name))
    return sorted(found)


def fields(stat):
    """From the state on: what comes before it may hold anything."""
    text = read(stat)
    return text.rpartition(")")[2].split()


def read(path):
    try:
        return path.read_text(errors="replace")
    except OSError:  # it has just ended, or belongs to another
        return ""


def stacks(pid):
    """Of all threads, as the program sees them; where there is no gdb, as the kernel does."""
    if shutil.which("gdb"):
        try:
            done = subprocess.run(
                ["gdb", "-nx", "-batch", "-ex", "set print frame-arguments none",
                 "-ex", f"thread apply all bt {MOST_FRAMES}", "-p", str(pid)],
                stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=60)
            lines = [line.strip() for line in done.stdout.splitlines() if line.startswith(("#", "Thread "))]
            # What gdb says first repeats the first frame.
            start = next((i for i, line in enumerate(lines) if line.startswith("Thread ")), None)
            if start is not None:
                return lines[start:]
        except subprocess.TimeoutExpired:
            pass
    lines = []
    for task in sorted(pathlib.Path(f"/proc/{pid}/task").iterdir()):
        lines += [f"Thread {task.name}", *read(task / "stack").splitlines()]
    return lines


def threads(pid):
    for task in sorted(pathlib.Path(f"/proc/{pid}/task").iterdir()):
        state = fields(task / "stat")
        call = " ".join(read(task / "syscall").split()[:3])
        yield f"{task.name}: state {state[0] if state else '?'}, wchan {read(task / 'wchan') or '?'}, syscall {call or '?'}"


def process(pid):
    words = read(pathlib.Path(f"/proc/{pid}/cmdline")).replace("\0", " ").strip()
    try:
        return [f"process {pid}: {words}", *(f"  thread {line}" for line in threads(pid)),
                *(f"    {line}" for line in stacks(pid))]
    except FileNotFoundError:
        return [f"process {pid} has just ended"]


def program(one):
    """All there is to say about one: what it is, what it has said, where it stands."""
    lines = [f"{one}: {one.outcome()}"]
    stage, *frames = one.wrote_down()
    lines.append(f"  wrote down: stage {stage}, frames {frames}")
    for pid in of_group(one.pid):
        lines += [f"  {line}" for line in process(pid)]
    return lines
