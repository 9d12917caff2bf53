"""Say at the end of a run where its report is."""

import os
import sys
from pathlib import Path
from typing import Any

from samizdat.base.files import not_intact
from samizdat.base.notes import still_empty
from samizdat.runs.damage import set_aside
from samizdat.runs.rebuild import RECORDED


def announce_results(folder: Path, config: dict[str, Any]) -> None:
    """Print where the report is, and delete what the run of an earlier config made.

    What a person may have edited is renamed instead. A run that is made again only to be compared is deleted soon, so
    nothing is said of it.

    Args:
        folder: of the report.
        config: the checked config of the run.
    """
    page = folder / "report.html"
    pdf, play = page.with_suffix(".pdf"), page.with_name("play.html")
    for path, wanted in ((pdf, config["pdf"]), (play, config["play"])):
        if not wanted:
            set_aside(map(str, not_intact([path])))
            path.unlink(missing_ok=True)
    if page.is_file() and RECORDED not in os.environ:
        print(f"Report:   {page}\nNotebook: {page.with_suffix('.ipynb')}", file=sys.stderr)
        if pdf.is_file():
            print(f"PDF:      {pdf}", file=sys.stderr)
        if play.is_file():
            print(f"Model:    {play}", file=sys.stderr)
        if empty := still_empty(config):
            print(empty, file=sys.stderr)
