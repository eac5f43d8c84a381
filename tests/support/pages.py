"""What the pages show to be pasted into a shell, and what must be installed for it."""

import re

from loop import ROOT


def section(page, heading):
    """Of a page, what stands below a heading."""
    return (ROOT / page).read_text().split(f"\n## {heading}\n")[1].split("\n## ")[0]


def script(page, heading):
    """The indented lines of a section; what stands between fences is for others than a shell."""
    text = re.sub(r"(?ms)^```.*?^```$", "", section(page, heading))
    return "".join(line[4:] + "\n" for line in text.splitlines() if line.startswith("    "))


def packages(page, heading):
    """Those that a section says it needs."""
    named, = re.findall(r"(?m)^Packages: (.*)\.$", section(page, heading))
    return re.findall("`([^`]+)`", named)


def headings(page):
    return re.findall(r"(?m)^## (.*)$", (ROOT / page).read_text())


def test_of(heading):
    """The name of the test that does what a section says."""
    return "test_" + re.sub("[^a-z]+", "_", heading.lower())
