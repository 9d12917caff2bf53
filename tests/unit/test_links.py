"""Each link of the pages leads to a file that exists, and to a heading in it."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [
    path.relative_to(ROOT).as_posix()
    for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("config/*.md"))
]
FENCED = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)


def text_of(path):
    """Read a page without its blocks of code."""
    return FENCED.sub("", path.read_text(encoding="utf-8"))


def anchors(page):
    """Return the anchors of a page's headings, as GitHub writes them: letters, digits, "-" and "_"."""
    found = set()
    for heading in re.findall(r"^#+ (.+)$", page, re.MULTILINE):
        name = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        found.add(next(one for number in range(100) if (one := f"{name}-{number}" if number else name) not in found))
    return found


def broken(page, text):
    """List the links in a page's text that lead nowhere."""
    lost = []
    for target in re.findall(r"\]\((?!https?:|mailto:)([^)\s]+)\)", text):
        name, _, section = target.partition("#")
        file = (page.parent / name) if name else page
        if not file.exists() or (section and section not in anchors(text_of(file))):
            lost.append(target)
    return lost


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page):
    path = ROOT / page
    assert not broken(path, text_of(path))


def test_a_link_that_leads_nowhere_is_found():
    page = ROOT / "README.md"
    links = "[a](docs/nothing.md) [b](#no-such-heading) [c](docs/design.md#rooms) [d](docs/design.md#attics) [e](docs)"
    assert broken(page, links) == ["docs/nothing.md", "#no-such-heading", "docs/design.md#attics"]
