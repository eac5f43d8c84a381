"""Programs that are killed while sound is converted, beside one that lives on."""

from programs import Failed
from scene import Scene

QUALITIES = ("quick", "low", "medium", "high", "very-high")
# Whoever lives on learns of a kill in a tenth of a second.
TIMES = 20


class Conversions(Scene):
    """A player or a recorder, server or client, that is killed and comes again; the other
    one has another format, and mostly another rate."""

    def round(self):
        quality = self.random.randrange(len(QUALITIES))
        self.policy = {"clock": "free", "quality": QUALITIES[quality]}
        killed, side = self.soak.deal("conversions", [(killed, side) for killed in ("player", "recorder")
                                                      for side in ("server", "client")])
        other = f"/dev/oss/oss_audioloop0/{'pcm' if side == 'server' else 'server'}{self.instance}"
        killer = self.start("kill_converting", side == "server", name=f"{killed} killed as {side}", other=other,
                            plays=int(killed == "player"), serves=int(side == "server"), quality=quality, times=TIMES,
                            seed=self.random.randrange(1, 1 << 30))
        said = killer.finish()
        words = said[-1].split() if said else []
        if words[::2] != ["kills", "rates", "streams", "frames"]:
            raise Failed(f"{killer}: {killer.outcome()}")
        kills, rates, streams, frames = map(int, words[1::2])
        self.soak.count(kills=kills, converting=kills, rates=rates, streams=streams, frames=frames)
        self.soak.count_role(f"converting {killed}s killed as {side}")
