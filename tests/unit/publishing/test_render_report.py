"""The page: numbered, cross-referenced and framed by the embedded renderer; by Quarto where there is one."""

import base64
import hashlib
import html
import os
import re
from pathlib import Path

import nbformat
import pytest
import yaml

from samizdat.base.errors import UserError
from samizdat.base.escaping import escape
from samizdat.publishing.page_by_pandoc import render_page
from samizdat.publishing.page_by_quarto import find_quarto, render_with_quarto
from samizdat.publishing.render_report import render_report
from support.run_fixture import publish

ROOT = Path(__file__).parents[3]
PROJECT = ROOT / "report"
PNG = base64.b64encode(b"\x89PNG, as good as any").decode()


def markdown(text):
    return nbformat.v4.new_output("display_data", {"text/markdown": text})


def picture(**metadata):
    return nbformat.v4.new_output("display_data", {"image/png": PNG}, metadata={"image/png": metadata})


def page_of(*cells, title="A title", **block):
    """The page of a notebook of Markdown cells (strings) and code cells (source, outputs), as one line."""
    made = [nbformat.v4.new_raw_cell(f"---\n{yaml.safe_dump({'lang': 'en', 'title': escape(title)} | block)}---")]
    for cell in cells:
        made.append(
            nbformat.v4.new_markdown_cell(cell)
            if isinstance(cell, str)
            else nbformat.v4.new_code_cell(cell[0], outputs=list(cell[1:]))
        )
    page = render_page(nbformat.v4.new_notebook(cells=made), PROJECT)
    return re.sub(r"\s*\n\s*", "", page)


FLOATS = (
    "## First {#sec-first}\n\nSee @fig-b, @tbl-a and @sec-last.",
    ('#| label: fig-a\n#| fig-cap: "Caption *a*"\n#| fig-alt: "Alt &#60;a&#62;"\nf()', picture(width=720, height=300)),
    "### Below {#sec-below}",
    ('#| label: tbl-a\n#| tbl-cap: "Caption ta"\ng()', markdown("| x | y |\n|:--|--:|\n| 1 | 2 |")),
    ('#| label: fig-b\n#| fig-cap: "Caption b"\n#| echo: false\nh()', picture()),
    "## Last {#sec-last}",
)


def test_sections_figures_and_tables_are_numbered_and_referred_to():
    page = page_of(*FLOATS)
    assert '<h2><span class="number">1</span> First</h2>' in page
    assert '<h3><span class="number">1.1</span> Below</h3>' in page
    assert '<h2><span class="number">2</span> Last</h2>' in page
    assert re.findall(r'<a href="(#[\w-]+)" class="reference">([^<]*)</a>', page) == [
        ("#fig-b", "Figure\u00a02"), ("#tbl-a", "Table\u00a01"), ("#sec-last", "Section\u00a02"),
    ]  # fmt: skip
    for identifier in ("sec-first", "sec-below", "sec-last", "fig-a", "fig-b", "tbl-a"):
        assert page.count(f'id="{identifier}"') == 1


def test_the_contents_list_the_sections_in_order():
    page = page_of(*FLOATS, "#### Too deep {#sec-deep}")
    listed = re.findall(
        r'<li class="level-(\d)"><a href="#([\w-]+)"><span class="number">([\d.]+)</span> ([^<]*)', page
    )
    assert listed == [
        ("2", "sec-first", "1", "First"),
        ("3", "sec-below", "1.1", "Below"),
        ("2", "sec-last", "2", "Last"),
    ]


def test_captions_stand_below_figures_and_above_tables():
    page = page_of(*FLOATS)
    figure = re.search(r'<figure id="fig-a" class="fig">(.*?)</figure>', page).group(1)
    assert figure.endswith(
        f'<img src="data:image/png;base64,{PNG}" alt="Alt &lt;a&gt;" width=720 height=300></div>'
        '<figcaption><span class="number">Figure 1:</span> Caption <em>a</em></figcaption>'
    )
    table = re.search(r'<figure id="tbl-a" class="tbl">(.*?)</figure>', page).group(1)
    assert table.startswith(
        '<figcaption><span class="number">Table 1:</span> Caption ta</figcaption><div class="scroll"'
    )


def test_code_is_folded_unless_it_is_not_to_be_shown():
    page = page_of(
        ("#| label: a\nshown('```')  # <b>",),
        ("#| label: b\n#| echo: false\nhidden()", markdown("An *output*.")),
        ("#| include: false\nexcluded()", markdown("Nothing.")),
    )
    assert '<details class="code"><summary>Code</summary>' in page
    assert html.unescape(re.search(r"<code[^>]*>(.*?)</code>", page).group(1)) == "shown('```')  # <b>"
    assert "<p>An <em>output</em>.</p>" in page
    assert "hidden()" not in page and "excluded()" not in page and "Nothing." not in page


