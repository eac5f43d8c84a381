"""ossloopctl makes, lists, changes and removes instances."""

import json
import os
import stat
import struct
import subprocess
import unittest

import sound
from control import MEMBERS, ControlTest
from driven import in_namespace
from loop import CONTROL, LIMIT_SECONDS, SERVER, client, server

FREE = {"clock": "free"}


class LifeOfAnInstance(ControlTest):
    def test_create_list_set_status_destroy(self):
        loop = self.loop(quality="low")
        self.assertEqual([0], self.numbers(loop))
        self.assertEqual("5\n", self.does(loop, "create", "5", "eof=eof", "clock=4.5"))
        self.assertEqual([0, 5], self.numbers(loop))
        policy = self.status(loop, 5)["policy"]
        self.assertEqual(("eof", "4.5", "low"), (policy["eof"], policy["clock"], policy["quality"]))
        self.assertEqual("", self.does(loop, "set", "5", "eof=wait", "ppm=-50"))
        policy = self.status(loop, 5)["policy"]
        self.assertEqual(("wait", "4.5", "-50"), (policy["eof"], policy["clock"], policy["ppm"]))
        self.assertIn("eof=wait", self.does(loop, "status", "5"))
        self.assertEqual("", self.does(loop, "destroy", "5"))
        self.assertEqual([0], self.numbers(loop))
        self.assertEqual([], list(loop.runtime.iterdir()))

    def test_json_has_the_same_members_whatever_there_is_to_tell(self):
        loop = self.loop(2, **FREE)
        self.does(loop, "create", "7")
        agent = self.agent(loop)
        agent.open(SERVER, os.O_RDONLY)
        for instance in json.loads(self.does(loop, "status", "--json")):
            self.assertEqual(list(MEMBERS), list(instance))
            for name, kind in MEMBERS.items():
                with self.subTest(f"{instance['instance']}: {name}"):
                    if isinstance(kind, set):
                        self.assertEqual(kind, set(instance[name]))
                    else:
                        self.assertIsInstance(instance[name], kind)
        self.assertEqual(self.does(loop, "list", "--json"), self.does(loop, "status", "--json"))

    def test_create_without_a_number_takes_the_first_free_one(self):
        loop = self.loop(2)
        self.does(loop, "create", "3")
        made = [int(self.does(loop, "create")) for _ in range(13)]
        self.assertEqual([2, *range(4, 16)], made)
        self.assertIn("16 instances", self.fails(loop, "create"))

    def test_many_at_once_make_different_instances(self):
        loop = self.loop()
        makers = [
            subprocess.Popen(
                [CONTROL, "create"], env=loop.environment(preload=False), stdout=subprocess.PIPE, text=True
            )
            for _ in range(15)
        ]
        made = [int(maker.communicate(timeout=LIMIT_SECONDS)[0]) for maker in makers]
        self.assertEqual(list(range(1, 16)), sorted(made))

    def test_an_instance_that_exists_is_not_made_again(self):
        loop = self.loop()
        self.does(loop, "create", "4", "eof=eof")
        self.assertIn("exists already", self.fails(loop, "create", "4", "eof=wait"))
        self.assertEqual("eof", self.status(loop, 4)["policy"]["eof"])

    def test_a_configured_instance_may_be_made_with_other_policies(self):
        loop = self.loop(eof="wait")
        self.does(loop, "create", "0", "eof=eof")
        self.assertEqual("eof", self.status(loop)["policy"]["eof"])
        self.fails(loop, "create", "0")
        self.does(loop, "destroy", "0")
        self.assertEqual("wait", self.status(loop)["policy"]["eof"])

    def test_what_does_not_exist_is_told(self):
        loop = self.loop()
        for words in ("status 9", "set 9 eof=eof", "destroy 9"):
            with self.subTest(words):
                self.assertIn("no instance 9", self.fails(loop, *words.split()))

    def test_looking_makes_nothing(self):
        loop = self.loop()
        loop.runtime.rmdir()
        for words in ("list", "list --json", "status", "status 0", "status --json"):
            self.does(loop, *words.split())
        self.assertFalse(loop.runtime.exists())

    def test_create_makes_the_folder_for_its_owner_only(self):
        loop = self.loop()
        loop.runtime.rmdir()
        self.does(loop, "create", "1")
        self.assertEqual(0o700, stat.S_IMODE(loop.runtime.stat().st_mode))

    def test_a_made_instance_plays(self):
        loop = self.loop(**FREE)
        self.does(loop, "create", "6", "eof=eof")
        played = sound.noise(5000)
        recorder = loop.partner_records(server(6))
        loop.wait_until_listening(recorder)
        loop.partner_plays(client(6), played).succeed()
        self.assert_identical(played, loop.recorded(recorder))

    def test_a_folder_that_cannot_be_trusted_is_told(self):
        loop = self.loop()
        loop.runtime.chmod(0o777)
        for words in ("list", "status 0", "create", "destroy 0", "set 0 eof=eof", "record a.wav"):
            with self.subTest(words):
                told = self.fails(loop, *words.split())
                self.assertIn(f"{loop.runtime}: everybody may write there", told)

    def test_a_full_file_system_is_told(self):
        loop = self.loop()
        wrapper = in_namespace(self, f"mount -t tmpfs -o size=8k,mode=700 none {loop.runtime}")
        self.assertIn("No space left", self.fails(loop, "create", "1", wrapper=wrapper))
        self.assertIn("no space", self.fails(loop, "record", "a.wav", wrapper=wrapper))

    def test_a_folder_that_cannot_be_written_is_told_without_wrong_advice(self):
        loop = self.loop()
        self.does(loop, "create", "0")
        mount = f"mount --bind {loop.runtime} {loop.runtime}"
        wrapper = in_namespace(self, f"{mount} && mount -o remount,bind,ro {loop.runtime}")
        for words in ("create 1", "set 0 eof=eof", "destroy 0", "record a.wav"):
            with self.subTest(words):
                told = self.fails(loop, *words.split(), wrapper=wrapper)
                self.assertRegex(told, "Read-only file system$")

    def test_a_segment_of_another_version_is_shown_and_can_be_destroyed(self):
        loop = self.loop()
        self.does(loop, "create", "1")
        with open(loop.runtime / "loop1", "r+b") as file:
            file.seek(8)
            file.write(struct.pack("<I", 99))
        shown = self.status(loop, 1)
        self.assertEqual("unreadable", shown["segment"])
        self.assertIn("layout version", shown["problem"])
        self.assertIn("layout version", self.fails(loop, "set", "1", "eof=eof"))
        self.assertIn("layout version", self.fails(loop, "create", "1"))
        self.does(loop, "destroy", "1")
        self.assertEqual([0], self.numbers(loop))


if __name__ == "__main__":
    unittest.main()
