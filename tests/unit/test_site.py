"""The website of docs/: each page is in its navigation once, and what it names exists."""

import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pypandoc
import yaml

from conftest import ROOT

DOCS = ROOT / "docs"
SITE = yaml.safe_load((DOCS / "_quarto.yml").read_text(encoding="utf-8"))


def pages(contents: list[dict[str, Any]]) -> Iterator[str]:
    """Yield the pages of a navigation, and of its sections."""
    for item in contents:
        yield from pages(item["contents"]) if "section" in item else [item["href"]]


def lacking(navigation: list[dict[str, Any]]) -> dict[str, int]:
    """Return the pages that are in a navigation not exactly once, and how often they are."""
    found = Counter(pages(navigation))
    every = {path.name for pattern in ("*.md", "*.ipynb") for path in DOCS.glob(pattern)}
    return {page: found[page] for page in sorted(every | found.keys()) if found[page] != 1 or page not in every}


def test_every_page_is_in_the_navigation_once():
    assert lacking(SITE["website"]["sidebar"]["contents"]) == {}


def test_a_page_that_is_lacking_or_twice_there_is_found():
    twice = [*SITE["website"]["sidebar"]["contents"][1:], {"text": "x", "href": "faq.md"}]
    assert lacking([*twice, {"text": "x", "href": "none.md"}]) == {"faq.md": 2, "index.md": 0, "none.md": 1}


def test_the_parts_are_those_that_readers_look_for():
    parts = [item.get("section", item.get("text")) for item in SITE["website"]["sidebar"]["contents"]]
    assert parts == ["Start", "Tutorial", "How to …", "Reference", "Explanation", "FAQ"]


def test_the_first_page_leads_to_every_other():
    text = (DOCS / "index.md").read_text(encoding="utf-8")
    every = pages(SITE["website"]["sidebar"]["contents"])
    assert [page for page in every if page != "index.md" and f"]({page})" not in text] == []


def test_its_files_exist_and_git_ignores_what_it_makes():
    for file in (*SITE["filters"], *SITE["project"]["resources"]):
        assert (DOCS / file).is_file()
    made = [f"docs/{SITE['project']['output-dir']}/index.html", "docs/.quarto/x"]
    done = subprocess.run(["git", "check-ignore", *made], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.split() == made or "not a git repository" in done.stderr


def test_a_link_that_leads_out_of_the_pages_becomes_the_name_of_the_file():
    page = "# A page\n\n[Code](../workflow/x.py), [x.py](../x.py), [here](faq.md#memory) and [there](https://a.org).\n"
    filtered = ["--standalone", f"--lua-filter={DOCS / 'site.lua'}"]
    made = pypandoc.convert_text(page, "html", "markdown", extra_args=filtered)
    assert "Code (<code>workflow/x.py</code>), <code>x.py</code>" in made
    assert 'href="faq.md#memory"' in made and 'href="https://a.org"' in made and 'href="../' not in made
    assert "<title>A page</title>" in made and len(re.findall(r"<h1.*?>A page</h1>", made)) == 1
