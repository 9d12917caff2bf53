"""The notebook that is handed in: the same outputs, in Markdown that every program for notebooks shows."""

import html
import re

import nbformat
import pytest

from samizdat.base.errors import UserError
from samizdat.base.escaping import escape
from samizdat.publishing.notes import safe_markdown
from samizdat.publishing.plain_notebook import make_plain
from support import hostile
from support.plain_notebooks import RAW_SYNTAX, raw_syntax, words_of
from support.report_page import FLOATS, executed, markdown, picture


def written(*cells, **block):
    """The cells of the plain notebook: the sources."""
    return [cell.source for cell in make_plain(executed(*cells, **block), "results/demo/report/").cells]


@pytest.fixture(scope="module")
def pair(made_up):
    """The whole report, made up: as Quarto reads it, and plain."""
    return tuple(nbformat.read(made_up / "report" / f"{name}.ipynb", 4) for name in ("quarto", "report"))


def test_outputs_and_code_are_those_of_the_execution(pair):
    quarto, plain = ([cell for cell in notebook.cells if cell.cell_type == "code"] for notebook in pair)
    assert [cell.outputs for cell in quarto] == [cell.outputs for cell in plain]
    assert [re.sub(r"(?m)^#\|.*\n", "", cell.source) for cell in quarto] == [cell.source for cell in plain]
    assert [cell.execution_count for cell in plain] == list(range(1, len(plain) + 1))
    assert all(cell.metadata.jupyter.source_hidden for cell in plain)
    pictures = [output for cell in plain for output in cell.outputs if "image/png" in output.get("data", {})]
    assert pictures and all(len(output.metadata["image/png"].alt) > 50 for output in pictures)


def test_the_notebook_is_valid_has_no_syntax_of_quarto_and_no_state_of_widgets(pair):
    nbformat.validate(pair[1])
    assert len(raw_syntax(pair[0])) > 100 and raw_syntax(pair[1]) == []
    assert set(pair[1].metadata) == {"kernelspec", "language_info"}
    assert "metadata" not in make_plain(executed("Words."), "results/demo/report/").metadata


def test_sections_tables_and_figures_are_numbered_as_on_the_page(pair, made_up):
    page = html.unescape((made_up / "report" / "report.html").read_text(encoding="utf-8"))
    cells = words_of(pair[1])
    captions = re.findall(
        r'<figure id="([\w-]+)".*?<figcaption><span class="number">(.*?):</span> (.*?)</figcaption>', page, re.DOTALL
    )
    # On the page a blank between word and number never breaks.
    expected = [(name, re.sub(r"\s", " ", number)) for name, number, _ in captions]
    found = [re.fullmatch(r'<a id="([\w-]+)"></a>\n\n\*\*((?:Table|Figure)\s\d+):\*\* \S.*', cell) for cell in cells]
    assert [one.groups() for one in found if one] == expected
    headings = re.findall(r'<a href="#([\w-]+)"><span class="number">([\d.]+)</span> ([^<]*)', page)
    found = [re.match(r'<a id="([\w-]+)"></a>\n\n#+ ([\d.]+) (.*)', cell) for cell in cells]
    assert [one.groups() for one in found if one] == headings


def test_every_reference_is_a_link_with_the_number_of_its_target(pair):
    text = "\n\n".join(words_of(pair[1]))
    targets = set(re.findall(r'<a id="([\w-]+)"></a>', text))
    links = re.findall(r"\[((?:Table|Figure|Section)\s[\d.]+)\]\(#([\w-]+)\)", text)
    assert len(links) > 7 and {name for _, name in links} <= targets
    numbers = dict(re.findall(r'<a id="([\w-]+)"></a>\n\n\*\*(.*?):\*\*', text))
    assert {(name, words.replace("\u00a0", " ")) for words, name in links if name in numbers} <= set(numbers.items())


def test_a_caption_is_a_cell_in_front_of_its_output():
    assert written(*FLOATS)[1:] == [
        '<a id="sec-first"></a>\n\n## 1 First\n\n'
        "See [Figure\u00a02](#fig-b), [Table\u00a01](#tbl-a) and [Section\u00a02](#sec-last).",
        '<a id="fig-a"></a>\n\n**Figure 1:** Caption *a*',
        "f()",
        '<a id="sec-below"></a>\n\n### 1.1 Below',
        '<a id="tbl-a"></a>\n\n**Table 1:** Caption ta',
        "g()",
        '<a id="fig-b"></a>\n\n**Figure 2:** Caption b',
        "h()",
        '<a id="sec-last"></a>\n\n## 2 Last',
    ]


