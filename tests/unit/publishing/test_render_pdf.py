"""The PDF: the page's content, read aloud in order, on paper without a cut word; nothing in a text is markup."""

import base64
import html
import io
import re
import sys
from pathlib import Path

import nbformat
import pytest
import typst
from PIL import Image

from samizdat.base.errors import UserError
from samizdat.base.escaping import attribute, escape, quoted, visible
from samizdat.base.files import write_checksum
from samizdat.publishing.notes import safe_markdown
from samizdat.publishing.render_pdf import render_pdf
from support import hostile, pdf
from support.report_page import executed, markdown

TYPST = [
    '#panic("ran")', '"; #panic("ran"); "', '\\"; #panic("ran"); \\"', "#{panic()}", '#import "@preview/x:0.1.0": y',
    '#read("/etc/passwd")', "#include \"x.typ\"", "*bold* _emph_ `raw` ``` raw", "= Heading", "/ Term: x", "+ item",
    "@label <label>", "\\u{41}", "// comment", "/* comment", "a -- b --- c ... 'd' \"e\"", "~", "$x$ $ #panic() $",
    "https://example.org/#x", "#[", "]#", "[]{}()", "#let x = 1; #x",
]  # fmt: skip


def png(width: int, height: int) -> nbformat.NotebookNode:
    """An output with a real picture."""
    file = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(file, "png")
    data = {"image/png": base64.b64encode(file.getvalue()).decode()}
    return nbformat.v4.new_output("display_data", data, metadata={"image/png": {"width": width, "height": height}})


@pytest.fixture
def render(tmp_path):
    """A function that makes the PDF of a notebook's cells; it returns the file and what the stage said."""

    def render(*cells, **block):
        notebook = tmp_path / "quarto.ipynb"
        notebook.write_text(nbformat.writes(executed(*cells, **block)), encoding="utf-8")
        return tmp_path / "report.pdf", render_pdf(notebook, tmp_path / "report.pdf", tmp_path / "work")

    return render


@pytest.fixture(scope="module")
def whole(made_up, tmp_path_factory):
    """The PDF of the whole report, made up."""
    folder = tmp_path_factory.mktemp("whole")
    render_pdf(made_up / "report" / "quarto.ipynb", folder / "report.pdf", folder / "work")
    return folder / "report.pdf"


def test_the_whole_report_is_the_same_bytes_twice(whole, made_up, tmp_path):
    render_pdf(made_up / "report" / "quarto.ipynb", tmp_path / "report.pdf", tmp_path / "work")
    assert (tmp_path / "report.pdf").read_bytes() == whole.read_bytes()


def test_sections_captions_and_tables_are_those_of_the_page_each_once(whole, made_up):
    page = (made_up / "report" / "report.html").read_text(encoding="utf-8")
    page = html.unescape(re.sub(r'<details class="code">.*?</details>', "", page, flags=re.DOTALL))
    headings = re.findall(
        r'<li class="level-(\d)"><a href="#[\w-]+"><span class="number">([\d.]+)</span> ([^<]*)', page
    )
    assert pdf.contents(whole) == [(int(level) - 1, f"{number} {words}") for level, number, words in headings]
    shown = pdf.words(whole)
    captions = [re.sub("<.*?>", "", one) for one in re.findall("<figcaption>(.*?)</figcaption>", page, re.DOTALL)]
    assert len(captions) > 20
    for caption in captions:
        assert shown.count(re.sub(r"\s", "", caption)) == 1, caption
    for cell in re.findall("<t[dh][^>]*>(.*?)</t[dh]>", page, re.DOTALL):
        for line in re.sub("<(?!br)[^>]*>", "", cell).split("<br"):
            assert re.sub(r"\s", "", line.removeprefix(" />").removeprefix(">")) in shown, line


def test_every_picture_is_read_aloud_and_no_word_is_cut(whole, made_up):
    page = (made_up / "report" / "report.html").read_text(encoding="utf-8")
    expected = [html.unescape(one) for one in re.findall(r'<img src="data:[^"]+" alt="([^"]*)"', page)]
    read = [" ".join(text.split()) for kind, text in pdf.alternatives(whole) if kind == "Figure"]
    assert read == [" ".join(one.split()) for one in expected] and len(read) > 5
    assert pdf.cut(whole) == []


