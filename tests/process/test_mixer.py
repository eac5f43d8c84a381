"""The mixer of an instance: levels that act on the sound, whoever sets them."""

import errno
import os
import stat
import struct

from driven import *
from oss_api import *
import sound
from loop import CONTROL, PYTHON

MIXER = "/dev/mixer"
FREE = {"clock": "free"}
HALF_DECIBELS = 10 ** (-0.5 / 20)


def decibels(level):
    return HALF_DECIBELS ** (100 - level) if level else 0.0


def constant(frames, value=10000, rate=48000):
    return sound.Sound(rate, 2, sound.array.array("h", [value]) * (2 * frames))


class Mixer(DrivenTest):
    def mixer(self, loop, path=MIXER, flags=os.O_RDWR):
        agent = self.agent(loop)
        agent.fd = agent.open(path, flags)
        return agent

    def level(self, agent, channel, level=None):
        if level is None:
            return agent.ioctl(agent.fd, read_channel(channel))
        return agent.ioctl(agent.fd, write_channel(channel), level)

    def play(self, loop, played, before=None):
        """What a server records of it; `before` runs when both sides are open."""
        server, client = self.pair(loop)
        if before:
            before(client)
        reading = server.later("read_to_end", server.fd)
        client.write_all(client.fd, played.bytes())
        client.close(client.fd)
        got = sound.from_bytes(reading.result()[0])
        server.close(server.fd)
        return got

    def assert_level(self, got, left, right=None):
        """Full-scale 10000 came out as these factors, to the step."""
        for number, factor in ((0, left), (1, left if right is None else right)):
            samples = got.channel(number).samples
            self.assertEqual({round(10000 * factor)}, set(samples[-100:]))

    def test_names_of_the_mixer_are_character_devices(self):
        agent = self.agent(self.loop(instances=2))
        for path, minor in ((MIXER, 0), ("/dev/mixer1", 16), ("/dev/oss/oss_audioloop0/mix1", 16)):
            number = agent.open(path, os.O_RDONLY)
            for status in (agent.stat(path), agent.fstat(number)):
                self.assertTrue(stat.S_ISCHR(status.st_mode))
                self.assertEqual((14, minor), (os.major(status.st_rdev), os.minor(status.st_rdev)))
        self.assert_errno(errno.ENOENT, agent.open, "/dev/mixer2", os.O_RDONLY)
        self.assert_errno(errno.ENOENT, agent.stat, "/dev/mixer2")

    def test_a_fresh_mixer_is_at_full_level_and_passes_bit_for_bit(self):
        loop = self.loop(**FREE)
        mixer = self.mixer(loop)
        for channel in (VOLUME, PCM, IGAIN):
            self.assertEqual(both(100), self.level(mixer, channel))
        played = sound.noise(5000)
        self.assert_identical(played, self.play(loop, played))

    def test_many_programs_may_have_it_open_at_once(self):
        loop = self.loop()
        first, second = self.mixer(loop), self.mixer(loop, flags=os.O_RDONLY)
        first.again = first.open(MIXER, os.O_RDWR)
        self.level(first, VOLUME, both(40))
        self.assertEqual(both(40), self.level(second, VOLUME))
        self.assertEqual(both(40), first.ioctl(first.again, read_channel(VOLUME)))

    def test_a_level_is_heard_in_the_recording(self):
        loop = self.loop(**FREE)
        mixer = self.mixer(loop)
        self.level(mixer, VOLUME, 88 | 76 << 8)
        self.assert_level(self.play(loop, constant(2000)), decibels(88), decibels(76))
        self.level(mixer, PCM, both(88))
        self.assert_level(self.play(loop, constant(2000)), decibels(88) ** 2, decibels(88) * decibels(76))

    def test_a_level_acts_on_what_the_client_records(self):
        loop = self.loop(**FREE)
        self.level(self.mixer(loop), IGAIN, both(80))
        server, client = self.pair(loop, os.O_WRONLY, os.O_RDONLY)
        writing = server.later("write_all", server.fd, constant(2000).bytes())
        got = sound.from_bytes(client.read_bytes(client.fd, 8000))
        self.assert_level(got, decibels(80))
        writing.result()

    def test_a_level_may_be_written_through_a_descriptor_for_reading(self):
        loop = self.loop()
        mixer = self.mixer(loop, flags=os.O_RDONLY)
        self.assertEqual(both(70), self.level(mixer, VOLUME, both(70)))

    def test_a_level_changes_while_the_stream_runs_without_losing_a_frame(self):
        for rate in (48000, 44100):
            with self.subTest(rate=rate):
                loop = self.loop(**FREE)
                mixer = self.mixer(loop)
                server, client = self.pair(loop)
                client.ioctl(client.fd, SPEED, rate)
                reading = server.later("read_to_end", server.fd)
                part = constant(2 * rate, rate=rate).bytes()
                client.write_all(client.fd, part)
                self.level(mixer, VOLUME, both(80))
                client.write_all(client.fd, part)
                client.close(client.fd)
                got = sound.from_bytes(reading.result()[0])
                self.assertEqual(4 * 48000, got.frames)
                left = got.channel(0).samples
                # It acts on what is not yet read, and so before the second part.
                self.assertAlmostEqual(10000, left[2400], delta=2)
                self.assertAlmostEqual(10000 * decibels(80), left[2 * 48000 + 480], delta=2)
                # It glides: no step as large as the whole change, and no dip.
                middle = left[1000:-1000]
                steps = [abs(a - b) for a, b in zip(middle, middle[1:])]
                self.assertLess(max(steps), 200)
                self.assertGreater(min(middle), 10000 * decibels(80) - 100)

    def test_a_level_that_goes_back_to_full_passes_bit_for_bit_again(self):
        loop = self.loop(**FREE)
        mixer = self.mixer(loop)
        server, client = self.pair(loop)
        reading = server.later("read_to_end", server.fd)
        noise = sound.noise(4800)
        for level in (50, 100):
            self.level(mixer, PCM, both(level))
            client.write_all(client.fd, noise.bytes())
        client.write_all(client.fd, noise.bytes())
        client.close(client.fd)
        got = sound.from_bytes(reading.result()[0])
        self.assert_identical(noise, got.tail(2 * 4800))

    def test_mute_silences_and_lets_go_again(self):
        loop = self.loop(**FREE)
        mixer = self.mixer(loop)
        mute = controls(mixer, mixer.fd)["mute"]
        self.assertEqual(1, mute.set(1))
        self.assertEqual({0}, set(self.play(loop, constant(2000)).samples))
        mute.set(0)
        played = sound.noise(2000)
        self.assert_identical(played, self.play(loop, played))

    def test_mixer_requests_work_on_an_audio_device_too(self):
        loop = self.loop(**FREE)
        server, client = self.pair(loop)
        mixer = self.mixer(loop)
        self.level(client, VOLUME, both(60))
        self.assertEqual(both(60), self.level(server, VOLUME))
        self.assertEqual(both(60), self.level(mixer, VOLUME))
        self.assertEqual(1, client.ioctl(client.fd, NRMIX))
        self.assertEqual("/dev/oss/oss_audioloop0/mix0", MixerInfo.of(client, client.fd).node)

    def test_pcm_of_an_audio_device_is_the_stream_s_own_level(self):
        loop = self.loop(**FREE)
        mixer = self.mixer(loop)

        def lower(client):
            client.ioctl(client.fd, write_channel(PCM), both(50))
            self.assertEqual(both(50), client.ioctl(client.fd, GETPLAYVOL))

        self.assert_level(self.play(loop, constant(2000), lower), 0.5)
        self.assertEqual(both(100), self.level(mixer, PCM))
        played = sound.noise(2000)
        self.assert_identical(played, self.play(loop, played))

    def test_a_stream_s_own_level_and_the_mixer_s_multiply(self):
        loop = self.loop(**FREE)
        self.level(self.mixer(loop), VOLUME, both(90))
        got = self.play(loop, constant(2000), lambda client: client.ioctl(client.fd, SETPLAYVOL, both(50)))
        self.assert_level(got, 0.5 * decibels(90))

    def test_locked_levels_stay_and_say_so(self):
        loop = self.loop(volume="lock", **FREE)
        mixer = self.mixer(loop)
        self.assertEqual(both(100), self.level(mixer, VOLUME, both(20)))
        found = controls(mixer, mixer.fd)
        self.assertEqual(500 | 500 << 16, found["vol"].set(0))
        self.assertEqual(0, found["mute"].set(1))
        played = sound.noise(2000)
        own = lambda client: self.assertEqual(both(100), client.ioctl(client.fd, SETPLAYVOL, both(10)))
        self.assert_identical(played, self.play(loop, played, own))

    def test_ossloopctl_locks_levels_at_once_and_shows_them(self):
        loop = self.loop()
        mixer = self.mixer(loop)
        self.level(mixer, PCM, 30 | 40 << 8)
        loop.start(CONTROL, "set", 0, "volume=lock", preload=False).succeed()
        self.assertEqual(30 | 40 << 8, self.level(mixer, PCM, both(100)))
        status = loop.start(CONTROL, "status", 0, preload=False).succeed().output
        self.assertIn("pcm 30:40", status)
        self.assertIn("volume=lock", status)

    def test_levels_outlive_the_program_that_set_them(self):
        loop = self.loop(**FREE)
        mixer = self.mixer(loop)
        self.level(mixer, VOLUME, both(50))
        mixer.kill()
        self.assertEqual(both(50), self.level(self.mixer(loop), VOLUME))
        self.assert_level(self.play(loop, constant(2000)), decibels(50))

    def test_each_instance_has_its_own(self):
        loop = self.loop(instances=2)
        first, second = self.mixer(loop), self.mixer(loop, "/dev/mixer1")
        self.level(second, VOLUME, both(10))
        self.assertEqual(both(100), self.level(first, VOLUME))
        self.assertEqual(2, first.ioctl(first.fd, NRMIX))
        self.assertEqual(50 | 50 << 16, controls(first, first.fd, 1)["vol"].get())

    def test_it_survives_dup_fork_and_exec(self):
        loop = self.loop()
        mixer = self.mixer(loop, flags=os.O_RDONLY)
        self.level(mixer, VOLUME, both(33))
        copy = mixer.dup(mixer.fd)
        mixer.close(mixer.fd)
        self.assertEqual(both(33), mixer.ioctl(copy, read_channel(VOLUME)))
        answer = loop.file("answer")
        child = mixer.fork_and("ioctl", copy, read_channel(VOLUME), answer)
        self.assertEqual(0, mixer.reap(child))
        mixer.set_inheritable(copy, True)
        program = (
            "import fcntl,os,stat,struct,sys; fd=int(sys.argv[1]);"
            "level=struct.unpack('i', fcntl.ioctl(fd, 0xC0044D00, struct.pack('i', 66 | 66 << 8)))[0];"
            "sys.exit(0 if stat.S_ISCHR(os.fstat(fd).st_mode) and level == 66 | 66 << 8"
            " and fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY else 1)"
        )
        self.assertEqual(0, mixer.reap(mixer.spawn([PYTHON, "-c", program, str(copy)])))
        self.assertEqual(both(66), mixer.ioctl(copy, read_channel(VOLUME)))

    def test_it_has_nothing_to_read_write_or_play(self):
        mixer = self.mixer(self.loop())
        self.assert_errno(errno.ENXIO, mixer.read, mixer.fd, 10)
        self.assert_errno(errno.ENXIO, mixer.write, mixer.fd, b"x")
        for request in (SPEED, GETOSPACE, SETSONG):
            page = mixer.map_page(3)
            self.assert_errno(errno.EINVAL, mixer.ioctl_at, mixer.fd, request, page)
        self.assert_errno(errno.ESPIPE, mixer.lseek, mixer.fd, 0, os.SEEK_SET)

    def test_flags_are_those_of_the_open(self):
        loop = self.loop()
        agent = self.agent(loop)
        for flags in (os.O_RDONLY, os.O_WRONLY, os.O_RDWR, os.O_RDWR | os.O_NONBLOCK):
            number = agent.open(MIXER, flags)
            self.assertEqual(flags, agent.flags(number) & (os.O_ACCMODE | os.O_NONBLOCK))


