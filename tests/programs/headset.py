"""A headset: one instance with `duplex=on`, partners at the server's both ends, and a
program that plays and records at once as its client."""

import sound
from case import PartTest
from loop import CLIENT, SERVER

RATE = 48000
# Silence after what a partner says, so that its direction does not end before the other.
AFTER = sound.silence(10 * RATE)


class HeadsetTest(PartTest):
    # What the partners hear and speak on, and what the program plays and records on.
    hears, speaks = SERVER, SERVER
    plays_on, records_on = CLIENT, CLIENT

    def headset(self, **conf):
        return self.loop(**{"duplex": "on", "underrun": "stall", "eof": "silence", "buffer_ms": 1000, **conf})

    def listener(self, loop, rate=RATE, channels=2):
        """A partner that hears what the program plays, until the test ends: some programs
        do not survive it."""
        return loop.wait_until_listening(loop.partner_records(self.hears, rate, channels))

    def speaker(self, loop, said):
        """A partner that speaks to the program."""
        return loop.partner_plays(self.speaks, said + AFTER)

    def heard(self, listener, frames, program, rate=RATE, channels=2):
        """So many frames of what the program plays."""
        size = frames * channels * 2

        def enough():
            self.assertTrue(program.running(), program.explain("ended early"))
            return listener.recording.stat().st_size >= size

        self.wait_until(enough)
        return sound.from_bytes(listener.recording.read_bytes()[:size], rate, channels)

    def echo_of(self, start, said, most_delay_frames=2 * RATE, speak_first=True, **conf):
        """What is heard of a program that plays what it records. `start` starts it on a
        loop, and returns when it is ready to hear if the partner does not speak first."""
        loop = self.headset(**conf)
        listener = self.listener(loop)
        if speak_first:
            loop.wait_until_listening(self.speaker(loop, said))
        program = start(loop)
        before = 0
        if not speak_first:
            before = listener.recording.stat().st_size // 4
            self.speaker(loop, said)
        return self.heard(listener, before + said.frames + most_delay_frames, program)

    def assert_echoes(self, start, said, **options):
        """The program plays, some time later, each frame that it records."""
        self.assert_contains(said, self.echo_of(start, said, **options))
