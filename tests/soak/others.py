"""Scenes of what programs do to a device besides playing and recording."""

import time

from programs import OPEN, PEER_GONE, Failed
from scene import IDS, S32, Scene


class Storms(Scene):
    """Both sides are killed at once; the next server must find nobody, and the next
    stream must be whole."""

    def round(self):
        self.policy = self.random.choice(({}, {"clock": "free"}))
        for _ in range(self.random.randint(1, 3)):
            self.kill_both()
        self.next_stream()
        self.soak.rest()
        self.soak.count_role("both killed at once, then a server")

    def pair(self, server_plays):
        roles = ("play", "record") if server_plays else ("record", "play")
        options = {"play": {"id": 1, "frames": 16_000_000}, "record": {}}
        return [self.start(role, place == 0, block=self.random.choice((64, 480, 4000)), **options[role])
                for place, role in enumerate(roles)]

    def kill_both(self):
        both = self.pair(self.random.random() < 0.5)
        if self.random.random() < 0.8:
            server, client = both
            server.wait_for_stage(OPEN)
            client.wait_for_stage(OPEN, beside=[server])
        time.sleep(self.random.uniform(0, 0.1))
        for program in both:
            # A player that was quick has played all.
            if program.has_gone() and program.process.returncode != 0 and "play" in program.words[1]:
                raise Failed(f"{program} has ended by itself: {program.outcome()}")
        for program in self.random.sample(both, 2):
            program.kill()
            self.soak.count(kills=1)
        for program in both:
            # The second one may hear of the first one's end before its own.
            program.finish((0, 1, PEER_GONE))
        self.drop(*both)

    def next_stream(self):
        count = self.frames(1000, 20_000)
        if self.random.random() < 0.3:
            recorder = self.start_open("record", True, streams=1)
            player = self.start("play", False, id=2, frames=count)
        else:
            player = self.start_open("play", True, id=2, frames=count)
            if player.wait(self.random.uniform(0, 0.3)):
                raise Failed(f"{player} has ended before anybody came: {player.outcome()}")
            recorder = self.start("record", False, streams=1)
        player.finish()
        recorder.finish()
        self.must_have_heard(recorder, {2: count})


class Shared(Scene):
    """Opens that processes share, while threads of theirs try to open the same device."""

    policy = {"clock": "free"}

    def round(self):
        reads_together = self.soak.deal("shared", (True, False))
        count = self.frames(50_000, 400_000)
        shares = {"fork": "stay", "busy": 2, "signals": "plain", "every": 5000}
        player = {"id": 3, "frames": count, "block": self.random.choice((64, 64, 240, 1000)), "at": 500} | shares
        recorder = {"streams": 1, "senders": 2, "block": self.random.choice((64, 240, 4000))}
        recorder |= shares | {"at": 1000} if reads_together else {"busy": self.random.choice((0, 2))}
        server_plays = self.random.random() < 0.5
        starts = [("play", player), ("record", recorder)]
        if not server_plays:
            starts.reverse()
        programs = {role: self.start_open(role, place == 0, name=f"sharing {role}er", **options)
                    for place, (role, options) in enumerate(starts)}
        programs["play"].finish()
        programs["record"].finish()
        self.must_have_heard(programs["record"], {3: count, 4: count})
        self.soak.rest()
        self.soak.count_role("writers of one open beside busy opens")
        if reads_together:
            self.soak.count_role("readers of one open beside busy opens")


class Handlers(Scene):
    """A player whose handler closes its device, or closes it and opens it again."""

    def round(self):
        handler = self.soak.deal("handlers", ("close", "reopen"))
        # With a clock a program is in its writes nearly always.
        self.policy = self.random.choice(({"clock": "free"}, {})) if handler == "close" else {"clock": "free"}
        options = {"handler": handler, "signals": self.random.choice(("plain", "restart")),
                   "block": self.random.choice((64, 480, 2000))}
        options |= {"every": 3000, "times": 100} if self.policy else {"every": 50_000, "times": 10}
        if handler == "close":
            options["format"] = self.some_format()
        recorder = self.start_open("record", True, format=self.some_format())
        player = self.start("play_interrupted", False, name=f"player whose handler is to {handler}", **options)
        sent = [line.split()[1:] for line in player.finish() if line.startswith("sent")]
        for ident, frames in sent:
            line = recorder.next_line()
            if line != f"stream {ident} {frames}":
                raise Failed(f"{recorder}: stream {ident} of {frames} frames was sent, heard: {line or recorder.outcome()}")
            self.soak.count(streams=1, frames=int(frames))
        recorder.stop()
        self.soak.rest()
        self.soak.count_role(f"handler that is to {handler}")


