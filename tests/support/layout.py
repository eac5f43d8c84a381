"""Where the words of a segment lie, as lib/abi/layout.h asserts it: for tests that write there
what no program would."""

import re

from loop import ROOT

LAYOUT = (ROOT / "lib/abi/layout.h").read_text()


def asserted(what):
    return int(re.search(rf"{re.escape(what)} == (\d+)", LAYOUT)[1])


SEGMENT_BYTES = asserted("sizeof(Segment)")
HALF_BYTES, LANE_BYTES = asserted("sizeof(Half)"), asserted("sizeof(Lane)")
DIRECTIONS = TO_SERVER, TO_CLIENT = range(2)


def direction(index, member):
    start = asserted("offsetof(Segment, direction)") + index * asserted("sizeof(Direction)")
    return start if member == "server" else start + asserted(f"offsetof(Direction, {member})")


def half(side, word, index=TO_SERVER):
    """A word of the half that the server or the (first) client has in a direction."""
    return direction(index, side) + asserted(f"offsetof(Half, {word})")


def producer(word, index=TO_SERVER):
    return direction(index, "lane") + asserted(f"offsetof(Producer, {word})")


def consumer(word, index=TO_SERVER):
    return direction(index, "lane") + asserted("sizeof(Producer)") + asserted(f"offsetof(Consumer, {word})")


def used():
    """(begin, end) of what a server and one client use, the header left out."""
    yield asserted("offsetof(Segment, policy)"), asserted("offsetof(Segment, direction)")
    for index in DIRECTIONS:
        for member, size in ("server", HALF_BYTES), ("client", HALF_BYTES), ("lane", LANE_BYTES):
            yield direction(index, member), direction(index, member) + size
