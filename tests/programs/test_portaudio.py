"""PortAudio's OSS driver, by Debian's PyAudio: looks at all devices for both ways, then
opens one way after the other, or both at once."""

import unittest

import sound
from headset import HeadsetTest
from loop import PYTHON

OPEN = """
import sys, pyaudio
pa = pyaudio.PyAudio()
oss = pa.get_host_api_info_by_type(pyaudio.paOSS)
assert oss["deviceCount"] == 1, oss

def stream(**ways):
    return pa.open(48000, 2, pyaudio.paInt16, frames_per_buffer=1024, **ways,
                   input_device_index=oss["defaultInputDevice"], output_device_index=oss["defaultOutputDevice"])
"""

PLAY_THEN_RECORD = OPEN + """
song, recording, frames = sys.argv[1], sys.argv[2], int(sys.argv[3])
output = stream(output=True)
output.write(open(song, "rb").read())
output.stop_stream()
output.close()
input = stream(input=True)
data = input.read(frames, exception_on_overflow=False)
input.close()
open(recording, "wb").write(data)
pa.terminate()
"""

ECHO = OPEN + """
both = stream(input=True, output=True)
while True:
    both.write(both.read(1024, exception_on_overflow=False))
"""


class Portaudio(HeadsetTest):
    def start(self, loop, script, *arguments):
        # It asks for a JACK server, too, and must not meet another test's.
        env = {"JACK_NO_START_SERVER": 1, "JACK_DEFAULT_SERVER": loop.work.name}
        loop.file("script.py").write_text(script)
        return loop.start(PYTHON, "-E", loop.file("script.py"), *arguments, env=env)

    def play_then_record(self, loop, played, frames):
        loop.file("song").write_bytes(played.bytes())
        program = self.start(loop, PLAY_THEN_RECORD, "song", "recording", frames)
        program.succeed()
        return sound.from_bytes(loop.file("recording").read_bytes())

    def test_it_plays_and_then_records_bit_for_bit(self):
        loop = self.headset(eof="reset")
        played, said = sound.noise(60_001, seed=1), sound.noise(60_001, seed=2)
        listener = self.listener(loop)
        loop.wait_until_listening(self.speaker(loop, said))
        recorded = self.play_then_record(loop, played, said.frames + 4096)
        self.assert_contains(said, recorded)
        self.assert_contains(played, loop.recorded(listener))

    def test_it_plays_to_nobody_and_records_silence_where_devices_always_open(self):
        loop = self.loop(open="always", duplex="on")
        recorded = self.play_then_record(loop, sound.noise(30_001), 30_001)
        self.assertEqual(bytes(4 * 30_001), recorded.bytes())

    def test_it_plays_what_it_records_in_one_stream_bit_for_bit(self):
        self.assert_echoes(lambda loop: self.start(loop, ECHO), sound.noise(60_001))


if __name__ == "__main__":
    unittest.main()
