"""A player and a recorder of any two kinds, in either direction, and what becomes of them."""

import time

from programs import FORKED, KILLED, LIMIT_SECONDS, PEER_GONE, Failed
from scene import Scene

# What actor is asked for. One of several words is chosen by chance.
KINDS = {
    "that waits": {},
    "that polls": {"way": "poll"},
    "that selects": {"way": "select"},
    "with a set of epoll": {"way": "epoll"},
    "with edges of epoll": {"way": "edge"},
    "with plain handlers": {"signals": "plain"},
    "whose calls restart": {"signals": "restart"},
    "with mixed handlers": {"signals": "mixed"},
    "that polls with mixed handlers": {"signals": "mixed", "way": ("poll", "select", "epoll", "edge")},
    "of 5 ms fragments": {"policy": 3, "way": ("block", "block", "poll")},
    "that chooses fragments": {"fragment": (0x0002000a, 0x0004000a, 0x7fff000b), "way": ("block", "block", "select")},
    "that forks and stays": {"fork": "stay", "signals": ("plain", "mixed")},
    "that forks, stays and polls": {"fork": "stay", "signals": ("plain", "mixed"), "way": ("poll", "select", "epoll", "edge")},
    "that forks and leaves": {"fork": "leave", "leave_by": ("exit", "_exit", "close", "kill")},
    "that forks, leaves and polls": {
        "fork": "leave", "leave_by": ("exit", "_exit", "close", "kill"), "way": ("poll", "select", "epoll", "edge")},
    "with threads that open what is busy": {"busy": 2},
    "that shares with a child what its threads open": {"busy": 2, "fork": "stay", "signals": ("plain", "mixed")},
    "with a mapped buffer": {"mapped": True, "close_first": (0, 1)},
}
FATES = ("end", "end", "end", "player killed", "player killed", "recorder killed", "both killed")
POLICIES = ({}, {}, {"underrun": "stall"}, {"clock": "free"})
SENDER_IDS = range(1, 120, 2)


