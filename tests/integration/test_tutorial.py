"""The tutorial as it is written: each command is run, and prints what the page shows."""

import csv
import html
import re
import shutil
import subprocess

import pytest

from conftest import BUILT_BY_MAKE, ROOT, Checkout, new_checkout
from support import tutorial
from support.warm_python import warm_what_verify_starts

RATED = "data/labels/mine/mood"
# It takes minutes; the other commands are run with the tiny settings laid below the same file.
PLANNED = "make report CONFIG=config/mine.yaml"


def run(checkout: Checkout, command: str) -> str:
    """Type a command in a checkout; return what it printed."""
    shell = ["bash", "-euo", "pipefail", "-c", command]
    done = subprocess.run(
        shell,
        cwd=checkout.root,
        env=checkout.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}"
    return done.stdout


def rate(checkout: Checkout) -> None:
    """Fill in the .csv sheets, as two people would who save such files."""
    for rater in ("anna", "ben"):
        path = checkout.root / RATED / f"{rater}.csv"
        with path.open(encoding="utf-8-sig", newline="") as file:
            heading, *rows = csv.reader(file)
        filled = [(row, text, "merry" if "!" in text else "sad") for row, text, _ in rows]
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([heading, *filled])
        path.with_suffix(".xlsx").unlink()


def headings(checkout: Checkout, page: str) -> set[str]:
    """Return the headings of a page without their numbers."""
    found = re.findall(r"<h[2-4][^>]*>(.*?)</h[2-4]>", (checkout.root / page).read_text(encoding="utf-8"), re.DOTALL)
    return {re.sub(r"^[\d.]+\s+", "", html.unescape(re.sub("<[^>]+>", "", one)).strip()) for one in found}


@pytest.mark.long
@pytest.mark.skipif(not BUILT_BY_MAKE, reason="needs the environment that make builds")
def test_each_command_does_what_the_page_shows(tmp_path):
    mine = new_checkout(tmp_path / "samizdat", warm=True)
    (mine.root / "docs").mkdir()
    shutil.copy2(ROOT / "docs" / "tutorial_texts.py", mine.root / "docs")
    shutil.copy2(ROOT / ".gitignore", mine.root)
    warm_what_verify_starts(mine.root)
    named = "-c user.name=a -c user.email=a@example.org -c commit.gpgsign=false"
    run(mine, f"echo .venv >> .gitignore; git init -q; git add --all; git {named} commit -qm all")
    here = mine
    for block in tutorial.blocks():
        if block.language == "yaml":
            tutorial.write(block, mine.root)
            continue
        if block.code.startswith("samizdat label read"):
            rate(mine)
        if block.code.startswith("cd ../second"):
            here = Checkout(tmp_path / "second", warm=True)
            (here.root / ".venv").symlink_to(mine.root / ".venv")
        printed = run(here, block.code.replace(PLANNED, PLANNED.replace("report", "plan")))
        assert not tutorial.missing(block, printed), printed
        if block.code.startswith("cd ../"):
            here = mine
    said = headings(mine, "results/mine/report/report.html") | headings(mine, "comparison/report.html")
    assert tutorial.named_headings() <= said


def test_a_line_that_is_not_printed_is_found():
    block = tutorial.Block("bash", "make", ("✓ corpus (…): 300 texts", "Report: …"))
    assert tutorial.missing(block, "✓ corpus (0.3 s): 300 texts\nReport: here\n") == []
    assert len(tutorial.missing(block, "✓ corpus (0.3 s): 301 texts\nThe Report: here\n")) == 2