class LegacyMixer(DrivenTest):
    def test_masks_and_capabilities(self):
        loop = self.loop()
        agent = self.agent(loop)
        mixer = agent.open(MIXER, os.O_RDONLY)
        devices = 1 << VOLUME | 1 << PCM | 1 << IGAIN
        self.assertEqual(devices, agent.ioctl(mixer, read_channel(DEVMASK)))
        self.assertEqual(devices, agent.ioctl(mixer, read_channel(STEREODEVS)))
        self.assertEqual(1 << IGAIN, agent.ioctl(mixer, read_channel(RECMASK)))
        self.assertEqual(1 << IGAIN, agent.ioctl(mixer, read_channel(RECSRC)))
        self.assertEqual(1 << IGAIN, agent.ioctl(mixer, write_channel(RECSRC), 1 << VOLUME))
        self.assertEqual(1, agent.ioctl(mixer, read_channel(CAPS)))

    def test_a_channel_it_has_not_is_einval(self):
        agent = self.agent(self.loop())
        mixer = agent.open(MIXER, os.O_RDWR)
        for channel in {*range(28)} - {VOLUME, PCM, IGAIN, RECLEV}:
            with self.subTest(channel):
                self.assert_errno(errno.EINVAL, agent.ioctl, mixer, read_channel(channel))
                self.assert_errno(errno.EINVAL, agent.ioctl, mixer, write_channel(channel), both(50))

    def test_levels_above_the_highest_are_the_highest(self):
        agent = self.agent(self.loop())
        mixer = agent.open(MIXER, os.O_RDWR)
        self.assertEqual(both(100), agent.ioctl(mixer, write_channel(VOLUME), 255 | 101 << 8))
        self.assertEqual(0, agent.ioctl(mixer, write_channel(VOLUME), 0))
        self.assertEqual(0, agent.ioctl(mixer, read_channel(VOLUME)))

    def test_the_counter_tells_of_changes_and_of_nothing_else(self):
        loop = self.loop()
        agent, other = self.agent(loop), self.agent(loop)
        mixer, theirs = agent.open(MIXER, os.O_RDONLY), other.open(MIXER, os.O_RDWR)

        def counter():
            return struct.unpack_from("i", agent.ioctl_bytes(mixer, LEGACY_INFO, bytes(92)), 48)[0]

        before = counter()
        other.ioctl(theirs, read_channel(VOLUME))
        other.ioctl(theirs, write_channel(VOLUME), both(100))
        self.assertEqual(before, counter())
        other.ioctl(theirs, write_channel(VOLUME), both(99))
        self.assertNotEqual(before, counter())

    def test_the_older_shorter_info_is_not_written_past_its_end(self):
        agent = self.agent(self.loop())
        mixer = agent.open(MIXER, os.O_RDONLY)
        data = agent.ioctl_bytes(mixer, OLD_LEGACY_INFO, b"\xee" * 92)
        self.assertEqual("ossloop 0", text(data[16:48]))
        self.assertEqual(b"\xee" * 44, data[48:])
