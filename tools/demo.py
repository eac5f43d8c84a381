"""Plays sound through the loop between unmodified programs and measures it.

Started by tools/demo. Prints a table, leaves the recordings and a picture in
out/, and exits with 1 if any sound did not arrive as it must.
"""

import pathlib
import queue
import shutil
import signal
import sys
import wave
from dataclasses import dataclass

import browsing
import sound
from loop import CLIENT, CONTROL, SERVER, Loop, ProgramFailed

ROOT = pathlib.Path(__file__).resolve().parents[1]
OUT = ROOT / "out"

VOICE = pathlib.Path("/usr/share/sounds/alsa/Front_Center.wav")

# The device as it comes, but that the end of a stream reads as the end of a file
# and that a busy machine makes a pause instead of a gap.
CONF = {"eof": "eof", "underrun": "stall"}

# arecord reads a whole period more than it was asked for: to it the device is a
# microphone, which never ends.
MICROPHONE = {"eof": "silence"}

# bplay and brec exit with 255 after every success.
STATUSES = {"bplay": (0, 255), "brec": (0, 255)}

# Which of them are installed show a page that plays and hears.
BROWSERS = {
    "chromium": (browsing.chromium, {}, ("chromium",)),
    "firefox-esr": (browsing.firefox, browsing.FIREFOX_SETTLES, ("firefox-esr", "apulse")),
}
PAGE_SECONDS = 3
PAGE_HEARS_HZ = 660


@dataclass
class Row:
    player: str
    player_side: str
    recorder: str
    song: pathlib.Path
    rate: int = 0  # of the recorder; 0: as the song
    channels: int = 0
    pads: bool = False  # the player fills its last block with silence
    snr_db: float = 0  # what a conversion must reach


PLAYERS = {
    "sox": lambda device, song: ["sox", "-q", song, "-t", "oss", device],
    "play": lambda device, song: ["env", "AUDIODRIVER=oss", f"AUDIODEV={device}", "play", "-q", song],
    "bplay": lambda device, song: ["bplay", "-d", device, song],
    "aplay": lambda device, song: ["aplay", "-q", "-D", "oss", song],
}

RECORDERS = {
    "sox": lambda device, heard, file: [
        "sox", "-q", "-t", "oss", "-r", heard.rate, "-c", heard.channels, device, file],
    "ffmpeg": lambda device, heard, file: [
        "ffmpeg", "-nostdin", "-y", "-loglevel", "error",
        "-f", "oss", "-sample_rate", heard.rate, "-channels", heard.channels, "-i", device, file],
    "brec": lambda device, heard, file: [
        "brec", "-d", device, *(["-S"] if heard.channels == 2 else []),
        "-s", heard.rate, "-b", 16, "-T", heard.frames, "-w", file],
    "arecord": lambda device, heard, file: [
        "arecord", "-q", "-D", "oss", "-f", "S16_LE", "-r", heard.rate, "-c", heard.channels,
        "-s", heard.frames, file],
}


def make_music(loop):
    """Plucked chords, nothing above 16 kHz, so that any good converter keeps it
    all; and the same as an old 8-bit sound card would have it."""
    music = OUT / "music.wav"
    chords = (("C4", "E4", "G4", "C5"), ("A3", "C4", "E4", "A4"), ("F3", "A3", "C4", "F4"), ("G3", "B3", "D4", "G4"))
    parts = []
    for number, chord in enumerate(chords):
        parts.append(OUT / f"chord{number}.wav")
        voices = [word for note in chord for word in ("pluck", note)]
        starts = [number * 0.04 for number in range(len(chord))]
        loop.run(
            "sox", "-R", "-r", 44100, "-c", len(chord), "-n", "-b", 16, parts[-1],
            "synth", 1.1, *voices, "delay", *starts, "remix", "1,3", "2,4",
            "fade", "h", 0, 1.1, 0.2, "norm", -3,
        )
    loop.run("sox", "-R", *parts, "-b", 16, music, "sinc", "-16k", "norm", -2)
    for part in parts:
        part.unlink()
    old = OUT / "music-8bit.wav"
    loop.run("sox", "-R", music, "-r", 11025, "-c", 1, "-b", 8, old)
    return music, old


def expected(loop, song, rate, channels):
    """The song as an offline converter makes it; itself when nothing changes."""
    file = loop.file("expected.wav")
    loop.run("sox", "-R", "-D", song, "-r", rate, "-c", channels, "-b", 16, file, "rate", "-v", rate)
    return sound.read_wav(file)


def form(file):
    """(rate, channels, bits, frames) of a WAV file."""
    with wave.open(str(file)) as wav:
        return wav.getframerate(), wav.getnchannels(), 8 * wav.getsampwidth(), wav.getnframes()


