"""The execution: once for each state of the cells, by a kernel without the user's settings."""

import json
import subprocess
import sys

import nbformat
import pytest

from samizdat.base import free_space
from samizdat.base.errors import UserError
from samizdat.base.files import checksum_file, is_intact, write_text
from support.report_project import DOCUMENT


def test_unchanged_inputs_execute_nothing_and_give_the_same_bytes(project):
    before = project.notebook.read_bytes()
    assert project.execute() == "as before"
    assert project.notebook.read_bytes() == before


@pytest.mark.parametrize(
    "damage", ["flipped", "another count", "emptied", "deleted", "the index emptied", "the index no database"]
)
def test_a_damaged_execution_is_executed_again(project, damage):
    before = project.notebook.read_bytes()
    (kept,) = (project.work / "executed").rglob("base.ipynb")
    index = project.work / "executed" / "global.db"
    if damage.startswith("the index"):
        index.write_bytes(b"" if damage == "the index emptied" else b"no database" * 100)
    elif damage == "deleted":
        kept.unlink()
    elif damage == "another count":
        kept.write_bytes(kept.read_bytes().replace(b'"execution_count": 1', b'"execution_count": 9', 1))
    else:
        # The shown number itself: a notebook that can be read and says something else.
        shown = kept.read_bytes().replace(project.shown()[0].encode(), b"7", 1)
        kept.write_bytes(shown if damage == "flipped" else b"")
    assert project.execute() == "executed"
    assert project.notebook.read_bytes() == before
    assert project.execute() == "as before"


def test_a_damaged_list_of_fonts_is_not_read(project):
    """matplotlib makes it again; an intact one is kept, and one that it wrote gets its checksum."""
    fonts = project.work / "matplotlib"
    for name in ("whole", "damaged", "unknown"):
        write_text(fonts / f"fontlist-{name}.json", "{}")
    (fonts / "fontlist-damaged.json").write_text("{ }", encoding="utf-8")
    checksum_file(fonts / "fontlist-unknown.json").unlink()
    project.write("report/index.qmd", DOCUMENT.replace("print(", "print(1)\nprint("))
    assert project.execute() == "executed"
    lists = sorted(fonts.glob("fontlist-*.json"))
    assert [path.name for path in lists if path.name[9] != "v"] == ["fontlist-whole.json"]
    assert len(lists) == 2 and all(map(is_intact, lists))


def test_new_prose_and_notes_execute_nothing_and_are_in_the_notebook(project):
    project.write("report/notes.md", "Other *words*.")
    project.write("report/index.qmd", DOCUMENT.replace("## The end", "More prose.\n\n## The very end"))
    assert project.execute() == "as before"
    sources = [cell.source for cell in nbformat.read(project.notebook, 4).cells if cell.cell_type == "markdown"]
    assert "Other *words*." in "".join(sources) and "## The very end {#sec-end}" in "".join(sources)
    assert project.shown() == [str(json.loads((project.run / "corpus" / "summary.json").read_text())["characters"])]


def test_another_cell_executes_and_sees_no_setting_of_its_surroundings(project, monkeypatch):
    monkeypatch.setenv("PYTHONSTARTUP", "/nowhere")
    monkeypatch.setenv("MATPLOTLIBRC", "/nowhere")
    asked = ("PYTHONSTARTUP", "MATPLOTLIBRC", "OMP_NUM_THREADS", "MPLBACKEND", "PYTHONHASHSEED", "IPYTHONDIR")
    project.write(
        "report/index.qmd", DOCUMENT.replace("print(", f"print([os.environ.get(n) for n in {asked}])\nprint(")
    )
    assert project.execute() == "executed"
    expected = [None, None, "1", "agg", "0", str(project.work / "ipython")]
    assert project.shown()[0].splitlines()[0] == str(expected)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("1 / 0", r"the cell 'number' of .*index.qmd fails: ZeroDivisionError: division by zero"),
        ("import os; os._exit(3)", r"the kernel died while it executed .*index.qmd"),
    ],
)
def test_a_cell_that_fails_is_named_and_the_notebook_stays_as_it_was(project, code, message):
    before = project.notebook.read_bytes()
    project.write("report/index.qmd", DOCUMENT.replace("print(", f"{code}\nprint("))
    with pytest.raises(UserError, match=message):
        project.execute()
    assert project.notebook.read_bytes() == before


def test_a_kernel_that_dies_before_it_begins_is_told(project, monkeypatch):
    project.write("report/index.qmd", DOCUMENT.replace("print(", "print(1)\nprint("))
    monkeypatch.setenv("PYTHONHOME", "/nowhere")
    with pytest.raises(UserError, match=r"the kernel died while it executed .*index.qmd \(Kernel died"):
        project.execute()


def test_after_a_kernel_that_died_python_ends_without_another_error(tmp_path):
    code = f"""
import os, nbformat
from pathlib import Path
from samizdat.base.errors import UserError
from samizdat.publishing.execution import execute
os.environ["PYTHONHOME"] = "/nowhere"
notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1")])
try:
    execute(notebook, Path("x.qmd"), Path("run"), Path({str(tmp_path)!r}), threads=1)
except UserError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("the kernel died while it executed x.qmd"), done.stdout
    assert "Exception ignored" not in done.stderr and "AssertionError" not in done.stderr, done.stderr


def test_a_disk_without_room_for_a_kernel_is_told_before_it_begins(project, monkeypatch):
    project.write("report/index.qmd", DOCUMENT.replace("print(", "print(1)\nprint("))
    monkeypatch.setattr(free_space, "free_bytes", lambda folder: 0)
    with pytest.raises(UserError, match=r"the notebook's execution takes up to 1\.0 MB .* where 0\.0 MB are free"):
        project.execute()
