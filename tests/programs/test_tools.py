"""Tools that know nothing of sound: what they copy to and from a device is raw
sound, 16-bit stereo at 48000 Hz unless the other side chose another."""

import unittest

import sound
from case import PartTest
from loop import CLIENT, SERVER

# What writes FILE to DEVICE, and what writes all of DEVICE to FILE.
PLAYS = {
    "cat in a shell": "cat {file} > {device}",
    "dd": "dd if={file} of={device} bs=4k status=none",
    "dd in odd blocks": "dd if={file} of={device} bs=1000 status=none",
    "socat": "socat -u OPEN:{file} OPEN:{device},wronly",
    "pv": "pv -q {file} > {device}",
    "head": "head -c 100000000 {file} > {device}",
    "tee": "tee {device} < {file} > /dev/null",
}
RECORDS = {
    "cat in a shell": "cat < {device} > {file}",
    "dd": "dd if={device} of={file} bs=4k iflag=fullblock status=none",
    "socat": "socat -u OPEN:{device},rdonly CREATE:{file}",
    "pv": "pv -q {device} > {file}",
}


class Tools(PartTest):
    def plays(self, command, device, played):
        """Plays raw sound by a shell's command line."""
        loop = self.loop(clock="free")
        loop.file("song.raw").write_bytes(played.bytes())
        words = ["sh", "-c", command.format(file="song.raw", device=device)]
        if device == SERVER:
            player = loop.wait_until_listening(loop.start(*words))
            recorder = loop.partner_records(CLIENT)
        else:
            recorder = loop.partner_records(SERVER)
            loop.wait_until_listening(recorder)
            player = loop.start(*words)
        player.succeed()
        return loop.recorded(recorder)

    def records(self, command, device, played):
        loop = self.loop(clock="free", eof="eof")
        words = ["sh", "-c", command.format(file="out.raw", device=device)]
        if device == SERVER:
            recorder = loop.wait_until_listening(loop.start(*words))
            player = loop.partner_plays(CLIENT, played)
        else:
            player = loop.partner_plays(SERVER, played)
            loop.wait_until_listening(player)
            recorder = loop.start(*words)
        recorder.succeed()
        player.succeed()
        return sound.from_bytes(loop.file("out.raw").read_bytes())

    def test_tools_play_bit_for_bit(self):
        for name, command in PLAYS.items():
            for device in (CLIENT, SERVER):
                with self.subTest(name, device=device):
                    played = sound.noise(24001)
                    self.assert_identical(played, self.plays(command, device, played))

    def test_tools_record_bit_for_bit(self):
        for name, command in RECORDS.items():
            for device in (SERVER, CLIENT):
                with self.subTest(name, device=device):
                    played = sound.noise(24001)
                    self.assert_identical(played, self.records(command, device, played))


class Opusdec(PartTest):
    def test_it_plays_what_it_decodes_to_the_fixed_device_by_stdio(self):
        loop = self.loop(clock="free")
        wav = sound.write_wav(loop.file("song.wav"), sound.tone(2.5))
        loop.run("opusenc", "--quiet", wav, "song.opus")
        # Without dither it decodes the same each time.
        loop.run("opusdec", "--quiet", "--no-dither", "song.opus", "decoded.wav")
        recorder = loop.partner_records(SERVER)
        loop.wait_until_listening(recorder)
        loop.start("opusdec", "--quiet", "--no-dither", "song.opus").succeed()
        self.assert_identical(sound.read_wav(loop.file("decoded.wav")), loop.recorded(recorder))


if __name__ == "__main__":
    unittest.main()
