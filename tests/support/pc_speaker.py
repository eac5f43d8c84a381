"""A program of DOS that beeps, for DOSBox."""

# Sets the speaker's timer to 1000 Hz, lets it sound for 18 ticks of 54.9 ms, ends.
BEEP = bytes.fromhex(
    "b0b6e643 b8a904e642 88e0e642 e4610c03e661"
    "b400cd1a89d383c312 b400cd1a39da72f8 e46124fce661 c3"
)
BEEP_HZ = 1000
BEEP_SECONDS = 18 * 65536 / 1193182


def beep_in(samples, rate):
    """(seconds, Hz) of what is loud in the samples of a channel."""
    loud = [index for index, sample in enumerate(samples) if abs(sample) > 1000]
    assert loud, "nothing but silence"
    heard = samples[loud[0] : loud[-1]]
    rises = sum(a <= 0 < b for a, b in zip(heard, heard[1:]))
    return len(heard) / rate, rises / len(heard) * rate
