"""Check the report: requests, accessibility, hostile text, re-rendering, equal bytes, paper, comparison with Quarto.

The demo and a Czech corpus are run first, unless they are finished; the Arabic and the hostile run are made up. Needs
Chromium on the PATH, and fonts for the hostile run; the comparison with Quarto needs `quarto` on the PATH.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import czech
import nbformat
from record import ROOT, Figure, show, write

from samizdat.base.files import write_text
from samizdat.publishing.page_by_pandoc import render_page
from samizdat.publishing.page_by_quarto import find_quarto, render_with_quarto

sys.path.insert(0, str(ROOT / "tests"))

import report_pdf

from conftest import WORKFLOW_FILES
from support import browsing, plain_notebooks

PROJECT = ROOT / "report"
SEEN = re.compile(r"as executed before")
# The ids of sections, figures and tables; not those that Quarto gives to captions.
FLOAT = re.compile(r'id="((?:sec|fig|tbl)-(?![\w-]*-caption-)[\w-]+)"')
PROSE = "\nA sentence that was added to see how long it takes.\n"


@dataclass
class Page:
    """The page of one run by one renderer, and the problems that were found in it."""

    corpus: str
    renderer: str
    path: Path
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)


def main() -> None:
    """Run all checks, show and record their figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the tiny run alone; record nothing")
    quick = parser.parse_args().quick
    if browsing.CHROMIUM is None:
        sys.exit("this needs Chromium on the PATH (Debian's package chromium)")
    overlays = {"tiny": ["config/tiny.yaml"]} if quick else {"demo": [], "czech": ["config/czech.yaml"]}
    if not quick:
        czech.main()
    with tempfile.TemporaryDirectory(prefix="samizdat-") as name:
        folder = Path(name)
        for overlay in overlays.values():
            snakemake(ROOT, overlay)
        seconds = {corpus: rerender(folder / corpus, corpus, overlay) for corpus, overlay in overlays.items()}
        hostile = browsing.publish_hostile(folder)
        notebooks = {corpus: ROOT / "results" / corpus / "report" / "quarto.ipynb" for corpus in overlays}
        notebooks["arabic"] = report_pdf.publish_arabic(folder).with_name("quarto.ipynb")
        notebooks["hostile"] = hostile.with_name("quarto.ipynb")
        pages, differing = render(notebooks, folder)
        look(pages)
        failed = attack(next(page for page in pages if page.corpus == "hostile" and page.renderer == "embedded"))
        lacking = compare(pages)
        papers = report_pdf.make_pdfs(notebooks, folder)
        not_shown = report_pdf.vanished(papers[-1])
        printed = print_pages(pages)
        raw = [
            found
            for path in notebooks.values()
            for found in plain_notebooks.raw_syntax(nbformat.read(path.with_name("report.ipynb"), as_version=4))
        ]
    figures = figures_of(pages, failed, seconds, differing, lacking)
    figures |= report_pdf.figures_of(papers, printed, not_shown)
    what = f"raw syntax of Quarto visible in the notebook that is handed in ({', '.join(notebooks)})"
    figures["raw_syntax"] = Figure(what, len(raw), 0, True)
    show(figures)
    notes = {
        "pages": [vars(page) | {"path": page.path.name} for page in pages],
        "hostile": failed,
        "pdfs": [vars(paper) | {"path": paper.path.name} for paper in papers],
        "not_shown_in_pdf": not_shown,
        "cut_by_printing": printed,
        "rerender_seconds": seconds,
        "lacking": lacking,
    }
    if not quick:
        write("report", figures, notes)


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


def render(notebooks: dict[str, Path], folder: Path) -> tuple[list[Page], dict[str, int]]:
    """Render every notebook twice by each renderer; return the pages, and how many bytes differ by renderer."""
    quarto = find_quarto()
    pages, differing = [], {}
    for renderer in ("embedded", *(["quarto"] if quarto else [])):
        differing[renderer] = 0
        for corpus, notebook in notebooks.items():
            first, second = (
                render_page(nbformat.read(notebook, as_version=4), PROJECT)
                if renderer == "embedded"
                else render_with_quarto(quarto, notebook, PROJECT, folder / f"quarto-{corpus}-{time_}")
                for time_ in (1, 2)
            )
            differing[renderer] += differing_bytes(first.encode(), second.encode())
            path = folder / f"{corpus}-{renderer}.html"
            write_text(path, first)
            pages.append(Page(corpus, renderer, path))
    return pages, differing


