"""A source file has one subject, and is short enough to be read at a sitting."""

import pathlib
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDERS = ("lib", "shim", "alsa", "tools", "tests")
ENDINGS = {".c", ".cc", ".cpp", ".h", ".py"}
MOST_LINES = 400

# Why each of these may be longer.
LONGER = {
    "lib/oss/soundcard.h": "the table of the API's constants",
    "tests/layout/soundcard_facts.h": "made by tests/layout/make_facts",
}


def line_counts():
    """The lines of each source file, by its path from the root."""
    paths = (path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.suffix in ENDINGS)
    return {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in paths}


class Sizes(unittest.TestCase):
    def test_no_source_file_is_longer_than_a_subject_takes(self):
        longer = {path: lines for path, lines in line_counts().items() if lines > MOST_LINES}
        self.assertEqual({}, {path: lines for path, lines in longer.items() if path not in LONGER})

    def test_each_exception_is_still_needed(self):
        counts = line_counts()
        for path in LONGER:
            self.assertGreater(counts.get(path, 0), MOST_LINES, path)


if __name__ == "__main__":
    unittest.main()
