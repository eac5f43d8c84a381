"""A preloaded process that makes one call at a time, as a test tells it.

The test writes pickled (name, arguments) to standard input and reads pickled
(kind, value, start, end) from standard output, where kind is "value" or "errno"
and the call began and returned at these times of CLOCK_MONOTONIC, measured here.
An event counter, whose descriptor is the argument, counts the calls that have begun.
"""

import fcntl
import os
import pickle
import sys
import time

from agent_children import Children as Calls


def main():
    # The descriptors of the conversation move up: low numbers are the test's.
    commands = os.fdopen(fcntl.fcntl(0, fcntl.F_DUPFD_CLOEXEC, 200), "rb")
    answers = os.fdopen(fcntl.fcntl(1, fcntl.F_DUPFD_CLOEXEC, 200), "wb")
    begun = fcntl.fcntl(int(sys.argv[1]), fcntl.F_DUPFD_CLOEXEC, 200)
    os.close(int(sys.argv[1]))
    null = os.open("/dev/null", os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    if null > 2:
        os.close(null)
    calls = Calls()
    while True:
        try:
            name, arguments = pickle.load(commands)
        except EOFError:
            break
        os.eventfd_write(begun, 1)
        start = time.monotonic()
        try:
            kind, value = "value", getattr(calls, name)(*arguments)
        except OSError as error:
            kind, value = "errno", error.errno
        pickle.dump((kind, value, start, time.monotonic()), answers)
        answers.flush()


main()