def test_callouts_have_titles_and_fold():
    page = page_of(
        '::: {.callout-note title="Read <this>"}\nWords.\n:::',
        '::: {.callout-warning collapse="true"}\nMore.\n:::',
    )
    assert '<div class="callout note"><p class="title">Read &lt;this&gt;</p><p>Words.</p></div>' in page
    assert '<details class="callout warning"><summary>Warning</summary><p>More.</p></details>' in page


def test_a_reference_that_leads_nowhere_is_refused():
    with pytest.raises(UserError, match="refers to @fig-nowhere, and nothing in it has that label"):
        page_of("See @fig-nowhere.")


def test_what_cannot_be_shown_is_refused_by_the_name_of_its_cell():
    with pytest.raises(UserError, match=r"the cell 'odd' puts out application/x, which"):
        page_of(("#| label: odd\nx", nbformat.v4.new_output("display_data", {"application/x": "x"})))


def test_plain_output_is_shown_as_it_is():
    printed = nbformat.v4.new_output("stream", text="```\n</pre><b> *x* $y$\n\n::: z")
    page = page_of(("x", printed))
    assert "<pre>```&#10;&lt;/pre&gt;&lt;b&gt; *x* $y$&#10;&#10;::: z</pre>" in page


def test_a_title_is_text_in_the_tab_and_on_the_page():
    title = '<script>x</script> {{< meta >}} $a$ *b* "c" % GPT-2'
    page = page_of("Words.", title=title, author=escape("% A <b>\nB"), subtitle=escape("*Course*"))
    assert html.unescape(re.search("<title>(.*?)</title>", page).group(1)) == title
    heading = re.sub(r"</?span[^>]*>", "", re.search("<h1>(.*?)</h1>", page).group(1))
    assert "<" not in heading and html.unescape(heading) == title
    assert '<p class="subtitle">*Course*</p><p class="author">% A &lt;b&gt;<br>B</p>' in page


def test_text_cannot_take_the_place_of_a_picture():
    text = escape('<img src="figure:0" src="figure:1">')
    page = page_of(f"Text: {text}", ("#| echo: false\nx", picture()), ("#| echo: false\ny", picture()))
    assert page.count(f'<img src="data:image/png;base64,{PNG}"') == 2
    assert '&lt;img src="figure:0" src="figure:1"&gt;' in page


def test_the_whole_report_is_the_same_bytes_twice(made_up):
    page = (made_up / "report" / "report.html").read_bytes()
    notebook = (made_up / "report" / "report.ipynb").read_bytes()
    publish(made_up)
    assert (made_up / "report" / "report.html").read_bytes() == page
    assert (made_up / "report" / "report.ipynb").read_bytes() == notebook


def test_every_float_of_the_report_has_a_caption_and_every_figure_says_what_it_shows(made_up):
    page = (made_up / "report" / "report.html").read_text()
    kinds = re.findall(r"^#\| (fig|tbl)-cap:", (PROJECT / "index.qmd").read_text(), re.MULTILINE)
    assert page.count("<figure id=") == page.count("<figcaption>") == len(kinds)
    alternatives = re.findall(r'<img src="data:image/png;base64,[^"]+" alt="([^"]*)"', page)
    assert len(alternatives) == kinds.count("fig") and min(map(len, alternatives)) > 50


# A `quarto` that notes how it was called and gives the page that the test left for it.
FAKE = """#!/bin/sh
if [ "$1" = --version ]; then echo "$FAKE_VERSION"; exit 0; fi
{ echo "$@"; pwd; echo "$QUARTO_PYTHON"; ls; } > "$FAKE_LOG"
cp _quarto.yml "$FAKE_LOG.yml"
cp "$FAKE_PAGE" report.html
printf "Rendering\\n%s\\nTrace\\n" "$FAKE_WORDS" >&2
exit "$FAKE_STATUS"
"""
FAKE_PAGE = """<!DOCTYPE html>
<html><head>
<meta charset="utf-8">
<script src="data:application/javascript;base64,{script}"></script>
</head><body><p>Rendered.</p></body></html>"""


