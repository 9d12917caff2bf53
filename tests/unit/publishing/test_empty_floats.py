"""Reports of runs without groups, labels or classifiers: no caption over nothing, no word of what is not there."""

import re

import nbformat
import pytest

from samizdat.publishing.empty_floats import _SENTENCE_END, without_empty_floats
from support.reading import plain
from support.run_fixture import ROOT, make_run, publish, sentences

SENTENCE = nbformat.v4.new_output("display_data", data={"text/markdown": "There is none."})
TABLE = nbformat.v4.new_output("display_data", data={"text/markdown": "| a |\n| :--- |\n| b |"})
PICTURE = nbformat.v4.new_output("display_data", data={"image/png": "aGk="})


def cut(*cells, has=frozenset({"classifiers"})):
    """The sources of the cells that are left; cells of code are pairs of a label and an output."""
    made = []
    for cell in cells:
        if isinstance(cell, str):
            made.append(nbformat.v4.new_markdown_cell(cell))
        else:
            source = f'#| label: {cell[0]}\n#| {cell[0][:3]}-cap: "Words."\nshow()'
            made.append(nbformat.v4.new_code_cell(source, outputs=[cell[1]] if cell[1] else []))
    notebook = nbformat.v4.new_notebook(cells=made)
    before = nbformat.writes(notebook)
    left = without_empty_floats(notebook, has=has)
    assert nbformat.writes(notebook) == before
    return [cell.source for cell in left.cells]


def test_a_sentence_in_the_place_of_a_figure_has_no_caption_and_no_reference():
    words = "@tbl-a counts. It is good. @fig-b shows it. More.\n\n- One.\n- **Two.** Three (@fig-b).\n"
    assert cut(words, ("tbl-a", TABLE), ("fig-b", SENTENCE), ("fig-c", PICTURE)) == [
        "@tbl-a counts. It is good. More.\n\n- One.\n",
        '#| label: tbl-a\n#| tbl-cap: "Words."\nshow()',
        "#| echo: false\nshow()",
        '#| label: fig-c\n#| fig-cap: "Words."\nshow()',
    ]


def test_sections_about_classifiers_are_left_out_where_there_is_none():
    words = "## A {#sec-a}\n\nSee @sec-b. And @fig-c. Yes.\n\n## B {#sec-b .needs-classifiers}\n\nWords.\n"
    cells = (words, ("fig-c", PICTURE), "### C {#sec-c}\n\nWords.\n\n## D {#sec-d}\n\n- Of @sec-c.\n- End.")
    assert cut(*cells, has=set()) == ["## A {#sec-a}\n\nYes.\n\n", "## D {#sec-d}\n\n- End."]
    assert cut(*cells)[0] == words.replace(" .needs-classifiers", "")


def test_the_section_of_what_is_inside_a_model_is_left_out_where_nothing_was_looked_at():
    words = "See @sec-b. Yes.\n\n### B {#sec-b .needs-inside}\n\nWords.\n\n## C {#sec-c}\n"
    assert cut(words, has={"classifiers"}) == ["Yes.\n\n## C {#sec-c}\n"]
    assert cut(words, has={"inside"}) == [words.replace(" .needs-inside", "")]


@pytest.mark.parametrize("shown", [None, SENTENCE])
def test_a_section_whose_cells_show_nothing_is_left_out(shown):
    words = "See @sec-d. Yes.\n\n## B {#sec-b .needs-classifiers}\n\n## D {#sec-d .needs-output}\n\nTold."
    found = cut(words, ("fig-d", shown), "## E {#sec-e}", ("fig-e", SENTENCE), has=set())
    assert found[0] == ("See @sec-d. Yes.\n\n## D {#sec-d}\n\nTold." if shown else "Yes.\n\n")
    assert len(found) == (4 if shown else 3)


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """A run without groups, human labels and classifiers."""
    run = make_run(
        tmp_path_factory.mktemp("bare") / "bare", texts=sentences(60), groups=(None,), labels={}, unprompted=8
    )
    publish(run)
    return run


def test_the_report_of_a_bare_run_says_nothing_of_what_is_not_there(bare):
    page = (bare / "report" / "report.html").read_text(encoding="utf-8")
    notebook = nbformat.read(bare / "report" / "report.ipynb", 4)
    floats = re.findall(r'<figure id="([\w-]+)".*?</figure>', page, re.DOTALL)
    for label in floats:
        inside = re.search(rf'<figure id="{label}".*?</figure>', page, re.DOTALL)[0]
        assert "<img" in inside or "<table" in inside, label
        assert "<figcaption>" in inside
    assert not {"fig-human-labels", "fig-shares", "tbl-cards", "fig-quality"} & set(floats)
    for words in (
        plain(re.sub(r"<[^>]+>", " ", page)),
        "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown"),
    ):
        for gone in ("The demo", "course asks", "Course", "how people labelled", "that each classifier"):
            assert gone not in words, gone
        assert "Classifiers are no people" not in words and "Jensen" not in words
        assert words.count("No classifier was applied") <= 1
    counts = [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1))


def test_a_report_keeps_the_sentences_of_sections_that_are_there(made_up):
    page = plain(re.sub(r"<[^>]+>", "", (made_up / "report" / "report.html").read_text(encoding="utf-8")))
    assert "Classifiers are no people. Shares and divergences inherit every error" in page
    assert "says how large those errors are." in page
    assert "People were asked" not in page, "nobody was"
    assert re.search(r"More: \S.* and \S.*\. Samples and texts: \S", page)
    assert "One test for each classifier asks" in page


def test_each_reference_to_a_section_that_may_be_missing_can_vanish_alone():
    document = (ROOT / "report" / "index.qmd").read_text(encoding="utf-8")
    optional = dict(re.findall(r"^#+ .*\{#(sec-[\w-]+) \.needs-([\w-]+)\}$", document, re.MULTILINE))
    needs = {label: {optional.get(label, "")} for label in re.findall(r"\{#(sec-[\w-]+)", document)}
    needs["sec-quality"] = needs["sec-classifiers"]  # the section that it is in
    mixed = []
    for line in document.splitlines():
        parts = [line] if line.startswith("- ") else _SENTENCE_END.split(line)
        mixed += [one for one in parts if len({str(needs[label]) for label in re.findall(r"@(sec-[\w-]+)", one)}) > 1]
    assert not mixed


def test_what_the_sections_of_other_kinds_need_takes_no_other_reference_with_it(tmp_path):
    run = make_run(
        tmp_path / "numbers", texts=sentences(60), groups=(None,), labels={}, kinds={"age": "number"}, unprompted=8
    )
    page = plain(re.sub(r"<[^>]+>", "", publish(run).read_text(encoding="utf-8")))
    assert re.search(r"More: \S.* and \S", page) and "Samples and texts:" not in page
    assert "Classifiers are no people" in page and "One test for each classifier" not in page
