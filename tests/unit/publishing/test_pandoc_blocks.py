"""A notebook as one document: numbered, cross-referenced and framed."""

import html
import re

import nbformat
import pytest

from samizdat.base.errors import UserError
from support.report_page import FLOATS, PNG, markdown, page_of


def test_sections_figures_and_tables_are_numbered_and_referred_to():
    page = page_of(*FLOATS)
    assert '<h2><a href="#sec-first" class="number">1</a> First</h2>' in page
    assert '<h3><a href="#sec-below" class="number">1.1</a> Below</h3>' in page
    assert '<h2><a href="#sec-last" class="number">2</a> Last</h2>' in page
    assert re.findall(r'<a href="(#[\w-]+)" class="reference">([^<]*)</a>', page) == [
        ("#fig-b", "Figure\u00a02"), ("#tbl-a", "Table\u00a01"), ("#sec-last", "Section\u00a02"),
    ]  # fmt: skip
    for identifier in ("sec-first", "sec-below", "sec-last", "fig-a", "fig-b", "tbl-a"):
        assert page.count(f'id="{identifier}"') == 1


def test_captions_are_above_figures_and_tables():
    page = page_of(*FLOATS)
    figure = re.search(r'<figure id="fig-a" class="fig">(.*?)</figure>', page).group(1)
    assert figure == (
        '<figcaption><span class="number">Figure 1:</span> Caption <em>a</em></figcaption>'
        '<div class="scroll" role="group" aria-label="Figure" tabindex="0">'
        f'<img src="data:image/png;base64,{PNG}" alt="Alt &lt;a&gt;" width=720 height=300></div>'
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