def differing_bytes(first: bytes, second: bytes) -> int:
    """Count the places in which two files differ; the additional bytes of the longer one differ, too."""
    return sum(a != b for a, b in zip(first, second, strict=False)) + abs(len(first) - len(second))


def look(pages: list[Page]) -> None:
    """Open each page, light and dark, folded and unfolded; record its requests and what axe finds."""
    for page, scheme, watched in opened(pages, ("light", "dark")):
        for state in ("folded", "unfolded"):
            page.violations += [f"{scheme}, {state}: {found}" for found in watched.violations()]
            watched.unfold()
        page.requests += [what for kind, what in watched.seen if kind == "request"]
        page.complaints += [f"{kind}: {what}" for kind, what in watched.seen if kind != "request"]


def attack(page: Page) -> dict[str, list[str]]:
    """Open the page, wide and narrow; return hostile strings that are not shown, that ran, or that are too wide."""
    failed: dict[str, list[str]] = {"vanished": [], "ran": [], "too wide": []}
    for size in ("wide", "narrow"):
        for _, _, watched in opened([page], ("light",), size):
            watched.unfold()
            failed["vanished"] += browsing.vanished(watched)
            failed["ran"] += [what for _, what in watched.seen] + [
                w for w in [watched.page.evaluate("window.ran")] if w
            ]
            failed["too wide"] += [element[:200] for element in watched.too_wide()]
    return failed


def print_pages(pages: list[Page]) -> dict[str, list[str]]:
    """Return what a sheet of A4 cuts off each page."""
    found = {}
    for page, _, watched in opened(pages, ("light",)):
        watched.unfold()
        found[f"{page.corpus}, {page.renderer}"] = [element[:200] for element in watched.cut_on_paper()]
    return found


def opened(pages: list[Page], schemes: tuple[str, ...], size: str = "wide") -> Iterator[tuple[Page, str, Any]]:
    """Open each page in a new browser window for each colour scheme; yield them."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**browsing.LAUNCH)
        for page in pages:
            for scheme in schemes:
                watched = browsing.Watched(browser, page.path, size, color_scheme=scheme)
                yield page, scheme, watched
                watched.close()
        browser.close()


def compare(pages: list[Page]) -> list[str]:
    """Return the sections, figures and tables of Quarto's pages that the embedded pages lack."""
    found = {(page.corpus, page.renderer): set(FLOAT.findall(page.path.read_text("utf-8"))) for page in pages}
    return [
        f"{corpus}: {identifier}"
        for (corpus, renderer), identifiers in found.items()
        if renderer == "quarto"
        for identifier in sorted(identifiers - found[corpus, "embedded"])
    ]


def figures_of(
    pages: list[Page], failed: dict[str, list[str]], seconds: dict[str, float], differing: dict[str, int],
    lacking: list[str],
) -> dict[str, Figure]:  # fmt: skip
    """Make the figures; those of Quarto only where it is installed."""
    corpora = ", ".join(dict.fromkeys(page.corpus for page in pages))
    renderers = " and ".join(differing)
    tried = len(set(browsing.PROMPTS))
    figures = {
        "requests": Figure(
            f"requests that the opened pages make ({corpora}; {renderers})",
            sum(len(page.requests) for page in pages), 0, True,
        ),
        "axe_violations": Figure(
            f"axe violations, light and dark ({corpora}; {renderers})",
            sum(len(page.violations) for page in pages), 0, True,
        ),
        "hostile_strings": Figure(
            f"hostile strings that run, vanish or break the layout, of {tried} in corpus, label, group, prompt, title "
            "and notes", sum(map(len, failed.values())), 0, True,
        ),
        "rerender_seconds": Figure(
            "re-render after an edit of prose, no cell executed again, seconds at most", max(seconds.values()), 20, True
        ),
        **{
            f"differing_bytes_{renderer}": Figure(f"bytes that differ between two renders, {renderer}", number, 0, True)
            for renderer, number in differing.items()
        },
    }  # fmt: skip
    if "quarto" in differing:
        what = "sections, figures and tables of Quarto's pages that the embedded ones lack"
        figures["lacking"] = Figure(what, len(lacking), 0, True)
    return figures


if __name__ == "__main__":
    main()
