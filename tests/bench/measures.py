"""The measures of tools/bench. Each yields rows: see bench.Row."""

import itertools
import statistics
import time

import pulse
from stage import LIMIT_SECONDS, MeasureFailed, client, cpu_us, quartiles, server

S16, S32 = 0x10, 0x1000


def ratio_row(what, compared, unit, must, met, **more):
    ours, yardstick, ratio, spread = compared
    return dict(what=what, ours=f"{ours:.4g} {unit}", yardstick=f"{yardstick:.4g} {unit}", ratio=ratio,
                quartiles=spread, must=must, met=met(ratio), **more)


def start(stage):
    """Starting a program that opens no device."""
    rounds = 20 if stage.quick else 120
    libraries = [stage.library, stage.empty, "none"] + pulse.libraries()
    cost = {key: [[] for _ in libraries] for key in ("cpu_us", "wall_us")}
    for _ in range(stage.pairs):
        for i, found in enumerate(stage.once("starts", "--rounds", rounds, "--program",
                                             stage.program("nothing"), *libraries)):
            for key in cost:
                cost[key][i].append(found[key])
    for key, unit in (("cpu_us", "CPU"), ("wall_us", "wall")):
        ours, empty, none = cost[key][:3]
        ratios = [mine / other for mine, other in zip(ours, empty)]
        others = {"nothing preloaded": statistics.median(none)}
        theirs = f"{statistics.median(cost[key][3]):.4g} µs" if pulse.libraries() else ""
        yield dict(what=f"start of a program that opens no device, {unit}",
                   ours=f"{statistics.median(ours):.4g} µs",
                   yardstick=f"empty library {statistics.median(empty):.4g} µs",
                   ratio=statistics.median(ratios), quartiles=quartiles(ratios), must="≤ 1.05",
                   met=statistics.median(ratios) <= 1.05, pulse=theirs, details=others)


def calls(stage):
    """Calls on descriptors that are no device."""
    # Many short runs by turns: what a call costs varies by a tenth from one to the next.
    libraries = [stage.library, None, *pulse.libraries()]
    found = [[] for _ in libraries]
    for number in range(stage.pairs * (2 if stage.quick else 30)):
        turns = list(zip(libraries, found))
        for library, runs in turns if number % 2 == 0 else reversed(turns):
            runs.append(stage.once("calls", "--runs", 15, preload=library))
    mine, plain = found[:2]
    for call in plain[0]:
        ratios = [ours[call] / other[call] for ours, other in zip(mine, plain)]
        ratio = statistics.median(ratios)
        theirs = [one[call] for runs in found[2:] for one in runs]
        yield dict(what=f"{call}() of another descriptor",
                   ours=f"{statistics.median(one[call] for one in mine):.0f} ns",
                   yardstick=f"without {statistics.median(one[call] for one in plain):.0f} ns",
                   ratio=ratio, quartiles=quartiles(ratios), must="≤ 1.03", met=ratio <= 1.03,
                   pulse=f"{statistics.median(theirs):.0f} ns" if theirs else "")


def throughput(stage):
    """Equal formats through a free loop, against a pipe."""
    stage.configure(clock="free")
    for block, handlers, must in ((64, 0, None), (480, 0, 3.5), (480, 1, 2), (4096, 0, None)):
        blocks = (1 << (22 if stage.quick else 25)) // block
        feed = ["--block", block, "--blocks", blocks, "--handlers", handlers]
        drain = ["--block", block, "--handlers", handlers]

        def rate(reports):
            fed, drained = reports
            if fed["bytes"] != drained["bytes"]:
                raise MeasureFailed(f"{fed['bytes']} bytes written, {drained['bytes']} read")
            return drained["bytes"] / drained["wall_ns"]

        compared = stage.compare(lambda: rate(stage.loop(feed, drain)), lambda: rate(stage.pipe(feed, drain)))
        row = ratio_row(f"bytes/s of {block}-frame writes, free clock" + ", signal handlers" * handlers, compared,
                        "GB/s", f"≥ {must}" if must else "", lambda ratio: ratio >= must if must else None)
        yield {**row, "yardstick": "pipe " + row["yardstick"]}


