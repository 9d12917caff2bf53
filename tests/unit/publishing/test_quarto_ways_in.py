"""Quarto called by hand, in every way: each works or ends in one line that says what to do. Quarto isn't needed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pypandoc
import pytest
import typst
import yaml
from PIL import Image

from samizdat.publishing import page_by_pandoc, pandoc
from support import pdf
from support.report_page import PROJECT

CONFIG = yaml.safe_load((PROJECT / "_quarto.yml").read_text(encoding="utf-8"))
ROOT = PROJECT.parent


@pytest.fixture
def folder(tmp_path):
    """A project with the hook that Quarto starts."""
    (tmp_path / "report").mkdir()
    shutil.copy(PROJECT / "refresh.py", tmp_path / "report")
    return tmp_path


def refresh(folder: Path) -> subprocess.CompletedProcess[str]:
    """Start the hook as Quarto does, in the folder report/, by a Python that doesn't have the package."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    command = [sys.executable, "-I", "-S", "refresh.py"]
    return subprocess.run(command, cwd=folder / "report", env=environment, capture_output=True, text=True, check=False)


def test_any_python_hands_over_to_the_one_in_venv(folder):
    python = folder / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\necho "started with $*"\n', encoding="utf-8")
    python.chmod(0o755)
    done = refresh(folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("started with /") and done.stdout.endswith("/report/refresh.py\n")


def test_without_venv_there_is_one_line(folder):
    done = refresh(folder)
    (line,) = done.stderr.splitlines()
    assert done.returncode == 1 and line.startswith("✗ report: ")
    assert sys.executable in line and "make .venv/ready" in line and "QUARTO_PYTHON" in line


# What Quarto gives a filter: the name of the input, functions, and callouts as elements of their own.
QUARTO = """
local function same(content) return content end
quarto = {{doc = {{input_file = "{input_file}"}}, utils = {{as_inlines = same, as_blocks = same}}}}
local filters = dofile("{project}/formats.lua")
for _, filter in ipairs(filters) do
  filter.Div = filter.Callout and function(div)
    return filter.Callout({{title = pandoc.Inlines(div.attributes.title), content = div.content}})
  end
end
return filters
"""


def with_filter(target: str, markdown: str, tmp_path: Path, input_file: str = "/x/report/report.ipynb"):
    """What pandoc makes of a document, with the filter as Quarto calls it."""
    (tmp_path / "in.md").write_text(markdown, encoding="utf-8")
    (tmp_path / "both.lua").write_text(QUARTO.format(input_file=input_file, project=PROJECT), encoding="utf-8")
    command = [pypandoc.get_pandoc_path(), "--columns=100000", f"--from={pandoc.MARKDOWN}", f"--to={target}"]
    command += ["--output=out", f"--lua-filter={tmp_path / 'both.lua'}", "in.md"]
    return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("target", ["html", "typst", "docx"])
def test_the_document_alone_is_no_report(target, tmp_path):
    done = with_filter(target, "Words.", tmp_path, "/x/report/index.qmd")
    (line,) = done.stderr.splitlines()
    assert done.returncode == 1 and line.startswith("✗ report: index.qmd") and "quarto render report/" in line


def test_the_document_alone_brings_what_stops_quarto(made_up):
    """Quarto reads no project for a file that isn't in its list; what is made of the document doesn't need this."""
    block = yaml.safe_load((PROJECT / "index.qmd").read_text(encoding="utf-8").split("---")[1])
    assert block["execute"] == {"enabled": False} and block["filters"] == CONFIG["filters"]
    notebook = nbformat.read(made_up / "report" / "quarto.ipynb", as_version=4)
    assert set(yaml.safe_load(notebook.cells[0].source.strip().strip("-"))) <= {"lang", "title", "subtitle", "author"}


@pytest.mark.parametrize("target", ["latex", "beamer"])
def test_latex_says_what_to_use_instead(target, tmp_path):
    done = with_filter(target, "Words.", tmp_path)
    (line,) = done.stderr.splitlines()
    assert done.returncode == 1 and "make report" in line and "--to typst" in line


TABLE = f"""| Number | Text |
|:-------|:-----|
| 1 | <bdi>first</bdi><br><small>second `{"a1" * 32}`</small>{" word" * 40} |

<pre><code>if x &#60; 1:&#10;  stop</code></pre>
"""


@pytest.mark.parametrize("target", ["typst", "docx"])
def test_other_formats_keep_line_breaks_code_and_room_for_words(target, tmp_path):
    assert with_filter(target, TABLE, tmp_path).returncode == 0
    if target == "docx":
        command = [pypandoc.get_pandoc_path(), "--from=docx", "--to=native", "out"]
        written = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
        assert written.count("LineBreak") == 1 and "if x < 1:" in written
        return
    written = (tmp_path / "out").read_text(encoding="utf-8")
    assert "first \\\n" in written and "columns: (7.27%, 92.73%)" in written
    assert "```\nif x < 1:\n  stop\n```" in written
    assert "a\u200b1\u200ba" in written, "Typst breaks no word by itself"


def test_on_quartos_paper_nothing_is_cut_off_and_no_word_is_on_another(tmp_path):
    Image.new("RGB", (1440, 40), "teal").save(tmp_path / "wide.png")
    heads = "| Wahrscheinlichkeit " * 12 + "|\n"
    marked = f"| {'a' * 20}<u>{'b' * 20}</u> | příliš{'ž' * 30} {'| 1 ' * 10}|\n"
    crowded = f"{heads}{'|---' * 12}|\n{heads}{marked}"
    long = "| Number | Text |\n|--:|:--|\n" + "".join(f"| {number} | row{number}. |\n" for number in range(90))
    picture = "![words](wide.png){width=720 height=20}"
    box = f'::: {{.callout-note title="A title"}}\n\n{crowded}\n\n{long}\n\n:::\n\n{picture}\n'
    assert with_filter("typst", box, tmp_path).returncode == 0
    written = (tmp_path / "out").read_text(encoding="utf-8")
    (tmp_path / "page.typ").write_text(f'#set page(paper: "a4", margin: 16mm)\n{written}', encoding="utf-8")
    document = typst.compile(tmp_path / "page.typ", format="pdf")
    assert pdf.cut(document) == [] and len(pdf.pages(document)) > 2
    shown = pdf.words(document)
    assert "Atitle" in shown and all(f"row{number}." in shown for number in range(90))
    assert pdf.picture_widths(document) == [pytest.approx(178 * 72 / 25.4, rel=0.01)]


def test_the_page_is_what_it_would_be_without_the_filter(tmp_path):
    assert with_filter("html", TABLE, tmp_path).returncode == 0
    plain = pandoc.convert(TABLE, pandoc.MARKDOWN, "html", "--columns=100000")
    assert (tmp_path / "out").read_text(encoding="utf-8") == plain


def test_both_renderers_list_the_same_sections():
    title = 1
    assert CONFIG["toc-depth"] == page_by_pandoc.DEEPEST_LISTED == 2 + title


def test_a_document_that_fails_does_not_fail_the_page():
    """Quarto renders all formats that are listed."""
    assert set(CONFIG["format"]) == {"html"}


def test_no_code_is_in_documents_and_the_root_of_a_preview_is_the_page():
    assert CONFIG["echo"] is False and CONFIG["format"]["html"]["echo"] is True
    assert CONFIG["format"]["html"]["output-file"] == "index.html"
    assert CONFIG["format"]["html"]["format-links"] is False, "links to documents that are not beside the page"
    assert CONFIG["project"]["pre-render"] == "refresh.py" and (PROJECT / "refresh.py").is_file()
    assert not (PROJECT / "_environment").exists(), "a relative path there is right in one folder only"


LEFT = ["report.docx", "report.typ", "report.pdf", "report.tex", "report.md", "index.html", "index.pdf",
        "report_files/libs/x.js", "index_files/x.png", ".quarto/x", "report.quarto_ipynb", "report.ipynb"]  # fmt: skip


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="no clone")
def test_git_ignores_what_is_left_behind_and_nothing_else():
    def ignored(names):
        command = ["git", "check-ignore", "--no-index", *(f"report/{name}" for name in names)]
        return set(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout.split())

    assert ignored(LEFT) == {f"report/{name}" for name in LEFT}
    listed = subprocess.run(["git", "ls-files"], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert ignored([*listed.stdout.split(), "formats.lua"]) == set()
