"""Check the report: requests, accessibility, hostile text, size, equal bytes, paper, notebook, comparison with Quarto.

The demo and a Czech corpus are run first, unless they are finished; the Arabic and the hostile run are made up. Needs
Chromium on the PATH, and fonts for the hostile run; some checks need `quarto` or `jupyter-lab` on the PATH. How long it
takes is measured by `report_times.py`.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
from record import ROOT, Figure, show, write

from samizdat.base.files import write_text
from samizdat.publishing.page_by_pandoc import render_page
from samizdat.publishing.page_by_quarto import find_quarto, render_with_quarto

sys.path.insert(0, str(ROOT / "tests"))

import report_notebook
import report_pdf
from report_notebook import differing_bytes
from report_times import make_runs

from support import browsing

PROJECT = ROOT / "report"
# The ids of sections, figures and tables; not those that Quarto gives to captions.
FLOAT = re.compile(r'id="((?:sec|fig|tbl)-(?![\w-]*-caption-)[\w-]+)"')
TALLEST, TALLEST_WIDTH = 14_000, 1100  # pixels


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
    runs = make_runs(quick=quick)
    with tempfile.TemporaryDirectory(prefix="samizdat-") as name:
        folder = Path(name)
        hostile = browsing.publish_hostile(folder)
        notebooks = {corpus: ROOT / "results" / corpus / "report" / "quarto.ipynb" for corpus in runs}
        notebooks["arabic"] = report_pdf.publish_arabic(folder).with_name("quarto.ipynb")
        notebooks["hostile"] = hostile.with_name("quarto.ipynb")
        pages, differing = render(notebooks, folder)
        look(pages)
        heights = {f"{page.corpus}, {page.renderer}": height_of(page) for page in pages}
        failed = attack(next(page for page in pages if page.corpus == "hostile" and page.renderer == "embedded"))
        lacking = compare(pages)
        papers = report_pdf.make_pdfs(notebooks, folder)
        not_shown = report_pdf.vanished(papers[-1])
        printed = print_pages(pages)
        (folder / "lab").mkdir()
        handed_in = {corpus: path.with_name("report.ipynb") for corpus, path in notebooks.items()}
        seen = report_notebook.look(handed_in, folder / "lab")
        again = sum(report_notebook.differing(run, PROJECT / "index.qmd", folder / f"again-{run}") for run in runs)
    figures = figures_of(pages, failed, differing, lacking, heights)
    figures |= report_pdf.figures_of(papers, printed, not_shown)
    figures |= report_notebook.figures_of(seen, list(notebooks), again)
    show(figures)
    notes = {
        "pages": [vars(page) | {"path": page.path.name} for page in pages],
        "heights": heights,
        "hostile": failed,
        "notebooks": vars(seen),
        "pdfs": [vars(paper) | {"path": paper.path.name} for paper in papers],
        "not_shown_in_pdf": not_shown,
        "cut_by_printing": printed,
        "lacking": lacking,
    }
    if not quick:
        write("report", figures, notes)


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


def look(pages: list[Page]) -> None:
    """Open each page, light and dark, folded and unfolded; record its requests and what axe finds."""
    for page, scheme, watched in opened(pages, ("light", "dark")):
        for state in ("folded", "unfolded"):
            page.violations += [f"{scheme}, {state}: {found}" for found in watched.violations()]
            watched.unfold()
        page.requests += [what for kind, what in watched.seen if kind == "request"]
        page.complaints += [f"{kind}: {what}" for kind, what in watched.seen if kind != "request"]


def height_of(page: Page) -> int:
    """Measure a page with everything folded, in pixels."""
    for _, _, watched in opened([page], ("light",)):
        watched.page.set_viewport_size({"width": TALLEST_WIDTH, "height": 900})
        height: int = watched.page.evaluate("document.documentElement.scrollHeight")
    return height


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


def sans_serif() -> str:
    """Name the font that a browser takes where a page asks for one without serifs: the page's height depends on it."""
    asked = ["fc-match", "--format", "%{family}", "sans-serif"]
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split(",")[0]


def figures_of(
    pages: list[Page], failed: dict[str, list[str]], differing: dict[str, int], lacking: list[str],
    heights: dict[str, int],
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
        "page_height": Figure(
            f"height of the page in {sans_serif()}, {TALLEST_WIDTH} pixels wide, all folded ({next(iter(heights))}): "
            "pixels", next(iter(heights.values())), TALLEST, True,
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