def conversion(stage):
    """Converting the rate in the loop, against libsoxr alone."""
    stage.configure(clock="free")
    blocks = 2000 if stage.quick else 30000
    pairs = itertools.product((False, True), ((44100, 48000), (48000, 44100)))
    for server_plays, (rate, to) in pairs:
        def ours():
            fed, drained = stage.loop(["--block", 480, "--blocks", blocks, "--rate", rate],
                                      ["--block", 480, "--rate", to], server_plays)
            expected = (blocks * 480 * to * 2 + rate) // (2 * rate)
            if drained["bytes"] != expected * 4:
                raise MeasureFailed(f"{expected} frames expected, {drained['bytes'] // 4} came")
            return (fed["cpu_ns"] + drained["cpu_ns"]) / (blocks * 480)

        def alone():
            found = stage.once("convert", "--block", 480, "--blocks", blocks, "--rate", rate, "--to", to)
            return found["cpu_ns"] / (blocks * 480)

        way = "server to client" if server_plays else "client to server"
        row = ratio_row(f"CPU of {rate} to {to} Hz, {way}", stage.compare(ours, alone, times=3), "ns/frame", "≤ 1.10",
                        lambda ratio: ratio <= 1.10)
        yield {**row, "yardstick": "libsoxr " + row["yardstick"]}


def realtime_words(stage):
    seconds = 1 if stage.quick else 5
    return ["--block", 480, "--blocks", 100 * seconds], ["--block", 480], seconds


def realtime(stage):
    """One stream in real time, against a paced pipe."""
    stage.configure()
    feed, drain, seconds = realtime_words(stage)

    def cpu(reports):
        return sum(report["cpu_ns"] for report in reports) / seconds / 1000

    compared = stage.compare(lambda: cpu(stage.loop(feed, drain)),
                             lambda: cpu(stage.pipe([*feed, "--pace", 10_000_000], drain)))
    row = ratio_row("CPU of one realtime stream, both sides, 10 ms blocks", compared, "µs/s", "≤ 1.2",
                    lambda ratio: ratio <= 1.2)
    theirs = pulse.realtime(stage, feed, drain, seconds)
    yield {**row, "yardstick": "paced pipe " + row["yardstick"],
           "pulse": "" if theirs is None else f"{theirs:.4g} µs/s"}


