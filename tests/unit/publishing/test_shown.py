"""What cells put out decides about titles, captions and folded boxes."""

import html

import nbformat

from samizdat.publishing.cells import cell_options
from samizdat.publishing.shown import finish
from support import hostile
from support.report_page import markdown, page_of, picture

TABLE = markdown("| x |\n|---|\n| 1 |")


def finished(*cells):
    """Markdown cells (strings) and code cells (source, outputs), after they were fitted to their outputs."""
    made = [
        nbformat.v4.new_markdown_cell(cell)
        if isinstance(cell, str)
        else nbformat.v4.new_code_cell(cell[0], outputs=list(cell[1:]))
        for cell in cells
    ]
    notebook = nbformat.v4.new_notebook(cells=made)
    finish(notebook)
    return notebook.cells


FIGURE = '#| label: fig-a\n#| fig-cap: "Lines. Data: `a.csv`"\nf(run)'


def test_the_title_of_a_picture_begins_its_caption_and_its_alternative_text_is_an_option():
    (cell,) = finished((FIGURE, picture(title="*a* is “b”", alt="*a* is “b”. Lines.")))
    assert cell_options(cell.source) == {
        "label": "fig-a",
        "fig-cap": "**&#42;a&#42; is “b”.** Lines. Data: `a.csv`",
        "fig-alt": "&#42;a&#42; is “b”. Lines.",
    }
    assert cell.source.endswith("\nf(run)")
    finish(nbformat.v4.new_notebook(cells=[cell]))
    assert cell_options(cell.source)["fig-alt"] == "&#42;a&#42; is “b”. Lines."


def test_names_from_right_to_left_are_elements_of_their_own_and_isolated_in_the_alternative_text():
    (cell,) = finished((FIGURE, picture(title="Of “\u2068ש*ם\u2069” 3 % \u202e", alt="\u2068שם\u2069: 3 %, \u2068x")))
    options = cell_options(cell.source)
    assert options["fig-cap"] == "**Of “<bdi>ש&#42;ם</bdi>” 3 % ⟨U&#43;202E⟩.** Lines. Data: `a.csv`"
    assert html.unescape(options["fig-alt"]) == "\u2068שם\u2069: 3 %, ⟨U+2068⟩x"


def test_a_hostile_title_is_text_of_the_caption():
    for title in (text for text in hostile.HTML + hostile.TEMPLATES + hostile.MARKDOWN if "\n" not in text):
        (cell,) = finished((FIGURE, picture(title=title, alt="a")))
        assert cell_options(cell.source)["fig-cap"].endswith(".** Lines. Data: `a.csv`"), title
        assert "{{" not in cell.source
    page = page_of((finished((FIGURE, picture(title="<b>{{< x >}}", alt="a")))[0].source, picture()))
    assert "<strong>&lt;b&gt;{<span></span>{&lt; x &gt;}<span></span>}.</strong> Lines. Data:" in page


def test_a_folded_box_of_cells_that_show_nothing_is_left_out():
    opening, end = 'Before.\n\n::: {.callout-note collapse="true" title="More"}', ":::\n\nAfter."
    shown = [cell.source for cell in finished(opening, ("a",), ("b",), end)]
    assert shown == ["Before.", "After."]
    assert len(finished(opening, ("a",), ("b", TABLE), end)) == 4
    first, second = (f'::: {{.callout-note collapse="true" title="{name}"}}' for name in "ab")
    shown = [cell.source for cell in finished(first, ("a",), f":::\n\n{second}", ("b", TABLE), ":::")]
    assert shown == [second, "b", ":::"]
    assert [cell.source for cell in finished(first, ("a",), f":::\n\n{second}", ("b",), ":::\n")] == []
