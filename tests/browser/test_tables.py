"""The page's tables in a real browser: sorted by click and by key, filtered, and whole without a script."""

import nbformat
import pytest
import yaml

from samizdat.base.files import write_text
from samizdat.base.language import speaking
from samizdat.publishing.page_by_pandoc import render_page
from samizdat.publishing.page_by_quarto import find_quarto, render_with_quarto
from samizdat.publishing.script_words import script_words
from support.browsing import CHROMIUM, Watched
from support.run_fixture import ROOT

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium on the PATH (Debian's package chromium)")

MIXED = """| Name | Count | Share | Score | Note |
| :--- | ---: | ---: | ---: | :--- |
| žába | 1,200 | 9 % | 0.72<br><small>0.70 to 0.74</small> | 3 of a kind |
| auto | 950 | 12.5 % | -0.5 [-0.6, -0.4] | a text |
| Čáp | 10,000 | 100 % | – | <b>b</b> |
| *Dům* | 7 | below 0.1 % | −1.25 (−2 to 0) | |
| **All** | 12,157 | 30 % | 0.1 | z |
"""
WORDS = ("aleph", "Žluť", "bet", "gimel", "kůň", "he", "zayin", "het", "tet", "yod", "kaf")
LONG = "| Word | Place |\n| :--- | ---: |\n" + "".join(f"| {word} | {place} |\n" for place, word in enumerate(WORDS))
RATES = "| Rate |\n| ---: |\n" + "".join(f"| {rate} |\n" for rate in ("6.3e-05", "0.014", "0.0063", "1e-05"))
SHORT = "| a | b |\n| --- | --- |\n| 2 | x |\n| 1 | y |\n"


def page_with(folder, metadata, **tables):
    """Write a page of tables."""
    cells = [nbformat.v4.new_raw_cell(f"---\n{yaml.safe_dump(metadata | {'title': 'Tables'})}---")]
    for name, table in tables.items():
        output = nbformat.v4.new_output("display_data", {"text/markdown": table})
        source = f'#| label: tbl-{name}\n#| tbl-cap: "{name}"\n#| echo: false\nx'
        cells.append(nbformat.v4.new_code_cell(source, outputs=[output]))
    page = folder / "page.html"
    write_text(page, render_page(nbformat.v4.new_notebook(cells=cells), ROOT / "report"))
    return page


@pytest.fixture(scope="session")
def tables_page(tmp_path_factory):
    """A page of three tables: one with all kinds of numbers and a total, a long one, and one too short to sort."""
    return page_with(
        tmp_path_factory.mktemp("tables"), {"lang": "en"}, mixed=MIXED, long=LONG, short=SHORT, rates=RATES
    )


@pytest.fixture(params=["light", "dark"])
def shown(request, chromium, tables_page):
    watched = Watched(chromium, tables_page, color_scheme=request.param)
    yield watched
    watched.close()


def names(watched):
    return watched.each("#tbl-mixed tbody td:first-child")


def press(watched, heading, *, twice=False):
    for _ in range(2 if twice else 1):
        watched.page.get_by_role("button", name=heading, exact=True).click()


@pytest.mark.parametrize(
    ("heading", "rising"),
    [("Name", ["auto", "Čáp", "Dům", "žába"]), ("Count", ["Dům", "auto", "žába", "Čáp"]),
     ("Share", ["Dům", "žába", "auto", "Čáp"]), ("Score", ["Čáp", "Dům", "auto", "žába"]),
     ("Note", ["Dům", "žába", "auto", "Čáp"])],
)  # fmt: skip
def test_a_click_sorts_and_a_second_one_turns_the_order(shown, heading, rising):
    press(shown, heading)
    assert names(shown) == [*rising, "All"]
    press(shown, heading)
    assert names(shown) == [*rising[::-1], "All"]
    assert shown.seen == []


def test_numbers_with_exponents_are_sorted_by_their_values(shown):
    press(shown, "Rate")
    assert shown.each("#tbl-rates tbody td") == ["1e-05", "6.3e-05", "0.0063", "0.014"]


@pytest.mark.parametrize(
    ("language", "numbers", "label", "status"),
    [
        ("cs", ("1\u00a0200,5", "950", "méně než 0,01", "0,72"), "Filtrovat řádky: Tabulka 2", "Řádky: 1 z 11"),
        ("de", ("1.200,5", "950", "weniger als 0,01", "0,72"), "Zeilen filtern: Tabelle 2", "1 von 11 Zeilen"),
    ],
)
def test_numbers_and_words_are_those_of_the_pages_language(chromium, tmp_path, language, numbers, label, status):
    with speaking(language):
        metadata = {"lang": language, "header-includes": script_words()}
    mixed = "| Name | Count |\n| --- | --- |\n" + "".join(f"| x | {number} |\n" for number in numbers)
    watched = Watched(chromium, page_with(tmp_path, metadata, mixed=mixed, long=LONG))
    press(watched, "Count")
    found = watched.each("#tbl-mixed tbody td:nth-child(2)")
    assert found == [numbers[place].replace("\u00a0", " ") for place in (2, 3, 1, 0)]
    watched.page.get_by_label(label).fill("bet")
    assert watched.page.get_by_role("status").text_content() == status
    assert watched.seen == []
    watched.close()


def test_the_keyboard_sorts_and_the_heading_says_how(shown):
    button = shown.page.get_by_role("button", name="Count", exact=True)
    sorts = "[...document.querySelectorAll('#tbl-mixed th')].map(e => e.getAttribute('aria-sort'))"
    shown.page.get_by_role("button", name="Name", exact=True).focus()
    shown.page.keyboard.press("ArrowRight")
    assert button.evaluate("e => e === document.activeElement")
    assert shown.page.evaluate(sorts) == [None] * 5
    shown.page.keyboard.press("Enter")
    assert names(shown)[0] == "Dům" and shown.page.evaluate(sorts)[1] == "ascending"
    shown.page.keyboard.press("Space")
    assert names(shown)[0] == "Čáp" and shown.page.evaluate(sorts)[1] == "descending"
    press(shown, "Share")
    assert shown.page.evaluate(sorts) == [None, None, "ascending", None, None]


def test_the_headings_of_a_table_are_one_stop_of_the_tab_key(shown):
    assert shown.each("#tbl-mixed th > button", "e.tabIndex") == [0, -1, -1, -1, -1]
    # What fits its frame needs no stop either.
    assert shown.each(".scroll", "e.hasAttribute('tabindex')") == [False] * 4
    focused = "document.activeElement.textContent"
    for key, heading in (("End", "Note"), ("ArrowRight", "Note"), ("ArrowLeft", "Score"), ("Home", "Name"),
                         ("ArrowLeft", "Name"), ("ArrowRight", "Count")):  # fmt: skip
        if key == "End":
            shown.page.get_by_role("button", name="Name", exact=True).focus()
        shown.page.keyboard.press(key)
        assert shown.page.evaluate(focused) == heading, key
    shown.page.keyboard.press("Tab")
    assert shown.page.evaluate("document.activeElement.closest('figure')?.id") == "tbl-long"
    shown.page.keyboard.press("Shift+Tab")
    assert shown.page.evaluate(focused) == "Count"


def test_a_long_table_is_filtered_and_a_short_one_has_no_box(shown):
    assert shown.each(".table-tools", "e.closest('figure').id") == ["tbl-long"]
    box = shown.page.get_by_label("Filter rows of Table 2")
    visible = """[...document.querySelectorAll('#tbl-long tbody tr')].filter(e => e.checkVisibility())
      .map(e => e.cells[0].textContent)"""
    box.fill("zlut")
    assert shown.page.evaluate(visible) == ["Žluť"]
    assert shown.page.get_by_role("status").text_content() == "1 of 11 rows"
    box.fill("  E 3 ")
    assert shown.page.evaluate(visible) == ["gimel"]
    shown.page.emulate_media(media="print")
    assert len(shown.page.evaluate(visible)) == 11
    assert shown.each(".table-tools", "e.checkVisibility()") == [False]
    # Chromium leaves out the boxes of buttons where it repeats a heading on the next sheet.
    assert set(shown.each("th > button", "getComputedStyle(e).display")) == {"contents"}
    shown.page.emulate_media(media="screen")
    box.fill("")
    assert len(shown.page.evaluate(visible)) == 11 and shown.page.get_by_role("status").text_content() == ""


def test_a_table_of_two_rows_stays_as_it_is(shown):
    assert shown.each("#tbl-short :is(button, [aria-sort], [tabindex='0'] [tabindex])") == []
    assert shown.each("#tbl-short td") == ["2", "x", "1", "y"]


def test_sorted_and_filtered_tables_are_accessible(shown):
    assert shown.violations() == {}
    press(shown, "Share")
    shown.page.get_by_label("Filter rows of Table 2").fill("bet")
    assert shown.violations() == {}


def test_without_a_script_tables_are_plain_and_whole(chromium, tables_page):
    watched = Watched(chromium, tables_page, java_script_enabled=False)
    assert watched.page.locator("button, input, [aria-sort]").count() == 0
    assert [watched.page.locator(f"#tbl-{name} tbody tr").count() for name in ("mixed", "long", "short")] == [5, 11, 2]
    assert watched.page.locator("#tbl-mixed tbody td").first.text_content() == "žába"
    watched.close()


def test_the_report_sorts_and_filters_its_tables(chromium, made_up):
    watched = Watched(chromium, made_up / "report" / "report.html", size="narrow")
    watched.unfold()
    rows = "[...e.tBodies[0].rows].filter(row => !row.cells[0].querySelector('strong')).length"
    assert max(watched.each("table:not(:has(th > button))", rows)) < 3
    filtered = set(watched.each(".table-tools", "e.closest('figure').id"))
    assert {"tbl-config", "tbl-hashes", "tbl-quality"} <= filtered
    watched.page.locator("#tbl-log th > button").first.click()
    assert watched.too_wide() == [] and watched.seen == []
    watched.close()


@pytest.mark.skipif(find_quarto() is None, reason="needs Quarto 1.7 or newer on the PATH")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_of_a_real_quarto_sorts_its_tables_and_is_accessible(chromium, made_up, tmp_path, scheme):
    html = render_with_quarto(find_quarto(), made_up / "report" / "quarto.ipynb", ROOT / "report", tmp_path)
    write_text(tmp_path / "page.html", html)
    watched = Watched(chromium, tmp_path / "page.html", color_scheme=scheme)
    assert watched.each("#tbl-config", "e.checkVisibility()") == [False]
    watched.page.get_by_role("button", name="The config").focus()
    watched.page.keyboard.press("Enter")
    watched.page.wait_for_function("document.querySelector('#tbl-config').checkVisibility()")
    watched.page.get_by_role("button", name="Value", exact=True).click()
    assert watched.each("#tbl-config th[aria-sort]", "e.cellIndex") == [1]
    watched.page.locator("#tbl-config .table-tools input").fill("seed")
    found = watched.each("#tbl-config tbody tr:not([hidden])")
    assert found and all("seed" in row for row in found)
    assert watched.violations() == {} and watched.seen == []
    watched.close()