@pytest.fixture
def fake_quarto(tmp_path, monkeypatch):
    """A folder with a program called `quarto` alone on the PATH, whose behaviour variables of the environment say."""
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "quarto"
    program.write_text(FAKE, encoding="utf-8")
    program.chmod(0o755)
    script = base64.b64encode(b"window.go = 1").decode()
    (tmp_path / "page.html").write_text(FAKE_PAGE.format(script=script), encoding="utf-8")
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}/usr/bin{os.pathsep}/bin")
    for name, value in (
        ("VERSION", "1.7.34"),
        ("LOG", tmp_path / "log"),
        ("STATUS", "0"),
        ("PAGE", tmp_path / "page.html"),
    ):
        monkeypatch.setenv(f"FAKE_{name}", str(value))
    return tmp_path


def test_quarto_renders_where_it_is_on_the_path(fake_quarto, made_up):
    page = fake_quarto / "out" / "report.html"
    said = render_report(made_up / "report" / "report.ipynb", PROJECT, page, fake_quarto / "work")
    assert said.endswith("MB by Quarto")
    arguments, folder, python, *files = (fake_quarto / "log").read_text().splitlines()
    assert arguments == "render report.ipynb --to html"
    assert Path(folder).resolve() == (fake_quarto / "work" / "quarto").resolve() and Path(python).is_file()
    look = [
        path.name for pattern in ("*.scss", "tables.*", "scripts.html", "quarto.html") for path in PROJECT.glob(pattern)
    ]
    assert set(files) == {"_quarto.yml", "report.ipynb", "vendor", *look}
    config = yaml.safe_load((fake_quarto / "log.yml").read_text())
    assert "pre-render" not in config["project"] and config["execute"] == {"enabled": False}
    shown = page.read_text()
    assert "<script>window.go = 1</script>" in shown and "script-src 'sha256-" in html.unescape(shown)


def test_quarto_that_fails_is_an_error_and_leaves_no_page(fake_quarto, made_up, monkeypatch):
    monkeypatch.setenv("FAKE_STATUS", "1")
    page = fake_quarto / "out" / "report.html"
    monkeypatch.setenv("FAKE_WORDS", "ERROR: no theme\nwas found")
    with pytest.raises(UserError, match="quarto could not render the notebook: ERROR: no theme was found"):
        render_report(made_up / "report" / "report.ipynb", PROJECT, page, fake_quarto / "work")
    assert not page.exists()


@pytest.mark.parametrize("version", ["1.6.42", "unknown"])
def test_quarto_that_is_too_old_is_left_alone(fake_quarto, made_up, monkeypatch, version):
    monkeypatch.setenv("FAKE_VERSION", version)
    page = fake_quarto / "out" / "report.html"
    said = render_report(made_up / "report" / "report.ipynb", PROJECT, page, fake_quarto / "work")
    assert said.endswith("by the embedded renderer")
    assert page.read_text() == (made_up / "report" / "report.html").read_text()


@pytest.mark.skipif(find_quarto() is None, reason="needs Quarto 1.7 or newer on the PATH")
def test_the_page_of_a_real_quarto_has_all_that_the_embedded_one_has(made_up, tmp_path):
    notebook = made_up / "report" / "report.ipynb"
    first, second = (render_with_quarto(find_quarto(), notebook, PROJECT, tmp_path / name) for name in ("a", "b"))
    assert first == second
    embedded = (made_up / "report" / "report.html").read_text()
    for identifier in re.findall(r'id="((?:sec|fig|tbl)-[\w-]+)"', embedded):
        assert f'id="{identifier}"' in first, identifier
    captions = set(re.findall(r"((?:Figure|Table)\s\d+):", html.unescape(first).replace("\u00a0", " ")))
    assert captions == set(re.findall(r">((?:Figure|Table)\s\d+):", html.unescape(embedded).replace("\u00a0", " ")))
    assert not re.search(r"\?@(?:fig|tbl|sec)-", first)
    assert not re.search(r'(?:src|href)="(?:https?:)?//', first)


def test_the_vendored_library_is_the_published_one_and_both_scripts_go_into_the_page(made_up):
    library = PROJECT / "vendor" / "tablesort.min.js"
    assert hashlib.sha256(library.read_bytes()).hexdigest() in (PROJECT / "vendor" / "README.md").read_text()
    page = (made_up / "report" / "report.html").read_text()
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    assert scripts == [library.read_text(), (PROJECT / "tables.js").read_text()]
    policy = html.unescape(re.search(r'content="(default-src[^"]*)"', page).group(1))
    hashes = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    assert policy.split("script-src ")[1].split() == sorted(f"'sha256-{one}'" for one in hashes)