def delay(stage):
    """From write() to read(), with the shortest buffers."""
    stage.configure()
    # 2 fragments of 2^9 bytes: 64 frames of two 32-bit samples, 1.3 ms.
    words = ["--format", S32, "--block", 48, "--fragment", 2 << 16 | 9]
    blocks = 500 if stage.quick else 5000
    medians, reports = [], []
    for _ in range(max(1, stage.pairs // 3)):
        _, drained = stage.loop([*words, "--blocks", blocks, "--stamp", 1], [*words, "--stamp", 1])
        if drained["stamps"] < blocks // 2:
            raise MeasureFailed(f"only {drained['stamps']} of {blocks} blocks carried their time")
        reports.append([value / 1000 for value in drained["delay_us"]])
        medians.append(reports[-1][1])
    low, median, high, most = (statistics.median(report[i] for report in reports) for i in range(4))
    yield dict(what="delay from write to read, 2 × 1 ms fragments", ours=f"{median:.2f} ms",
               yardstick=f"5 %: {low:.2f}, 95 %: {high:.2f}, most: {most:.2f} ms", ratio=None,
               must="≤ 4 ms median", met=median <= 4, details={"runs_ms": reports})


def ends(stage):
    """How soon a recorder hears of its player's end: of an exit, and of a kill."""
    stage.configure()
    # 2 fragments of 2^11 bytes, 21 ms: what is left to be heard is over soon.
    words = ["--path", server(0), "--player", client(0), "--fragment", 2 << 16 | 11, "--rounds", 5 if stage.quick else 50]
    tick_ms = 10
    for what, kill, most_ms in (("exits", 0, tick_ms + 5), ("is killed", 1, 500)):
        report = stage.once("ends", *words, "--kill", kill, preload=stage.library)
        judged = report["most_ms"] if kill else report["median_ms"]
        yield dict(what=f"end heard after a player {what}", ours=f"{report['median_ms']:.2f} ms",
                   yardstick=f"most: {report['most_ms']:.2f} ms", ratio=None,
                   must=f"≤ {most_ms} ms" + ("" if kill else " median"), met=judged <= most_ms, details=report)


def together(stage, instances, feed, drain, seconds):
    """CPU of so many streams at once, in microseconds a second."""
    programs = [stage.start_loop(feed, drain, instance) for instance in range(instances)]
    return sum(program.report()["cpu_ns"] for pair in programs for program in pair) / seconds / 1000


def instances(stage):
    """Several instances at once, against one."""
    stage.configure()
    feed, drain, seconds = realtime_words(stage)
    for count, most in ((4, None), (16, 13)):
        compared = stage.compare(lambda: together(stage, count, feed, drain, seconds),
                                 lambda: together(stage, 1, feed, drain, seconds))
        row = ratio_row(f"CPU of {count} instances at once", compared, "µs/s",
                        f"≤ {most}" if most else "", lambda ratio: ratio <= most if most else None)
        yield {**row, "yardstick": "one " + row["yardstick"]}


def mixed(stage, count, feed, drain, seconds):
    """CPU of so many players of one instance and of its recorder, in microseconds a second."""
    # On a busy machine one may begin when another has ended: that is no mix.
    for _ in range(5):
        players, recorder = stage.start_mix(count, feed, drain)
        fed = [player.report() for player in players]
        heard = recorder.report()
        if heard["bytes"] <= 3 * fed[0]["bytes"] // 2:
            return sum(program["cpu_ns"] for program in [*fed, heard]) / seconds / 1000
    raise MeasureFailed(f"{count} players were heard for {heard['bytes']} bytes of {fed[0]['bytes']}: in turn")


def clients(stage):
    """Several players in one instance, against one: with the clock that users have, which is
    judged, and with none, where the cost is that of moving and adding sound, without sleep."""
    feed, drain, seconds = realtime_words(stage)
    # They begin together: without a clock the first would be through before the last has come.
    free_seconds = 60 if stage.quick else 3000
    free_feed = ["--block", 480, "--blocks", 100 * free_seconds, "--from"]

    def free(count):
        return mixed(stage, count, [*free_feed, time.monotonic_ns() + 1_000_000_000], drain, free_seconds)

    for clock, most, cost in (("realtime", 9, lambda count: mixed(stage, count, feed, drain, seconds)),
                              ("free", None, free)):
        stage.configure(clients=8, clock=clock)
        compared = stage.compare(lambda: cost(8), lambda: cost(1))
        row = ratio_row("CPU of 8 clients mixed in one instance, equal formats"
                        + ", free clock" * (clock == "free"), compared, "µs/s",
                        f"≤ {most}" if most else "", lambda ratio: ratio <= most if most else None)
        yield {**row, "yardstick": "one " + row["yardstick"]}


def second_recorder(stage):
    """A tap is any program that has begun to hear the server's sound when this returns, and goes
    on until that ends: here a further recorder."""
    recorder = stage.start_preloaded("drain", client(0), ["--block", 480])
    stage.wait_for_streams(2)
    return recorder


def tapped(stage, seconds, start_taps, late=0):
    """A server's stream to the recorder that it waits for, from two seconds before the taps
    come to two seconds after: (CPU of all while they are there in microseconds a second,
    frames that the last of it was heard later than the first)."""
    blocks = 100 * (seconds + 4)
    player = stage.start_preloaded("feed", server(0), ["--block", 480, "--blocks", blocks, "--late", late])
    recorder = stage.start_preloaded("drain", client(0), ["--block", 480])
    stage.wait_for_streams(1)
    time.sleep(2)
    taps = [start_tap(stage) for start_tap in start_taps]

    def cpu_so_far():
        return [cpu_us(program.process.pid) for program in [player, recorder, *taps]]

    before, start = cpu_so_far(), time.monotonic()
    time.sleep(seconds)
    used, took = [now - then for now, then in zip(cpu_so_far(), before)], time.monotonic() - start
    if min(used) <= 0:
        raise MeasureFailed("a program of a stream with a tap has slept all the time")
    fed, heard = player.report(), recorder.report()
    for tap_program in taps:
        tap_program.kill()
    if heard["bytes"] != fed["bytes"]:
        raise MeasureFailed(f"of {fed['bytes']} bytes the recorder that is waited for had {heard['bytes']}")
    return sum(used) / took, fed["later_frames"]


def tap(stage, start_tap=second_recorder):
    """A tap on a running stream, against the stream without: what it costs, and whether it
    delays the stream."""
    stage.configure(clients=2)
    seconds = 1 if stage.quick else 5
    compared = stage.compare(lambda: tapped(stage, seconds, [start_tap])[0], lambda: tapped(stage, seconds, [])[0])
    row = ratio_row("CPU of a stream with a tap", compared, "µs/s", "≤ 1.6", lambda ratio: ratio <= 1.6)
    yield {**row, "yardstick": "without " + row["yardstick"]}
    # The player asks for its delay, which costs CPU: in runs of their own.
    pairs = [[tapped(stage, 2, taps, late=1)[1] for taps in ([start_tap], [])]
             for _ in range(max(1, stage.pairs // 2))]
    most, without = (max(found) for found in zip(*pairs))
    yield dict(what="delay that a tap adds to a stream, at most", ours=f"{max(most, 0):.2f} frames",
               yardstick=f"without {max(without, 0):.2f} frames", must="< 1 frame", met=most < 1,
               details={"pairs_frames": pairs})


def pace(stage):
    """The fastest clock while others want the processors."""
    stage.configure(clock=1000, underrun="stall")
    sound_s = 10 if stage.quick else 100
    must_s, blocks = sound_s / 1000, sound_s * 100
    took_s = []
    with stage.busy(loops=2):
        for _ in range(stage.pairs * 3):
            fed, drained = stage.loop(["--block", 480, "--blocks", blocks], ["--block", 480])
            if fed["bytes"] != drained["bytes"]:
                raise MeasureFailed(f"{fed['bytes']} bytes written, {drained['bytes']} read")
            took_s.append(drained["wall_ns"] / 1e9)
    ratios = [took / must_s for took in took_s]
    ratio = statistics.median(ratios)
    yield dict(what=f"{sound_s} s of sound at clock=1000 beside two busy loops",
               ours=f"{statistics.median(took_s):.4g} s", yardstick=f"must take {must_s:.4g} s", ratio=ratio,
               quartiles=quartiles(ratios), must="≤ 2", met=ratio <= 2, details={"runs_s": took_s})


def private_kib(pid):
    """Memory that a process has for itself."""
    kib = 0
    with open(f"/proc/{pid}/smaps_rollup") as lines:
        for line in lines:
            if line.startswith(("Private_Clean:", "Private_Dirty:")):
                kib += int(line.split()[1])
    return kib


def memory(stage):
    """What an instance and a process that has it open take."""
    stage.configure()
    feed, drain = ["--block", 480, "--blocks", 100 * LIMIT_SECONDS], ["--block", 480]

    def in_use(pair):
        time.sleep(1)  # the stream takes longer: both are at work now
        kib = sum(private_kib(program.process.pid) for program in pair) / 2
        shared = sum(file.stat().st_blocks // 2 for file in (stage.folder / "loop").glob("*"))
        for program in pair:
            program.kill()
        return kib, shared

    mine, shared = in_use(stage.start_loop(feed, drain))
    plain, _ = in_use(stage.start_pipe([*feed, "--pace", 10_000_000], drain))
    yield dict(what="memory of a process that has a device open", ours=f"{mine:.0f} KiB",
               yardstick=f"with a pipe {plain:.0f} KiB", details={"private_kib": mine, "pipe_kib": plain})
    yield dict(what="memory of an instance, shared by both sides", ours=f"{shared} KiB", yardstick="",
               details={"shared_kib": shared})


BUDGETS = ["start", "calls", "throughput", "conversion", "realtime", "delay", "ends", "instances", "clients", "tap",
           "pace", "memory"]
ALL = {name: globals()[name] for name in BUDGETS}
