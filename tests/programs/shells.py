"""What the shells offer at the end of a command line, each by its own completion."""

import os
import pty
import shlex
import signal
import subprocess
import time

from loop import CONTROL, LIMIT_SECONDS, ROOT, die_with_the_test

SCRIPTS = ROOT / "tools/completion"

# What the completion was told, instead of shown: a line for each word, then a line "done".
BASH = """
{framework}
. {scripts}/ossloopctl.bash
PS1='ready> '
record() {{
  _ossloopctl "$@"
  printf '%s\\n' "${{COMPREPLY[@]}}" "$(compopt)" done >>{told}
}}
complete -F record ossloopctl
"""

ZSH = """
fpath=({folder} $fpath)
autoload -Uz compinit
compinit -u -D
compadd() {{
  local -a words
  if [[ ${{argv[(I)-[ADO]]}} = 0 ]]; then
    builtin compadd -O words "$@"
    print -rl -- "${{words[@]}}" >>{told}
  fi
  builtin compadd "$@"
}}
record() {{
  _main_complete
  compstate[insert]='' compstate[list]=''
  print done >>{told}
}}
zle -C record complete-word record
bindkey '^I' record
PS1='ready> '
"""


class Terminal:
    """An interactive shell; `told` is the file that its completion writes to."""

    def __init__(self, words, env, folder, told):
        self.told = told
        self.told.write_text("")
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            die_with_the_test()
            os.chdir(folder)
            os.execvpe(words[0], words, env)
        os.set_blocking(self.master, False)
        self.shown = ""
        self.wait_until(lambda: "ready> " in self.shown)

    def wait_until(self, holds):
        deadline = time.monotonic() + LIMIT_SECONDS
        while not holds():
            assert time.monotonic() < deadline, self.shown
            time.sleep(0.005)
            try:
                self.shown += os.read(self.master, 4096).decode(errors="replace")
            except BlockingIOError:
                pass

    def offers(self, line):
        self.told.write_text("")
        os.write(self.master, line.encode() + b"\t")
        self.wait_until(lambda: self.told.read_text().endswith("done\n"))
        os.write(self.master, b"\x15")  # Ctrl-U: takes the line back
        return [word for word in self.told.read_text().splitlines()[:-1] if word]

    def close(self):
        os.kill(self.pid, signal.SIGKILL)
        os.close(self.master)
        os.waitpid(self.pid, 0)


def environment(loop):
    return loop.environment({"PATH": f"{CONTROL.parent}:{os.environ['PATH']}", "TERM": "dumb"}, preload=False)


class Bash:
    FRAMEWORK = ""  # what bash-completion brings; without it bash knows no program's own words

    def __init__(self, loop):
        told = loop.file("told")
        loop.file("bashrc").write_text(BASH.format(framework=self.FRAMEWORK, scripts=SCRIPTS, told=told))
        words = ["bash", "--noprofile", "--rcfile", str(loop.file("bashrc")), "-i"]
        self.terminal = Terminal(words, environment(loop), loop.work, told)
        self.close = self.terminal.close

    def offers(self, line):
        """Whole words, as in the other shells: bash takes what stands behind '=' for one."""
        before = line.rpartition(" ")[2].rpartition("=")
        *words, options = self.terminal.offers(line)
        self.knows_files = "-o default" in options
        return ["".join(before[:2]) + word for word in words]

    def offers_files(self, line):
        return "song.wav" in self.offers(line) or self.knows_files


class BashWithFramework(Bash):
    FRAMEWORK = ". /usr/share/bash-completion/bash_completion"


class Zsh:
    def __init__(self, loop):
        told, self.folder = loop.file("told"), loop.work
        loop.file("_ossloopctl").write_text((SCRIPTS / "ossloopctl.zsh").read_text())
        loop.file(".zshrc").write_text(ZSH.format(folder=loop.work, told=told))
        env = environment(loop) | {"ZDOTDIR": str(loop.work)}
        self.terminal = Terminal(["zsh", "-d", "-i"], env, loop.work, told)
        self.close, self.offers = self.terminal.close, self.terminal.offers

    def offers_files(self, line):
        return "song.wav" in self.offers(line)


class Fish:
    def __init__(self, loop):
        self.loop = loop

    def offers(self, line):
        script = f"source {SCRIPTS}/ossloopctl.fish; complete -C {shlex.quote(line)}"
        done = subprocess.run(["fish", "-N", "-c", script], env=environment(self.loop), cwd=self.loop.work,
                              capture_output=True, text=True, timeout=LIMIT_SECONDS, check=True)
        assert not done.stderr, done.stderr
        return [word.partition("\t")[0] for word in done.stdout.splitlines()]

    def offers_files(self, line):
        return "song.wav" in self.offers(line)

    def close(self):
        pass
