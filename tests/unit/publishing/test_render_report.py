"""The page: by Quarto where there is one that is new enough, else by the embedded renderer."""

import pytest

from samizdat.base.errors import UserError
from samizdat.publishing.render_report import render_report
from support.report_page import PROJECT


def test_quarto_renders_where_it_is_on_the_path(fake_quarto, made_up):
    page = fake_quarto / "out" / "report.html"
    said = render_report(made_up / "report" / "quarto.ipynb", PROJECT, page, fake_quarto / "work")
    assert said.endswith("MB by Quarto") and "Rendered." in page.read_text()


def test_where_quarto_fails_no_page_is_left(fake_quarto, made_up, monkeypatch):
    monkeypatch.setenv("FAKE_STATUS", "1")
    page = fake_quarto / "out" / "report.html"
    with pytest.raises(UserError, match="quarto could not render the notebook"):
        render_report(made_up / "report" / "quarto.ipynb", PROJECT, page, fake_quarto / "work")
    assert not page.exists()


@pytest.mark.parametrize("version", ["1.6.42", "unknown"])
def test_quarto_that_is_too_old_is_left_alone(fake_quarto, made_up, monkeypatch, version):
    monkeypatch.setenv("FAKE_VERSION", version)
    page = fake_quarto / "out" / "report.html"
    said = render_report(made_up / "report" / "quarto.ipynb", PROJECT, page, fake_quarto / "work")
    assert said.endswith("by the embedded renderer")
    assert page.read_text() == (made_up / "report" / "report.html").read_text()
