"""The report in another language: notebook, page and PDF say their own words in it, and texts stay as they are."""

import json

import nbformat
import pytest

from samizdat.base.language import LANGUAGES, speaking
from samizdat.publishing.guard import guard
from samizdat.publishing.plain_notebook import make_plain
from samizdat.publishing.typst_source import write_typst
from support.report_page import FLOATS, executed, page_of
from support.run_fixture import write_manifest

NOTE = "::: {.callout-note}\nWords.\n:::"
ARABIC = '<bdi lang="ar">نص عربي</bdi>'


def speak(project, language):
    config = json.loads((project.run / "config.json").read_text()) | {"report_language": language}
    write_manifest(project.run, config, {"data/letters.txt": "0" * 64})


def test_the_config_says_in_which_language_the_document_becomes_a_notebook(project):
    project.write("report/index.qmd", project.document.read_text().replace("## The end", "## Limits"))
    speak(project, "cs")
    assert project.execute() == "executed"
    block, inputs, *_ = nbformat.read(project.notebook, 4).cells
    assert "lang: cs" in block.source and "Filtrovat řádky" in block.source
    assert "vyberte kernel „Samizdat“" in inputs.source
    assert "## Omezení {#sec-end}" in project.notebook.read_text() and "My *words*." in project.notebook.read_text()
    speak(project, "de")
    assert project.execute() == "executed" and "## Grenzen {#sec-end}" in project.notebook.read_text()


def test_the_page_has_the_language_of_its_notebook():
    page = page_of(*FLOATS, NOTE, ARABIC, lang="cs", **{"header-includes": '<meta name="words" content="{}">'})
    assert '<html lang="cs">' in page and '<meta name="words"' in page
    assert "Obrázek\u00a02" in page and "Tabulka 1:" in page and "Sekce\u00a02" in page
    for words in ("Obsah", "Přejít k textu", "<summary>Kód</summary>", 'aria-label="Obrázek"', "Poznámka", "Vytvořil"):
        assert words in page
    assert ARABIC in page
    assert "Figure\u00a02" in page_of(*FLOATS)


def test_the_pdf_has_it_too():
    source = write_typst(executed(*FLOATS, NOTE, ARABIC, lang="de")).source
    assert '#set text(lang: "de")' in source and '#outline(title: "Inhalt"' in source and "Abbildung" in source
    assert '#text(lang: "ar")' in source and "#set text(dir: rtl)" in source


def test_the_plain_notebook_has_it_too():
    written = "\n".join(cell.source for cell in make_plain(executed(*FLOATS, NOTE, lang="sk"), "a/").cells)
    assert "[Obrázok&nbsp;2](#fig-b)" in written.replace("\u00a0", "&nbsp;").replace("&#160;", "&nbsp;")
    assert "Tento notebook je hotový" in written and "**Poznámka**" in written


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_cell_that_stops_a_notebook_is_code_in_every_language(language):
    with speaking(language):
        compile(guard(), "guard", "exec")
