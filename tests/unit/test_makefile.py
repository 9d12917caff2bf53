"""`make help` lists every target of the Makefile, each with a text."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def test_help_lists_every_target_with_its_text():
    phony = re.search(r"^\.PHONY: ((?:.*\\\n)*.*)$", MAKEFILE, re.MULTILINE)[1].replace("\\\n", " ").split()
    shown = subprocess.run(["make", "-s", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    texts = dict(re.findall(r"^  ([a-z-]+) +(.+)$", shown, re.MULTILINE))
    assert sorted(texts) == sorted(phony)
    assert texts["report"].startswith("make the whole run")


def test_make_alone_makes_the_report():
    assert ".DEFAULT_GOAL := report" in MAKEFILE
