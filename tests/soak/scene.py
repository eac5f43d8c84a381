"""What the scenes have in common: an instance of their own, and rounds on it."""

import itertools

import report
from programs import LIMIT_SECONDS, OPEN, Failed, Program

S16, S24, S32, FLOAT = 0x10, 0x8000, 0x1000, 0x4000
FORMATS = (S16, S24, S32, FLOAT)
IDS = 120


class Scene:
    """A round begins and ends with nobody on the instance. `policy`: what its server
    finds in the configuration."""

    policy = {}
    numbers = itertools.count()

    def __init__(self, soak, instance):
        self.soak = soak
        self.random = soak.random_of(instance)
        self.instance = instance
        self.programs = []

    @classmethod
    def name(cls):
        return cls.__name__.lower()

    def round(self):
        raise NotImplementedError

    def run(self):
        while self.soak.going_on():
            try:
                self.round()
                self.must_be_gone()
                self.soak.leftovers.must_be_none(self.instance)
            except Exception as error:  # whatever it is, it is told
                self.tell(error)
            finally:
                self.clear()

    def tell(self, error):
        what = str(error) if isinstance(error, Failed) else repr(error)
        lines = [f"{self.name()} on instance {self.instance}: {what}"]
        for program in self.programs:
            lines += [f"  {line}" for line in report.program(program)]
        self.soak.failed("\n".join(lines))

    def must_be_gone(self):
        for program in self.programs:
            if not program.wait(LIMIT_SECONDS):
                raise Failed(f"{program} still runs after {LIMIT_SECONDS} s")
            program.finish(range(-64, 256))  # what it may be was looked at before

    def clear(self):
        ending = list(self.programs)
        self.programs.clear()
        for program in ending:
            program.may_break = True
            if not program.has_gone():
                program.kill()
            if program.wait(LIMIT_SECONDS):
                program.collect()

    # --- programs ---------------------------------------------------------------------

    def start(self, role, server, name=None, **options):
        device = f"/dev/oss/oss_audioloop0/{'server' if server else 'pcm'}{self.instance}"
        words = [self.soak.actor, role, "--path", device]
        for key, value in options.items():
            words += [f"--{key.replace('_', '-')}", value]
        environment = self.soak.environment(self.policy)
        journal = self.soak.folder / f"journal{next(Scene.numbers)}"
        program = Program(name or f"{role} as {'server' if server else 'client'}", words, environment, journal, self.programs)
        self.programs.append(program)
        return program

    def start_open(self, *words, **options):
        """One that has its device open; those that had theirs before must still be there."""
        beside = list(self.programs)
        program = self.start(*words, **options)
        if not program.wait_for_stage(OPEN, beside):
            program.finish()
            raise Failed(f"{program} has ended before it was seen with its device open")
        return program

    def drop(self, *programs):
        """They have been seen to their end."""
        for program in programs:
            self.programs.remove(program)

    # --- chance -------------------------------------------------------------------------

    def some_format(self):
        return self.random.choice(FORMATS)

    def frames(self, least, most):
        return self.random.randint(least, most)

    def maybe_kill(self, program, chance, longest):
        """Kills it at some moment, or not. True if it was killed."""
        if self.random.random() >= chance or program.wait(self.random.uniform(0, longest)):
            return False
        program.kill()
        self.soak.count(kills=1)
        return True

    # --- what was heard -------------------------------------------------------------------

    @staticmethod
    def heard(lines):
        """What a recorder says at each end: {ID: FRAMES} of the streams that had a frame."""
        found = {}
        for line in lines:
            words = line.split()
            if words[:1] != ["stream"]:
                continue
            pairs = list(zip(map(int, words[1::2]), map(int, words[2::2])))
            found.update({ident: frames for ident, frames in pairs if frames})
        return found

    def must_have_heard(self, recorder, expected):
        """Exactly these frames of these streams."""
        heard = self.heard(recorder.said)
        self.soak.count(streams=1, frames=sum(heard.values()))
        if heard != expected:
            raise Failed(f"{recorder} has heard {heard} of {expected}")
