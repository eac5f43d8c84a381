"""baresip's audio loop: one open plays and one records, at once."""

import unittest

import sound
from headset import HeadsetTest

CONFIG = """
poll_method epoll
audio_buffer 200
audio_player oss,{plays_on}
audio_source oss,{records_on}
ausrc_format s16
auplay_format s16
module_path /usr/lib/baresip/modules
module oss.so
module_app menu.so
module_app auloop.so
"""


class Baresip(HeadsetTest):
    def start(self, loop):
        folder = loop.file("baresip")
        folder.mkdir()
        (folder / "config").write_text(CONFIG.format(plays_on=self.plays_on, records_on=self.records_on))
        # Without these it writes examples into the folder.
        for name in ("accounts", "contacts"):
            (folder / name).touch()
        return loop.start("baresip", "-f", folder, "-e", "/auloop 48000 2")

    def test_its_loop_plays_what_it_records_bit_for_bit(self):
        # It drops or repeats sound when it is late by a few blocks of 20 ms.
        self.assert_once(lambda: self.assert_echoes(self.start, sound.noise(60_001)))


if __name__ == "__main__":
    unittest.main()
