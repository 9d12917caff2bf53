"""Measure how long the report takes: rendering again after an edit of prose, and the PDF; on a quiet machine.

The demo and a Czech corpus are run first, unless they are finished.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import czech
import nbformat
from record import ROOT, Figure, show, write

from samizdat.publishing.typst_pdf import compile_pdf
from samizdat.publishing.typst_source import write_typst

sys.path.insert(0, str(ROOT / "tests"))

from conftest import WORKFLOW_FILES

RUNS: dict[str, list[str]] = {"demo": [], "czech": ["config/czech.yaml"]}
QUICK = {"tiny": ["config/tiny.yaml"]}
SEEN = re.compile(r"as executed before")
PROSE = "\nA sentence that was added to see how long it takes.\n"


def main() -> None:
    """Measure and record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the tiny run alone; record nothing")
    quick = parser.parse_args().quick
    runs = make_runs(quick=quick)
    with tempfile.TemporaryDirectory(prefix="samizdat-") as name:
        rerendered = {corpus: rerender(Path(name) / corpus, corpus, overlay) for corpus, overlay in runs.items()}
        pdfs = {corpus: pdf_seconds(corpus, Path(name) / "typst") for corpus in runs}
    figures = {
        "rerender_seconds": Figure(
            "re-render after an edit of prose, no cell executed again, seconds at most", max(rerendered.values()), 20,
            True,
        ),
        "pdf_seconds": Figure("the PDF, seconds at most", max(pdfs.values()), 20, True),
    }  # fmt: skip
    show(figures)
    if not quick:
        write("report_times", figures, {"rerender_seconds": rerendered, "pdf_seconds": pdfs})


def make_runs(*, quick: bool) -> dict[str, list[str]]:
    """Make the runs that the report is checked on, unless they are finished; return them with their overlays."""
    if not quick:
        czech.main()
    runs = QUICK if quick else RUNS
    for overlay in runs.values():
        snakemake(ROOT, overlay)
    return runs


def snakemake(root: Path, overlay: list[str]) -> str:
    """Run the workflow of a checkout to its end; return its output."""
    command = [sys.executable, "-m", "snakemake", "--cores", "all", *(["--configfile", *overlay] if overlay else [])]
    environment = os.environ | {"PYTHONPATH": str(root / "workflow")}
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"the run failed: {' '.join(command)}\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def rerender(checkout: Path, corpus: str, overlay: list[str]) -> float:
    """Measure the seconds of a run after a sentence was added to the report, in a copy of this checkout.

    Raises:
        AssertionError: a cell was executed again, or another step ran.
    """
    for name in (*WORKFLOW_FILES, f"results/{corpus}", f"work/{corpus}", "work/downloads", ".snakemake/metadata"):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, checkout / name, symlinks=True)
        elif source.is_file():
            (checkout / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, checkout / name)
    document = checkout / "report" / "index.qmd"
    text = document.read_text(encoding="utf-8")
    document.write_text(text.replace("\n## The corpus", f"{PROSE}\n## The corpus", 1), encoding="utf-8")
    started = time.perf_counter()
    said = snakemake(checkout, overlay)
    seconds = time.perf_counter() - started
    if not SEEN.search(said) or "Training" in said:
        raise AssertionError(f"an edit of prose ran more than the rendering:\n{said}")
    if PROSE.strip() not in (checkout / "results" / corpus / "report" / "report.html").read_text(encoding="utf-8"):
        raise AssertionError("the edit is not in the page")
    return seconds


def pdf_seconds(corpus: str, folder: Path) -> float:
    """Measure how long the PDF of a finished run takes."""
    notebook = nbformat.read(ROOT / "results" / corpus / "report" / "quarto.ipynb", as_version=4)
    started = time.perf_counter()
    compile_pdf(write_typst(notebook), folder)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