class Pairs(Scene):
    def round(self):
        self.policy = self.random.choice(POLICIES)
        self.fate = self.soak.deal("fates", FATES)
        self.free = self.policy.get("clock") == "free"
        player_kind, recorder_kind = (self.soak.deal(of, KINDS) for of in ("players", "recorders"))
        player_words, recorder_words = self.words(player_kind), self.words(recorder_kind)
        self.ident = self.random.choice(SENDER_IDS)
        self.senders = 2 if player_words.get("fork") == "stay" else 1
        self.mapped = player_words.get("mapped") or recorder_words.get("mapped")
        self.count = self.length()
        player_words |= {"id": self.ident, "frames": self.count}
        recorder_words |= {"streams": 1, "senders": self.senders}
        for words in (player_words, recorder_words):
            if "fork" in words:
                words["at"] = self.frames(0, min(self.count // 3, 6000))

        server_plays = self.random.random() < 0.5
        starts = [(f"player {player_kind}", "play", player_words), (f"recorder {recorder_kind}", "record", recorder_words)]
        if not server_plays:
            starts.reverse()
        first, second = (self.start_kind(*starts[i], server=i == 0) for i in range(2))
        self.player, self.recorder = (first, second) if server_plays else (second, first)
        # The machine may not have let it keep up: it says so at its end.
        self.recorder.may_break = bool(player_words.get("mapped"))
        {"end": self.ends, "player killed": self.player_killed, "recorder killed": self.recorder_killed,
         "both killed": self.both_killed}[self.fate](server_plays)
        for name in (f"player {player_kind}", f"recorder {recorder_kind}", f"fate: {self.fate}",
                     f"server that {'plays' if server_plays else 'records'}"):
            self.soak.count_role(name)

    def words(self, kind):
        return {key: self.random.choice(value) if isinstance(value, tuple) else value
                for key, value in KINDS[kind].items()}

    def length(self):
        """Of the stream: a mapped buffer has a clock always; and one that is to be killed
        must not have ended before."""
        with_clock = not self.free or self.mapped
        if self.fate == "end":
            return self.frames(1000, 50_000 if with_clock else 400_000)
        return 100_000 if with_clock else 3_500_000

    def start_kind(self, name, role, words, server):
        words = dict(words)
        if words.pop("mapped", False):
            role += "_mapped"
        block = self.random.choice((64, 240, 480, 1000, 4000))
        return self.start_open(role, server, name=name, format=self.some_format(), block=block, **words)

    # --- fates --------------------------------------------------------------------------

    def leaders(self, program):
        """What may become of one that forks and leaves besides."""
        return (KILLED,) if "--leave-by" in program.words and "kill" in program.words else ()

    def of_recorder(self):
        """What may become of it: a mapped player that is killed cannot say that it was late."""
        return (0, 1) if self.recorder.may_break else (0,)

    def ends(self, _):
        late = self.finish_player()
        self.recorder.finish((0, 1) if late else (0,), self.leaders(self.recorder))
        if late or "late" in self.recorder.said:
            return
        # Blocks that are long may be all before it comes to fork.
        forked = self.senders == 2 and self.player.wrote_down()[0] == FORKED
        self.must_have_heard(self.recorder, {self.ident: self.count} | ({self.ident + 1: self.count} if forked else {}))

    def finish_player(self):
        """True if the machine did not let it keep up with its mapped buffer."""
        self.player.finish(leader=self.leaders(self.player))
        return "late" in self.player.said

    def at_some_moment(self):
        for program in (self.player, self.recorder):
            if "--fork" in program.words and self.random.random() < 0.9:
                program.wait_for_stage(FORKED)
        time.sleep(self.random.uniform(0, 0.05 if self.free else 0.4))

    def may_leave_maps(self, program):
        """One that a signal ends removes nothing."""
        if "mapped" in program.words[1]:
            self.soak.leftovers.expect_maps(self.instance)

    def kill(self, program):
        self.may_leave_maps(program)
        program.kill()
        self.soak.count(kills=1)

    def player_killed(self, _):
        self.at_some_moment()
        self.kill(self.player)
        self.player.finish(leader=self.leaders(self.player))
        least = self.player.accepted()
        any_accepted = any(least)
        allowed = self.of_recorder()
        # Nothing may have been heard of one that has played nothing.
        if not self.recorder.wait(LIMIT_SECONDS if any_accepted else 2):
            if any_accepted:
                raise Failed(f"{self.recorder} still runs {LIMIT_SECONDS} s after its player was killed, "
                             f"which had played {least}")
            self.recorder.stop((*allowed, PEER_GONE), self.leaders(self.recorder))
            return
        self.recorder.finish((*allowed, PEER_GONE) if not any_accepted else allowed, self.leaders(self.recorder))
        if "late" in self.recorder.said or "mapped" in self.player.words[1]:
            return
        block = int(self.player.words[self.player.words.index("--block") + 1])
        heard = self.heard(self.recorder.said)
        self.soak.count(streams=1, frames=sum(heard.values()))
        for sender in range(self.senders):
            frames = heard.pop(self.ident + sender, 0)
            if not least[sender] <= frames <= least[sender] + block:
                raise Failed(f"{self.recorder} has heard {frames} frames of a killed player that had played {least[sender]}, "
                             f"in blocks of {block}")
        if heard:
            raise Failed(f"{self.recorder} has heard {heard} besides")

    def recorder_killed(self, server_plays):
        self.at_some_moment()
        self.kill(self.recorder)
        self.recorder.finish(self.of_recorder(), self.leaders(self.recorder))
        player = self.player
        # A server waits for the next client unless it was told that this one has gone: it
        # is not if its stream had not begun, or if another process was.
        may_wait = server_plays and (not any(player.accepted()) or self.senders == 2 or "mapped" in player.words[1])
        if not player.wait(3) and may_wait:
            self.may_leave_maps(player)
            player.stop((0, PEER_GONE), self.leaders(player))
            return
        player.finish((0, PEER_GONE), self.leaders(player))

    def both_killed(self, _):
        self.at_some_moment()
        for program in self.random.sample((self.player, self.recorder), 2):
            self.kill(program)
        self.player.finish(leader=self.leaders(self.player))
        self.recorder.finish(self.of_recorder(), self.leaders(self.recorder))