def test_a_callout_is_a_quote_and_code_in_it_comes_after_its_words():
    cells = written(
        'Before.\n\n::: {.callout-note collapse="true" title="A *title*"}\nInside.',
        ('#| label: tbl-a\n#| tbl-cap: "Words"\nf()', markdown("| x |\n|---|\n| 1 |")),
        "Also inside.\n:::\n\n::: {.callout-tip}\nBy itself.\n:::\n\n::: {.other}\nNo callout, [small]{.small}.\n:::",
    )
    assert cells[1:] == [
        "Before.\n\n> **A &#42;title&#42;**\n>\n> Inside.",
        '<a id="tbl-a"></a>\n\n**Table 1:** Words',
        "f()",
        '> Also inside.\n\n> **Tip**\n>\n> By itself.\n\nNo callout, <span class="small">small</span>.',
    ]


def test_the_first_cell_has_title_course_author_and_what_a_second_run_needs():
    title, again = written("Words.", subtitle=escape("A course"), author=escape("A *student*\nand another"))[0].split(
        "\n\nThis notebook "
    )
    assert title == "# A title\n\nA course\n\nA &#42;student&#42;<br>and another"
    assert again.startswith("is complete as it is. To run it again, you need") and "`results/demo/report/`" in again


def test_formulas_and_code_stay_what_jupyter_reads():
    words = "A formula $x_{1} < 2$, a snake_case, `code_*`, a word. (Brackets) 1. 2.5 “quoted” don’t"
    assert written(words)[1] == words.replace("snake_case", "snake&#95;case")
    assert written("$$\nx^2\n$$")[1] == "$$\nx^2\n$$"


def test_what_the_page_shows_no_code_of_nbconvert_shows_no_code_of_either():
    shown = ("f()", markdown("x"))
    cells = make_plain(executed(shown, *[(f"#| {key}: false\nf()", markdown("x")) for key in ("echo", "include")]), "a")
    assert [cell.metadata.get("transient") for cell in cells.cells[1:]] == [None, *[{"remove_source": True}] * 2]


def test_hostile_words_stay_words():
    everything = escape("\n".join(hostile.EVERY[:-1]))
    notes = safe_markdown("\n\n".join(hostile.EVERY))
    plain = make_plain(
        executed(f"## Notes {{#sec-notes}}\n\n{notes}", author=everything, title=everything), "results/demo/report/"
    )
    text = "\n\n".join(words_of(plain))
    # pandoc writes an empty comment between two lists.
    markup = re.sub(r"\$[^$\n]*\$|<!-- -->", "", text)
    tags = set(re.findall(r"<\s*/?\s*([a-zA-Z!?][\w-]*)", markup))
    assert tags <= {"a", "br", "bdi", "code", "pre", "span", "sub", "sup", "wbr"}
    assert all(re.fullmatch(r'id="(?:sec-notes|notes-\d+)"', found) for found in re.findall(r"<a ([^>]*)>", text))
    assert set(re.findall(r"<span ([^>]*)>", text)) <= {'class="mathjax_ignore tex2jax_ignore"'}
    assert RAW_SYNTAX.findall(text) == [] and "](javascript" not in text and "![" not in text
    shown = html.unescape(re.sub(r"<[^>]+>", "", text.replace("<br>", "\n")))
    assert [one for one in hostile.HTML if one not in shown and not set(one) & set("\\\t`")] == []


def test_a_word_without_end_has_places_to_break():
    cell = written(f"Words {'ab' * 5_000} more.")[1]
    assert cell.replace("<wbr>", "") == f"Words {'ab' * 5_000} more."
    assert max(map(len, re.findall(r"\w+", cell))) == 200


def test_a_reference_without_a_target_is_refused():
    with pytest.raises(UserError, match="refers to @fig-nowhere"):
        written("See @fig-nowhere.", ("f()", picture()))


def test_two_makings_are_the_same_bytes(pair, made_up):
    again = nbformat.writes(make_plain(pair[0], f"results/{made_up.name}/report/")) + "\n"
    assert again == (made_up / "report" / "report.ipynb").read_text(encoding="utf-8")