class Wakers(Scene):
    """Processes that are killed while they wake a recorder: it must not sleep on."""

    policy = {"clock": "free"}
    CHILDREN = 200

    def round(self):
        handlers = self.random.choice(("quiet", "quiet", "mixed", "plain", "restart", "none"))
        server_plays = self.random.random() < 0.5
        starts = [("play_beside_killed", {"frames": 64 * self.CHILDREN, "block": 64, "seed": self.random.randrange(1 << 30)}),
                  ("record", {"streams": 1, "signals": handlers, "block": 64})]
        if not server_plays:
            starts.reverse()
        both = {role: self.start_open(role, place == 0, **options) for place, (role, options) in enumerate(starts)}
        both["play_beside_killed"].finish()
        both["record"].finish()
        self.must_have_heard(both["record"], {1: 64 * self.CHILDREN})
        self.soak.count(kills=self.CHILDREN)
        self.soak.rest(2)
        self.soak.count_role("recorder whose wakers are killed")


class Redirections(Scene):
    """A shell that makes the device a standard number of the players or recorders that
    it starts, by vfork and exec above all."""

    TIMES = 2

    def round(self):
        self.policy = self.random.choice(({}, {"clock": "free"}))
        by = self.soak.deal("redirections", ("vfork", "vfork", "spawn", "fork"))
        self.count = self.frames(500, 20_000)
        self.options = {"by": by, "loaded": self.random.randint(0, 1), "frames": self.count}
        what = self.soak.deal("directions", (self.clients_play, self.server_plays, self.clients_record))
        what()
        self.soak.count_role(f"redirections by {by}")
        self.soak.count_role(f"redirections: {what.__name__.replace('_', ' ')}")

    def clients_play(self):
        idents = range(1, 2 * self.TIMES + 1)
        recorder = self.start_open("record", True, streams=len(idents))
        self.start("redirect", False, plays=1, times=self.TIMES, **self.options).finish()
        recorder.finish()
        self.must_have_heard(recorder, {ident: self.count for ident in idents})

    def server_plays(self):
        # Only one: a second stream might begin for the recorder of the first.
        shell = self.start("redirect", True, plays=1, times=1, own=0, **self.options)
        recorder = self.start("record", False, streams=1)
        recorder.finish()
        shell.finish()
        self.must_have_heard(recorder, {1: self.count})

    def clients_record(self):
        player = self.start_open("play", True, signals="plain", every=100_000, id=1, times=IDS, frames=self.count)
        shell = self.start("redirect", False, plays=0, times=self.TIMES, **self.options)
        shell.finish()
        player.stop((0, PEER_GONE))
        # A stream that began for the recorder of the one before is heard by nobody.
        heard = self.heard(shell.said)
        self.must_have_heard(shell, {ident: self.count for ident in heard})
        if len(heard) != 2 * self.TIMES:
            raise Failed(f"{shell} has heard {heard}: not {2 * self.TIMES} streams")


class Starts(Scene):
    """Programs that fork while their first device is being opened; and servers of many
    channels, whose memory must be given back."""

    def round(self):
        if self.soak.deal("starts", (True, False, False, False)):
            self.big()
        program = self.start("start", True, pause=self.random.choice((0, 100, 300, 1000)))
        program.finish()
        self.soak.count_role("forks beside a first open")
        self.soak.rest()

    def big(self):
        large = {"channels": 16, "rate": 192000, "format": S32}
        server = self.start_open("record", True, name="server of 16 channels", signals="plain", every=100_000, **large)
        client = self.start_open("play", False, frames=20_000, **large)
        client.finish()
        server.stop()
        self.soak.leftovers.must_be_small(self.instance)
        self.soak.count_role("memory of 16 channels")