def recording_of(row, number):
    return OUT / f"{number}-{row.player}-to-{row.recorder}.wav"


def play(row, number):
    """One line of the table: (its cells, whether it is as it must be)."""
    loop = Loop(**(MICROPHONE if row.recorder == "arecord" else CONF))
    try:
        sent_rate, sent_channels, sent_bits, sent_frames = form(row.song)
        rate, channels = row.rate or sent_rate, row.channels or sent_channels
        heard = expected(loop, row.song, rate, channels)
        recording = recording_of(row, number)
        recording.unlink(missing_ok=True)
        player_device, recorder_device = (
            (CLIENT, SERVER) if row.player_side == "client" else (SERVER, CLIENT))
        for device, program in ((player_device, "aplay"), (recorder_device, "arecord")):
            if program in (row.player, row.recorder):
                loop.file(".asoundrc").write_text(f'pcm.oss {{ type oss device "{device}" }}\n')
        playing = PLAYERS[row.player](player_device, row.song)
        recording_it = RECORDERS[row.recorder](recorder_device, heard, recording)
        if row.player_side == "server":
            player = loop.wait_until_listening(loop.start(*playing))
            recorder = loop.start(*recording_it)
        else:
            recorder = loop.wait_until_listening(loop.start(*recording_it))
            player = loop.start(*playing)
        player.succeed(60, STATUSES.get(row.player, (0,)))
        recorder.succeed(60, STATUSES.get(row.recorder, (0,)))
        got = sound.read_wav(recording)
        result, right = judge(row, heard, got, sent_frames)
        other_side = "server" if row.player_side == "client" else "client"
        return (
            row.song.name,
            f"{row.player} ({row.player_side})",
            f"{row.recorder} ({other_side})",
            f"{sent_rate} Hz {sent_channels} ch {sent_bits} bit",
            f"{got.rate} Hz {got.channels} ch 16 bit",
            str(sent_frames),
            str(got.frames),
            result,
        ), right
    except (ProgramFailed, ValueError, OSError) as problem:
        print(problem, file=sys.stderr)
        return (row.song.name, row.player, row.recorder, "", "", "", "", "FAILED"), False
    finally:
        loop.close()


def judge(row, heard, got, sent_frames):
    extra = got.frames - heard.frames
    silent_tail = not any(got.tail(heard.frames).samples)
    comparison = sound.compare(heard, got.head(heard.frames) if row.pads and silent_tail else got)
    note = f", then {extra} silent" if row.pads and extra > 0 else ""
    if not row.snr_db:
        return ("identical" + note if comparison.identical else f"WRONG: {comparison}"), comparison.identical
    whole = got.frames == round(sent_frames * got.rate / form(row.song)[0])
    right = comparison.snr_db >= row.snr_db and (row.pads or whole)
    return f"{'' if right else 'WRONG: '}SNR {comparison.snr_db:.0f} dB (>= {row.snr_db}){note}", right


def browse(name, command, settles):
    """Two lines of the table, as play() makes them: what a page plays, and what it hears meanwhile."""
    loop, site = Loop(duplex="on", clients=4, **CONF), browsing.Site()
    try:
        recording = OUT / f"{name}-to-sox.wav"
        recording.unlink(missing_ok=True)
        stereo = ("-r", browsing.RATE, "-c", 2)
        recorder = loop.wait_until_listening(loop.start("sox", "-q", "-t", "oss", *stereo, SERVER, recording))
        tone = ("synth", 120, "sine", PAGE_HEARS_HZ, "gain", -2)
        loop.wait_until_listening(loop.start("sox", "-q", "-n", *stereo, "-b", 16, "-t", "oss", SERVER, *tone))
        address = site.address(play=PAGE_SECONDS, listen=PAGE_SECONDS, hear=PAGE_HEARS_HZ, **settles)
        browser = loop.start(CONTROL, "run", "--alsa", "--", *command(loop.file("profile"), address), preload=False)
        heard = site.until("done")["heard"]
        browser.send(signal.SIGTERM)
        recorder.succeed(60)
        tone = browsing.tone_in(sound.read_wav(recording))
        page, ours = f"{heard['rate']} Hz float", f"{browsing.RATE} Hz 2 ch 16 bit"
        missing = PAGE_SECONDS * browsing.RATE - len(tone)
        played, plays = sine(browsing.worst_second_difference(browsing.inner(tone)), missing)
        listened, hears = sine(float(heard["worst"]))
        return [
            ((f"{browsing.HZ} Hz", f"{name} (client)", "sox (server)", page, ours,
              str(PAGE_SECONDS * int(heard["rate"])), str(len(tone)), played), plays),
            ((f"{PAGE_HEARS_HZ} Hz", "sox (server)", f"{name} (client)", ours, page, "", "", listened), hears),
        ]
    except (ProgramFailed, ValueError, OSError, AssertionError, queue.Empty, IndexError) as problem:
        print(f"{name}: {problem or 'its page tells nothing'}", file=sys.stderr)
        return [((f"{browsing.HZ} Hz", name, "sox", "", "", "", "", "FAILED"), False)]
    finally:
        site.close()
        loop.close()


