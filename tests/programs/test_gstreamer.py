"""GStreamer's OSS 4 elements: they want the version, the device's description and a
delay that is true, and set the pace by it."""

import unittest

import sound
from case import Command, PartTest
from loop import CLIENT, SERVER

REALTIME = {"clock": "realtime", "underrun": "stall"}
# When it is done it opens the device once more to look around; by then the other
# side has gone, and it says so.
LOOKS_AROUND = (0, 1)
# The sink writes silence until it is told to stop.
SILENCE_FRAMES = 48000


class Oss4(PartTest):
    def plays(self, device, file, played):
        chain = f"filesrc location={file} ! wavparse ! audioconvert ! audioresample ! oss4sink device={device}"
        return Command(["gst-launch-1.0", "-q", *chain.split()], statuses=LOOKS_AROUND)

    def test_sink_plays_bit_for_bit_as_client(self):
        played = sound.noise(round(1.517 * 48000))
        self.assert_begins_with(played, self.client_plays(self.plays, played, conf=REALTIME), SILENCE_FRAMES)

    def test_sink_takes_the_format_of_a_file_as_client(self):
        # Rates that do not divide a second lose a frame to GStreamer's own clock.
        played = sound.noise(round(1.1 * 32000), 32000, 1)
        got = self.client_plays(self.plays, played, 32000, 1, conf=REALTIME)
        self.assert_begins_with(played, got, SILENCE_FRAMES)

    def test_source_records_bit_for_bit_as_client(self):
        loop = self.loop(**REALTIME)
        played = sound.noise(3 * 48000)
        player = loop.partner_plays(SERVER, played)
        loop.wait_until_listening(player)
        out = loop.file("out.raw")
        caps = "audio/x-raw,rate=48000,channels=2,format=S16LE"
        chain = f"oss4src device={CLIENT} num-buffers=50 ! {caps} ! filesink location={out}"
        loop.start("gst-launch-1.0", "-q", *chain.split()).succeed(statuses=LOOKS_AROUND)
        got = sound.from_bytes(out.read_bytes())
        self.assertGreater(got.frames, 24000)
        self.assert_identical(played.head(got.frames), got)


if __name__ == "__main__":
    unittest.main()
