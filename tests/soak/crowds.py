"""Several programs on one instance, of which any is killed and comes again at once."""

from programs import Failed
from scene import Scene

CLOCKS = ({"clock": "free"}, {"clock": "free"}, {}, {"clock": 20})
PROGRAMS = {1: "one program", 2: "two"}


class Crowds(Scene):
    # By a clock what a killed player leaves takes its time.
    TIMES = {True: 10, False: 25}

    def kill(self, role, **options):
        """By one program that starts and kills all the others, and says what was heard."""
        other = f"/dev/oss/oss_audioloop0/pcm{self.instance}"
        killer = self.start(role, True, name=f"{role} with {self.policy}", other=other,
                            times=self.TIMES["clock" not in self.policy], seed=self.random.randrange(1, 1 << 30), **options)
        said = killer.finish()
        words = said[-1].split() if said else []
        if words[::2] != ["kills", "streams", "frames"]:
            raise Failed(f"{killer}: {killer.outcome()}")
        kills, streams, frames = map(int, words[1::2])
        self.soak.count(kills=kills, crowd=kills, streams=streams, frames=frames)
        self.soak.rest()


class Headsets(Crowds):
    """Both sides play and record at once, each by one program or by two."""

    def round(self):
        self.policy = {"duplex": "on", "underrun": "stall", **self.random.choice(CLOCKS)}
        server, client = self.soak.deal("headsets", [(server, client) for server in PROGRAMS for client in PROGRAMS])
        self.kill("kill_headsets", server_programs=server, client_programs=client)
        self.soak.count_role(f"headset: server by {PROGRAMS[server]}, client by {PROGRAMS[client]}")


class Companies(Crowds):
    """Several players whom a server hears at once, or several who hear a server."""

    def round(self):
        clients = self.random.randint(2, 8)
        self.policy = {"clients": clients, **self.random.choice(CLOCKS)}
        plays = self.soak.deal("companies", (True, False))
        if plays:
            self.kill("kill_players", clients=clients, free=int(self.policy.get("clock") == "free"))
        else:
            self.kill("kill_listeners", clients=clients)
        self.soak.count_role(f"company of {'players' if plays else 'recorders'}")
