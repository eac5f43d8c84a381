"""qemu's OSS driver: two opens that never block, or one that is mapped."""

import unittest

import sound
from headset import HeadsetTest

# A guest that plays what its AC97 records, half its 32 buffers of 1024 frames later.
# It is this boot sector: finds the card in slot 4, sets levels, makes the list of buffers
# at 0x8000, records, waits for 16 buffers, plays, and hands the buffers on at each tick.
GUEST = bytes.fromhex(
    "fa31c08ed88ec08ed0bc0070fc66b804200080e885000c0566ef66b81020"
    "0080e8780024fe89c666b814200080e86b0024fe89c531c08d5402ef8d54"
    "18efb80f0f8d541cefbf008066b80000010066ab66c7050008000083c704"
    "66050010000081ff008172e866b80080000089ea66ef8d561066ef89ebe8"
    "3600fbf4e826008d5604ec3c1072f48d5e10e82300f48d5e10e8110089eb"
    "e80c00ebf2baf80c66efb2fc66edc38d5704ecfec8241f42eec38d5705b0"
    "1fee8d570bb001eec3"
)


class Qemu(HeadsetTest):
    def starter(self, *options):
        # Without a length it has buffers of 10 ms, and looks at them as often.
        form = "frequency=48000,{0}.format=s16,{0}.channels=2,{0}.buffer-length=200000,{0}.buffer-count=16"

        def start(loop):
            loop.file("boot.img").write_bytes(GUEST.ljust(510, b"\0") + b"\x55\xaa" + bytes(1474560 - 512))
            driver = ["oss", "id=card", f"out.dev={self.plays_on}", f"in.dev={self.records_on}",
                      *(f"{way}.{form.format(way)}" for way in ("in", "out")), *options]
            return loop.start(
                "qemu-system-i386", "-nodefaults", "-display", "none", "-monitor", "none", "-m", 16,
                "-audiodev", ",".join(driver), "-device", "AC97,audiodev=card,addr=4",
                "-drive", "file=boot.img,format=raw,if=floppy", "-boot", "a")

        return start

    def test_a_guest_plays_what_it_records_bit_for_bit(self):
        self.assert_echoes(self.starter(), sound.noise(60_001))

    def test_a_guest_plays_what_it_records_through_a_mapped_buffer(self):
        # For a map it opens both ways each time: two clients that play and record. A map goes on in time: where it
        # is later than its buffer is long, it plays other sound.
        start = self.starter("try-mmap=on", "exclusive=on")
        self.assert_once(lambda: self.assert_echoes(start, sound.noise(60_001), clients=2))


if __name__ == "__main__":
    unittest.main()
