"""Scenes with a program that lives as long as the run, while others come, go and are
killed: it must not grow."""

from programs import KILLED, PEER_GONE, Failed
from scene import IDS, S16, S32, Scene


class Lasting(Scene):
    def lasts(self, name, program):
        self.soak.lasting[name] = program
        return program

    def clear(self):
        for name, program in list(self.soak.lasting.items()):
            if program in self.programs:
                del self.soak.lasting[name]
        super().clear()

    def await_stream(self, recorder, killed, ident, frames):
        """Looks for the recorder's line about a player that has ended. Before it there
        may be those of players that were killed: at least what their writes accepted
        must have been heard."""
        while True:
            line = recorder.next_line()
            words = (line or "").split()
            if words[:1] != ["stream"]:
                raise Failed(f"{recorder}: {line or recorder.outcome()}")
            of, heard = int(words[1]), int(words[2])
            self.soak.count(streams=1, frames=heard)
            if of == ident:
                break
            # A stream that was cut off before it could tell its number has none.
            of_killed = [one for one in killed if of in (0, one[0]) and one[1] <= heard <= one[2]]
            if not of_killed:
                raise Failed(f"{recorder}: stream {ident} expected, heard: {line}; killed (number, least, most): {killed}")
            killed.remove(of_killed[0])
        if heard != frames:
            raise Failed(f"{recorder}: stream {ident}: {heard} frames heard of {frames}")
        self.all_were_heard(recorder, killed)

    @staticmethod
    def all_were_heard(recorder, killed):
        lost = [one for one in killed if one[1] > 0]
        if lost:
            raise Failed(f"{recorder} has not heard what killed players (number, least, most) had played: {lost}")
        killed.clear()

    def play_to(self, recorder, killed, ident, kill_chance, longest, due, **options):
        """A player from its start to its end, and what was heard of it; `due`: frames of
        the recorder for so many of the player."""
        player = self.start("play", False, id=ident, **options)
        was_killed = self.maybe_kill(player, kill_chance, longest)
        if was_killed:
            rate_differs = options["rate"] != self.own["rate"]
            self.soak.count(converting=int(rate_differs or options["format"] != self.own["format"]), rates=int(rate_differs))
        player.finish((0, PEER_GONE))
        self.drop(player)
        if player.process.returncode == PEER_GONE:
            raise Failed(f"{player} was told that its recorder has gone: {recorder.outcome()}")
        if was_killed and player.process.returncode != 0:
            accepted = player.accepted()[0]
            killed.append((ident, due(accepted), due(min(accepted + options["block"], options["frames"]))))
        else:
            self.await_stream(recorder, killed, ident, due(options["frames"]))


class Formats(Lasting):
    """Players of all formats, one after another."""

    ramp = 0
    own = {"format": S16, "rate": 48000}

    def player(self):
        return {"format": self.some_format(), "rate": 48000, "frames": self.frames(1, 60000), "block": self.frames(1, 4000)}

    def due(self, frames, _):
        return frames

    def round(self):
        name = f"recorder of {self.name()}"
        recorder = self.lasts(name, self.start("record", True, name=name, ramp=self.ramp, **self.own))
        ident, killed = 0, []
        while self.soak.going_on():
            ident = ident % IDS + 1
            options = self.player()
            self.play_to(recorder, killed, ident, 0.3, 1.0, lambda frames: self.due(frames, options["rate"]),
                         ramp=self.ramp, **options)
            self.soak.count_role(self.name())
        recorder.kill()
        recorder.finish((KILLED,))


class Rates(Formats):
    """Each player at another rate."""

    policy = {"underrun": "stall"}
    ramp = 1
    own = {"format": S32, "rate": 44100}

    def player(self):
        return {"format": S32, "rate": self.random.choice((8000, 11025, 48000, 96000)),
                "frames": self.frames(8000, 60000), "block": self.frames(100, 4000)}

    def due(self, frames, rate):
        return (2 * frames * self.own["rate"] + rate) // (2 * rate)


class Recorders(Lasting):
    """A player that stays, as server, and recorders one after another."""

    def round(self):
        player = self.lasts("player", self.start("play", True, name="lasting player", id=1, times=1 << 30, format=S32,
                                                 rate=44100, frames=100000))
        while self.soak.going_on():
            recorder = self.start("record", False, format=S16, rate=44100, limit=self.frames(1, 60000) * 4,
                                  block=self.frames(1, 4000))
            self.maybe_kill(recorder, 0.3, 1.0)
            recorder.finish((0, PEER_GONE))
            self.drop(recorder)
            if player.process.poll() is not None:
                raise Failed(f"{player}: {player.outcome()}")
            self.soak.count(streams=1)
            self.soak.count_role(self.name())
        player.kill()
        player.finish((KILLED,))


class Unclocked(Lasting):
    """Both sides are killed at any time, without a clock."""

    policy = {"clock": "free"}
    own = {"format": S32, "rate": 96000}

    def round(self):
        recorder = self.start("record", True, block=self.frames(1, 9000), **self.own)
        killed = []
        for ident in range(1, self.random.randint(1, 5) + 1):
            options = {"format": S16, "rate": 96000, "frames": self.frames(1, 2_000_000), "block": self.frames(1, 9000)}
            if self.random.random() < 0.2:
                self.kill_recorder(recorder, ident, options)
                break
            self.play_to(recorder, killed, ident, 0.2, 0.2, lambda frames: frames, **options)
        recorder.kill()
        recorder.finish((KILLED,))
        self.soak.rest()
        self.soak.count_role(self.name())

    def kill_recorder(self, recorder, ident, options):
        player = self.start("play", False, id=ident, **options)
        if not self.maybe_kill(recorder, 1, 0.2):
            raise Failed(f"{recorder}: {recorder.outcome()}")
        # One that has not yet opened its side would wait for a server.
        self.maybe_kill(player, 1, 2)
        player.finish((0, PEER_GONE))
