"""Measures the budgets: ours and a yardstick, in interleaved pairs of one run.

Started by tools/bench. A ratio is the median of the pairs' ratios, with the
quartiles beside it. What cannot be measured ends the run with one line and
status 1; no figure is ever made up.
"""

import argparse
import datetime
import json
import os
import pathlib
import sys
from dataclasses import asdict, dataclass, field

import measures
from stage import MeasureFailed, Stage


@dataclass
class Row:
    """One line of the table."""

    name: str
    what: str
    ours: str
    yardstick: str
    ratio: float = None  # ours to the yardstick's, or a figure with a unit of its own
    quartiles: tuple = None
    must: str = ""
    met: bool = None
    pulse: str = ""
    details: dict = field(default_factory=dict)

    def figure(self):
        if self.ratio is None:
            return ""
        spread = f" ({self.quartiles[0]:.2f}–{self.quartiles[1]:.2f})" if self.quartiles else ""
        return f"{self.ratio:.2f}{spread}"

    def verdict(self):
        return "" if self.met is None else "yes" if self.met else "NO"

    def cells(self):
        return [self.what, self.ours, self.yardstick, self.figure(), self.must, self.verdict(), self.pulse]


HEADER = ["what", "ours", "yardstick", "ratio (quartiles)", "must be", "met", "padsp, PulseAudio"]


def machine():
    """The kind of machine, for people who compare."""
    model = "unknown processor"
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = " ".join(line.split(":", 1)[1].split())
            break
    return f"{os.cpu_count()} × {model}, Linux {os.uname().release.split('-')[0]}"


def table(rows, header):
    """Lines of a table that people read as it stands and Markdown as a table."""
    with_pulse = any(row[-1] for row in rows)
    lines = [header] + rows if with_pulse else [line[:-1] for line in [header] + rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    text = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " |" for line in lines]
    text.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return text


def arguments():
    parser = argparse.ArgumentParser(
        prog="tools/bench", description="Measures ossloop against its budgets.",
        epilog=f"Measures: {', '.join(measures.ALL)}.")
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    parser.add_argument("--markdown", action="store_true", help="print the table for tests/bench/README.md")
    parser.add_argument("--quality", action="store_true", help="measure what the rate conversion does to sound")
    parser.add_argument("--check", action="store_true", help="exit with 2 if a budget is missed")
    parser.add_argument("--pairs", type=int, default=7, help="pairs of each measure (7)")
    parser.add_argument("--quick", action="store_true",
                        help="short runs that show only that everything works")
    parser.add_argument("measures", nargs="*", metavar="MEASURE", help="only these")
    chosen = parser.parse_args()
    unknown = [name for name in chosen.measures if name not in measures.ALL]
    if unknown:
        parser.error(f"no measure is called {unknown[0]}: there are {', '.join(measures.ALL)}")
    return chosen


QUALITY_HEADER = ["conversion", "quality", "THD+N S32", "FLOAT", "S16, tpdf", "ripple", "−3 dB at", "stop band",
                  "aliasing", "misplaced", "held", "no clock", "length"]


def quality(chosen):
    """The conversion, by the project's own analyser."""
    with Stage(pairs=1, quick=chosen.quick) as stage:
        found = stage.once("quality", *(["--quick", 1] if chosen.quick else []))
    if chosen.json:
        print(json.dumps({"machine": machine(), "rows": found}, indent=1))
        return 0
    rows = [[f"{row['from_hz']} to {row['to_hz']} Hz", row["quality"],
             *(f"{row[key]:.1f} dB" for key in ("thd_n_s32_db", "thd_n_float_db", "thd_n_s16_tpdf_db")),
             f"{row['ripple_db']:.4f} dB", f"{row['half_power_hz'] / 1000:.1f} kHz", f"{row['stop_band_db']:.1f} dB",
             f"{row['aliasing_db']:.1f} dB", f"{row['misplaced_frames']:.6f} frames", f"{row['held_ms']:.1f} ms",
             f"{row['held_free_ms']:.1f} ms",
             "exact" if row["exact_length"] else "WRONG"] for row in found]
    print("\n".join(table(rows, QUALITY_HEADER)))
    print("\nTHD+N of 997 Hz at full scale; ripple from 20 Hz up to 20 kHz or 0.9 of what the lower rate can "
          "carry, where quick and\nlow have begun to fade (−3 dB at); stop band: what is left or made beyond "
          "it, at worst; aliasing: of that, what falls\ninto the pass band; misplaced: the worst tone's place "
          "in time, which is the group delay; held: sound inside the filter,\nand with clock=free, where it "
          "works in longer blocks. Each figure is the worse of both.")
    wrong = [row for row in found if not row["exact_length"]]
    return 1 if wrong else 0


def main():
    chosen = arguments()
    if chosen.quality:
        return quality(chosen)
    rows = []
    with Stage(pairs=1 if chosen.quick else chosen.pairs, quick=chosen.quick) as stage:
        for name in chosen.measures or measures.BUDGETS:
            if sys.stderr.isatty():
                print(f"{name} …", file=sys.stderr)
            rows += [Row(name=name, **row) for row in measures.ALL[name](stage)]
    when = datetime.date.today().isoformat()
    missed = [row.what for row in rows if row.met is False]
    if chosen.json:
        print(json.dumps({"date": when, "machine": machine(), "rows": [asdict(row) for row in rows]}, indent=1))
    else:
        print("\n".join(table([row.cells() for row in rows], HEADER)))
        if chosen.markdown:
            print(f"\nMeasured on {when} by `tools/bench`: {machine()}.")
        else:
            judged = [row for row in rows if row.met is not None]
            print(f"\n{machine()}; {len(judged) - len(missed)} of {len(judged)} budgets met"
                  + (": missed " + "; ".join(missed) if missed else ""))
    return 2 if missed and chosen.check else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except MeasureFailed as failure:
        print(f"tools/bench: {failure}", file=sys.stderr)
        sys.exit(1)
