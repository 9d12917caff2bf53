"""The page of the embedded renderer: contents, title, pictures, scripts, the same bytes each time."""

import base64
import hashlib
import html
import re
import shutil
from pathlib import Path

from samizdat.base.escaping import escape
from support.report_page import FLOATS, PNG, PROJECT, page_of, picture
from support.run_fixture import publish


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


def test_a_title_is_text_in_the_tab_and_on_the_page():
    title = '<script>x</script> {{< meta >}} $a$ *b* "c" % GPT-2'
    page = page_of("Words.", title=title, author=escape("% A <b>\nB"), subtitle=escape("*Course*"))
    assert html.unescape(re.search("<title>(.*?)</title>", page).group(1)) == title
    heading = re.sub(r"</?span[^>]*>", "", re.search("<h1>(.*?)</h1>", page).group(1))
    assert "<" not in heading and html.unescape(heading) == title
    assert '<p class="subtitle">*Course*</p><p class="author">% A &lt;b&gt;<br>B</p>' in page


def test_a_title_of_two_lines_is_one_line_in_the_tab():
    page = page_of("Words.", title="A report\nof letters")
    assert "<title>A report of letters</title>" in page and "<h1>A report<br>of letters</h1>" in page


def test_text_cannot_take_the_place_of_a_picture():
    text = escape('<img src="figure:0" src="figure:1">')
    page = page_of(f"Text: {text}", ("#| echo: false\nx", picture()), ("#| echo: false\ny", picture()))
    assert page.count(f'<img src="data:image/png;base64,{PNG}"') == 2
    assert '&lt;img src="figure:0" src="figure:1"&gt;' in page


def test_the_whole_report_is_the_same_bytes_twice(made_up, tmp_path):
    page = (made_up / "report" / "report.html").read_bytes()
    notebook = (made_up / "report" / "report.ipynb").read_bytes()
    again = Path(shutil.copytree(made_up, tmp_path / made_up.name))
    publish(again)
    assert (again / "report" / "report.html").read_bytes() == page
    assert (again / "report" / "report.ipynb").read_bytes() == notebook


def test_every_float_of_the_report_has_a_caption_and_every_figure_says_what_it_shows(made_up):
    page = (made_up / "report" / "report.html").read_text()
    labels = re.findall(r"^#\| label: ((?:fig|tbl)-.*)", (PROJECT / "index.qmd").read_text(), re.MULTILINE)
    shown = re.findall(r'<figure id="([\w-]+)" class="(?:fig|tbl)"><figcaption>', re.sub(r"\s*\n\s*", "", page))
    # The made-up run has few prompts, classifiers that fit and give one label, one pair of them, and words at random.
    assert set(labels) - set(shown) == {
        "tbl-more-steps", "tbl-more-held-out", "tbl-fitness", "tbl-raters", "fig-associations", "fig-several",
        "fig-several-samples", "fig-together", "tbl-several-quality", "tbl-several-differences", "fig-numbers",
        "tbl-numbers", "fig-examples", "tbl-group-terms", "tbl-sample-terms", "fig-positions",
    }  # fmt: skip
    assert page.count("<figure id=") == page.count("<figcaption>") == len(shown)
    alternatives = re.findall(r'<img src="data:image/png;base64,[^"]+" alt="([^"]*)"', page)
    of_the_summary = 3
    assert len(alternatives) == sum(one.startswith("fig") for one in shown) + of_the_summary
    assert min(map(len, alternatives)) > 50


def test_a_run_that_nobody_was_asked_about_has_no_section_of_that(made_up):
    page = (made_up / "report" / "report.html").read_text()
    assert "Asking people" not in page and "Every number by raters" not in page


def test_the_vendored_library_is_the_published_one_and_the_scripts_go_into_the_page(made_up):
    library = PROJECT / "vendor" / "tablesort.min.js"
    assert hashlib.sha256(library.read_bytes()).hexdigest() in (PROJECT / "vendor" / "README.md").read_text()
    page = (made_up / "report" / "report.html").read_text()
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    own = [(PROJECT / f"{name}.js").read_text() for name in ("words", "tables", "contents")]
    assert scripts == [library.read_text(), *own]
    policy = html.unescape(re.search(r'content="(default-src[^"]*)"', page).group(1))
    hashes = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    assert policy.split("script-src ")[1].split() == sorted(f"'sha256-{one}'" for one in hashes)