def test_hostile_texts_are_shown_and_nothing_in_them_runs(render):
    texts = [*TYPST, *hostile.HTML, *hostile.MARKDOWN, *hostile.TEMPLATES, *hostile.FORMULAS, *hostile.LONG[:4]]
    rows = "\n".join(f"| {quoted(text, language='cs', longest=9_999)} | x |" for text in texts)
    table = ('#| label: tbl-a\n#| tbl-cap: "A caption"\nf()', markdown(f"| text | y |\n|:--|--:|\n{rows}"))
    alternative = attribute(" ".join(TYPST))
    figure = (f'#| label: fig-a\n#| fig-cap: "A caption"\n#| fig-alt: "{alternative}"\ng()', png(720, 360))
    printed = ("#| echo: false\nprint()", nbformat.v4.new_output("stream", text="\n".join(TYPST)))
    notes = safe_markdown("\n\n".join(f"<p>{text}</p>\n\n    {text}\n\n`` {text} ``" for text in TYPST))
    title = " ".join([*TYPST, "&nbsp; &lt;b&gt;"])
    path, _ = render(
        table, figure, printed, f"## Notes {{#sec-notes}}\n\n{notes}", title=escape(title), author=escape(title)
    )
    shown = pdf.words(path)
    for text in texts:
        assert re.sub(r"\s", "", visible(text))[:300] in shown, text[:300]
    whole_title = re.sub(r"\s", "", title)
    assert shown.count(whole_title) == 2, "as title and as author"
    assert shown.count(re.sub(r"\s", "", " ".join(TYPST))) == 3, "and as what a cell printed"
    # Between two braces there is an invisible character, for Quarto.
    read = [re.sub(r"[\s\u2060]", "", text) for kind, text in pdf.alternatives(path) if kind == "Figure"]
    assert read == [re.sub(r"\s", "", " ".join(TYPST))]
    assert pdf.cut(path) == []


FORMULAS = [
    "x_t^2",
    "\\sum_i x_i",
    "\\text{#panic()}",
    "\\#panic",
    "\\begin{align}a&=b\\\\c&=d\\end{align}",
    "\\nothing{",
]


def test_a_narrow_picture_stays_narrow_marks_keep_their_words_and_unlisted_headings_are_no_bookmarks(render):
    name = "#| label: a\n#| echo: false\n#| fig-alt: what it shows"
    said = markdown(quoted("before the passage after", language="en", marked=(7, 18)))
    path, _ = render("## Listed", "### Question {.unnumbered .unlisted}", (name, png(360, 180)), (name, png(720, 360)),
                     (name, said))  # fmt: skip
    assert pdf.contents(path) == [(1, "1 Listed")] and "beforethepassageafter" in pdf.words(path)
    widths = pdf.picture_widths(path)
    assert len(widths) == 2 and widths[1] == pytest.approx(2 * widths[0], rel=0.01)


def test_formulas_are_set_and_read_aloud_as_they_were_written(render):
    path, _ = render(*(f"Here ${formula}$ is." for formula in FORMULAS), "$$y$$")
    read = [text for kind, text in pdf.alternatives(path) if kind == "Formula"]
    assert {"x_t^2", "\\sum_i x_i", "y"} <= set(read)
    assert "\\nothing{" in pdf.words(path)


def test_levels_of_headings_never_skip_and_links_to_nothing_are_words(render):
    path, _ = render("## One\n\n##### Deep\n\n[here](#nowhere) and [there](#two)\n\n## Two {#two}")
    assert [level for level, _ in pdf.contents(path)] == [1, 2, 1]
    assert "hereandthere" in pdf.words(path)


def test_a_table_longer_than_a_page_goes_on_with_its_heading_and_keeps_its_line_breaks(render):
    rows = "\n".join(f"| {number} | first<br>second |" for number in range(120))
    table = ('#| label: tbl-a\n#| tbl-cap: "Long"\nf()', markdown(f"| Heading | y |\n|--:|:--|\n{rows}"))
    path, _ = render(table)
    shown = pdf.pages(path)
    assert len(shown) > 2 and all("Heading" in page for page in shown)
    assert sum(len(re.findall("first\\s*\n\\s*second", page)) for page in shown) == 120
    assert sum(page.count("Table 1") for page in shown) == 1


def test_the_last_row_of_a_table_is_never_alone_on_a_page(render):
    for number in range(50, 58):
        rows = "\n".join(f"| row{one}. | y |" for one in range(number))
        path, _ = render(("#| echo: false\nf()", markdown(f"| Heading | y |\n|--:|:--|\n{rows}")))
        *_, last = pdf.pages(path)
        assert len(re.findall(r"row\d+\.", last)) > 1


def test_no_word_of_a_crowded_table_is_on_another(render):
    word = "Donaudampfschifffahrtsgesellschaft"
    row = "".join(f" {word} |" for _ in range(9))
    path, _ = render(("#| echo: false\nf()", markdown(f"|{row}\n|{':--|' * 9}\n|{row}")))
    assert pdf.words(path).count(word[:3]) == 18 and pdf.cut(path) == []


def test_texts_from_right_to_left_begin_at_the_right(render):
    table = f"| k | l |\n|:--|:--|\n| {quoted('دار', language='ar')} | x |"
    said = f"> {quoted('نور', language='ar')}\n\n{table}"
    path, _ = render("مرحبا (abc) بالعالم.", ("#| echo: false\nf()", markdown(said)), title="שלום")
    margin = 595 - 45
    (title,), (paragraph, *_), (cell,), (quotation,) = (pdf.right_edges(path, letter) for letter in "שمدن")
    assert margin - 30 < quotation < margin
    assert title == pytest.approx(margin, abs=4) and paragraph == pytest.approx(margin, abs=4)
    assert pdf.right_edges(path, "ب")[-1] < pdf.right_edges(path, "a")[-1] < paragraph
    assert cell > 250, "the first column of two ends in the middle"


