"""The pages for those who change the code: every path that they name is there."""

import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = ["README.md", "RECIPES.md", "CONTRIBUTING.md", "CHANGELOG.md", "lib/README.md", "shim/README.md",
         "tests/README.md", "tests/bench/README.md"]
FOLDERS = ("lib/", "shim/", "tests/", "tools/", "conf/")


def paths(text):
    """Those in backticks, whatever stands behind them there; `*` stands for any name."""
    for span in re.findall(r"`([^`\n]+)`", text):
        for word in span.split():
            if word.startswith(FOLDERS):
                yield word.rstrip(",;:.")


def links(text):
    """Targets of links that lie in this tree."""
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" not in target:
            yield target.partition("#")[0]


class Pages(unittest.TestCase):
    def test_every_path_in_the_pages_exists(self):
        for page in PAGES:
            found = list(paths((ROOT / page).read_text()))
            for path in found:
                with self.subTest(page=page, path=path):
                    self.assertTrue(any(ROOT.glob(path)))
            with self.subTest(page=page):
                self.assertTrue(found)

    def test_every_link_between_the_pages_leads_somewhere(self):
        for page in PAGES:
            for target in links((ROOT / page).read_text()):
                with self.subTest(page=page, target=target):
                    self.assertTrue(((ROOT / page).parent / target).exists())


if __name__ == "__main__":
    unittest.main()