def sine(worst, missing=0):
    """How far a tone is from a sine, and whether that is near enough; it begins and ends between two blocks."""
    right = worst < browsing.NEAR and abs(missing) < browsing.RATE // 10
    return f"{'' if right else 'WRONG: '}a sine within {worst:.4f} (< {browsing.NEAR})", right


def print_table(rows):
    head = ("sound", "player", "recorder", "sent", "recorded", "frames in", "frames out", "result")
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]

    def line(cells):
        return "  ".join(
            cell.rjust(width) if column in (5, 6) else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(cells, widths))
        ).rstrip()

    print(line(head))
    print("  ".join("-" * width for width in widths))
    for row in rows:
        print(line(row))


def picture(sent, recorded):
    """Two spectrograms, what was sent above what was recorded."""
    loop = Loop()
    try:
        for title, file in (("sent", sent), ("recorded", recorded)):
            form_text = "{0} Hz, {1} channels".format(*form(file))
            loop.run(
                "sox", file, "-n", "remix", "-", "rate", 44100, "spectrogram", "-x", 900, "-y", 257,
                "-z", 100, "-t", f"{title}: {file.name}, {form_text}", "-c", "ossloop", "-o", f"{title}.png")
        target = OUT / "spectrograms.png"
        loop.run(
            "ffmpeg", "-nostdin", "-y", "-loglevel", "error", "-i", "sent.png", "-i", "recorded.png",
            "-filter_complex", "vstack", target)
        return target
    finally:
        loop.close()


def main():
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    OUT.mkdir(exist_ok=True)
    if not VOICE.exists():
        sys.exit(f"{VOICE} is not there; it belongs to Debian's alsa-utils")
    studio = Loop()
    try:
        music, old = make_music(studio)
    finally:
        studio.close()
    rows = [
        Row("sox", "client", "ffmpeg", VOICE),
        Row("bplay", "client", "sox", music),
        Row("aplay", "client", "ffmpeg", VOICE, pads=True),
        Row("sox", "client", "arecord", music),
        Row("play", "server", "brec", VOICE),
        Row("aplay", "server", "sox", music, pads=True),
        Row("bplay", "client", "sox", music, rate=48000, snr_db=80),
        Row("sox", "server", "ffmpeg", music, rate=96000, snr_db=80),
        Row("sox", "client", "ffmpeg", old, rate=48000, channels=2, snr_db=50),
    ]
    print("Playing in real time: each line takes as long as its sound.", flush=True)
    lines, all_right, pictured = [], True, None
    for number, row in enumerate(rows, 1):
        print(f"  {number}/{len(rows)}  {row.song.name}: {row.player} to {row.recorder}", flush=True)
        cells, right = play(row, number)
        lines.append(cells)
        all_right = all_right and right
        if row.snr_db and right and pictured is None:
            pictured = picture(row.song, recording_of(row, number))
    installed = [(name, *how) for name, (*how, needs) in BROWSERS.items() if all(map(shutil.which, needs))]
    for name, command, settles in installed:
        print(f"  a page in {name}: its speaker to sox, its microphone from sox", flush=True)
        for cells, right in browse(name, command, settles):
            lines.append(cells)
            all_right = all_right and right
    print()
    print_table(lines)
    print()
    print(
        "The server's program chose the format, the client's was converted to it: N frames arrive as\n"
        "round(N x out/in). SNR: against the same sound converted offline by sox at its best, with what\n"
        "16 (or, of the 8-bit song, 8) bits allow. \"Then N silent\": aplay fills its last period, recorders\n"
        "of a set length the rest of theirs. Recorders ran with eof=eof, underrun=stall (see README)."
    )
    if installed:
        print(
            "A page in a browser, by way of ALSA: the most that a sample is off the sine that goes on from\n"
            "the two before it, of full scale."
        )
    else:
        print("No browser is installed (chromium, or firefox-esr and apulse): its page would play and hear here, too.")
    if pictured:
        print(f"Sent and recorded, as spectrograms: {pictured.relative_to(ROOT)}")
    print("Every sound arrived as it must." if all_right else "Something is WRONG, see above.")
    return 0 if all_right else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