def test_names_from_right_to_left_do_not_turn_a_sentence_that_is_not(render):
    name = quoted("مصدر", language="ar")
    path, _ = render(f"{name} calls them xyz.\n\n- **{name}** (told). Of 52 texts q.")
    assert pdf.right_edges(path, "م")[0] < pdf.right_edges(path, "x")[0] < 300
    assert pdf.right_edges(path, "م")[1] < pdf.right_edges(path, "q")[0] < 300


def test_small_print_below_such_a_text_is_read_from_left_to_right(render):
    small = f"<small>copy: {quoted('نور', language='ar')}, 2</small>"
    table = f"| k | l |\n|:--|:--|\n| {quoted('دار', language='ar')}<br>{small} | x |"
    path, _ = render(("#| echo: false\nf()", markdown(table)))
    (copy,), (arabic,), (number,) = (pdf.right_edges(path, letter) for letter in "cن2")
    assert copy < arabic < number


def test_letters_that_no_font_has_are_code_points_and_told(render, capsys):
    # No font has this letter: Unicode has none at this place.
    path, _ = render("Few: " + "\u0378" * 3 + ".")
    assert "⟨U+0378⟩" * 3 in pdf.words(path)
    told = capsys.readouterr().err
    assert "! PDF: 3 letters are written as code points, since no font has them: unknown to Unicode (\u0378)\n" in told
    # A mark that hardly a font has, on digits: these stay as they are, in the text and in the document's code.
    table = "| k | l |\n|:--|:--|\n| 0123456789\u1adc | x |"
    path, _ = render(("#| echo: false\nf()", markdown(table)))
    assert "012345678" in pdf.words(path)


def test_a_mark_on_a_letter_of_another_script_makes_no_letter_missing(render, monkeypatch, capsys):
    # A model writes such clusters. Thai fonts are not on every machine, so the compiler's answer to them is played.
    compiled, sources = typst.compile, []

    def compile(path: Path, **how: object) -> bytes:
        sources.append(path.read_text(encoding="utf-8"))
        if "2\u0e35" in sources[-1]:
            letters = "".join(rf'error: PDF/UA-1 error: the text `"{letter}"` could not be displayed' "\n"
                              for letter in ("2", "\\u{e35}", "\u0e21"))  # fmt: skip
            refusal = typst.TypstError("")
            refusal.diagnostic = letters
            raise refusal
        path.write_text(sources[-1].replace("\u0e35", "").replace("\u0e21", ""), encoding="utf-8")
        return compiled(path, **how)

    monkeypatch.setattr(typst, "compile", compile)
    render("A mark 2\u0e35\u0e21, at its place \u0e21\u0e35.")
    assert "2\u200b\u0e35\u0e21" in sources[-1] and "\u0e21\u0e35" in sources[-1] and "U+0E" not in sources[-1]
    assert "code points" not in capsys.readouterr().err


def test_a_letter_beside_one_that_no_font_has_is_written_as_it_is(render, monkeypatch, capsys):
    # Chinese fonts are not on every machine, so the compiler's answer is played: it refuses the neighbour, too.
    compiled, sources = typst.compile, []

    def compile(path: Path, **how: object) -> bytes:
        sources.append(path.read_text(encoding="utf-8"))
        refused = [letter for letter in ("\u0378", "\u4e2a") if "\u0378" in sources[-1] and letter in sources[-1]]
        refused = refused if "\u0378\u4e2a" in sources[-1] else refused[:1]
        if refused:
            refusal = typst.TypstError("")
            refusal.diagnostic = "\n".join(
                f'error: PDF/UA-1 error: the text `"{letter}"` could not be displayed' for letter in refused
            )
            raise refusal
        path.write_text(sources[-1].replace("\u4e2a", ""), encoding="utf-8")
        return compiled(path, **how)

    monkeypatch.setattr(typst, "compile", compile)
    render("Here \u0378\u4e2a, there \u4e2a.")
    assert sources[-1].count("⟨U+0378⟩") == 1 and sources[-1].count("\u4e2a") == 2
    assert "! PDF: 1 letters are" in capsys.readouterr().err


def test_without_the_compiler_there_is_one_line(render, monkeypatch):
    monkeypatch.setitem(sys.modules, "typst", None)
    with pytest.raises(UserError, match="the package typst is not installed") as raised:
        render("Words.")
    assert "make .venv/ready" in raised.value.remedy and "pdf: false" in raised.value.remedy


def test_a_damaged_notebook_is_refused(render, tmp_path):
    render("words")
    write_checksum(tmp_path / "quarto.ipynb")
    with pytest.raises(UserError, match=r"quarto\.ipynb is damaged"):
        render("other words")
