"""The page of Quarto: made in a project of its own, refused where Quarto fails."""

import html
import re
from pathlib import Path

import pytest
import yaml

from samizdat.base.errors import UserError
from samizdat.publishing.page_by_quarto import find_quarto, render_with_quarto
from support.report_page import PROJECT


def test_quarto_renders_a_copy_of_the_project_and_its_scripts_become_inline(fake_quarto, made_up):
    shown = render_with_quarto(find_quarto(), made_up / "report" / "quarto.ipynb", PROJECT, fake_quarto / "work")
    arguments, folder, python, *files = (fake_quarto / "log").read_text().splitlines()
    assert arguments == "render report.ipynb --to html"
    assert Path(folder).resolve() == (fake_quarto / "work" / "quarto").resolve() and Path(python).is_file()
    patterns = ("*.scss", "*.lua", "*.js", "tables.css", "scripts.html", "quarto.html")
    look = [path.name for pattern in patterns for path in PROJECT.glob(pattern)]
    assert set(files) == {"_quarto.yml", "report.ipynb", "vendor", *look}
    config = yaml.safe_load((fake_quarto / "log.yml").read_text())
    assert "pre-render" not in config["project"] and config["execute"] == {"enabled": False}
    assert "output-file" not in config["format"]["html"], "the page is looked for as report.html"
    assert "<script>window.go = 1</script>" in shown and "script-src 'sha256-" in html.unescape(shown)


def test_quarto_that_fails_is_an_error(fake_quarto, made_up, monkeypatch):
    monkeypatch.setenv("FAKE_STATUS", "1")
    monkeypatch.setenv("FAKE_WORDS", "ERROR: no theme\nwas found")
    with pytest.raises(UserError, match="quarto could not render the notebook: ERROR: no theme was found"):
        render_with_quarto(find_quarto(), made_up / "report" / "quarto.ipynb", PROJECT, fake_quarto / "work")


@pytest.mark.parametrize(("version", "found"), [("1.7.34", True), ("1.6.42", False), ("unknown", False)])
def test_only_a_quarto_that_is_new_enough_is_found(fake_quarto, monkeypatch, version, found):
    monkeypatch.setenv("FAKE_VERSION", version)
    assert (find_quarto() is not None) == found


@pytest.mark.skipif(find_quarto() is None, reason="needs Quarto 1.7 or newer on the PATH")
def test_the_page_of_a_real_quarto_has_all_that_the_embedded_one_has(made_up, tmp_path):
    notebook = made_up / "report" / "quarto.ipynb"
    first, second = (render_with_quarto(find_quarto(), notebook, PROJECT, tmp_path / name) for name in ("a", "b"))
    assert first == second
    embedded = (made_up / "report" / "report.html").read_text()
    for identifier in re.findall(r'id="((?:sec|fig|tbl)-[\w-]+)"', embedded):
        assert f'id="{identifier}"' in first, identifier
    captions = set(re.findall(r"((?:Figure|Table)\s\d+):", html.unescape(first).replace("\u00a0", " ")))
    assert captions == set(re.findall(r">((?:Figure|Table)\s\d+):", html.unescape(embedded).replace("\u00a0", " ")))
    assert not re.search(r"\?@(?:fig|tbl|sec)-", first)
    assert not re.search(r'(?:src|href)="(?:https?:)?//', first)
    assert not re.search(r'href="[^"#:]+"', first), "a file beside a page that is handed on alone"
