"""The notebook: executed once for each state of results and code, never showing an old number."""

import json
import shutil

import nbformat
import pytest

from samizdat.base.errors import UserError
from samizdat.base.files import sha256_of, write_text
from samizdat.publishing.execute_report import execute_report
from samizdat.publishing.notebook import cell_options
from samizdat.publishing.quarto_hook import main as refresh
from samizdat.records.io import read_document
from samizdat.records.run import Manifest
from support.run_fixture import make_run, write_manifest

# A report as small as one can be: it shows one number of the results.
DOCUMENT = """---
lang: en
---

```{python}
#| label: number
#| echo: false
import json, os
from pathlib import Path

print(json.loads(Path(os.environ["SAMIZDAT_RUN"], "corpus", "summary.json").read_text())["characters"])
```

## Words {#sec-notes}

{{< include notes.md >}}

## The end {#sec-end}
"""


class Project:
    """A small report on a made-up run, as the workflow's step and as Quarto's hook see it."""

    def __init__(self, root):
        self.root, self.work = root, root / "work" / "demo" / "report"
        letters = self.write("data/letters.txt", "The texts, said to be these.")
        texts = [f"text number {number}" for number in range(24)]
        inputs = {"data/letters.txt": sha256_of(letters)}
        self.run = make_run(root / "results" / "demo", texts=texts, labels={}, inputs=inputs)
        self.write("config/config.yaml", (self.run / "config.json").read_text())
        self.document = self.write("report/index.qmd", DOCUMENT)
        self.notes = self.write("report/notes.md", "My *words*.")
        self.notebook = self.run / "report" / "report.ipynb"

    def write(self, name, text):
        write_text(self.root / name, text)
        return self.root / name

    def execute(self):
        said = execute_report(self.document, self.notes, self.run, self.notebook, self.work, threads=1)
        return "executed" if said.endswith(", executed") else "as before"

    def set_characters(self, number):
        path = self.run / "corpus" / "summary.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | {"characters": number}), encoding="utf-8")

    def renew_manifest(self):
        given = read_document(Manifest, self.run / "manifest.json")
        write_manifest(self.run, given.config, given.inputs)

    def shown(self, notebook=None):
        cells = nbformat.read(notebook or self.notebook, as_version=4).cells
        return [output.text.strip() for cell in cells for output in cell.get("outputs", []) if "text" in output]


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """A project whose report was executed; tests copy it."""
    project = Project(tmp_path_factory.mktemp("project"))
    assert project.execute() == "executed"
    return project


@pytest.fixture
def project(executed, tmp_path):
    copy = object.__new__(Project)
    vars(copy).update(vars(executed))
    shutil.copytree(executed.root, tmp_path / "copy")
    for name, value in vars(executed).items():
        setattr(copy, name, tmp_path / "copy" / value.relative_to(executed.root))
    return copy


def test_unchanged_inputs_execute_nothing_and_give_the_same_bytes(project):
    before = project.notebook.read_bytes()
    assert project.execute() == "as before"
    assert project.notebook.read_bytes() == before


def test_new_prose_and_notes_execute_nothing_and_are_in_the_notebook(project):
    project.write("report/notes.md", "Other *words*.")
    project.write("report/index.qmd", DOCUMENT.replace("## The end", "More prose.\n\n## The very end"))
    assert project.execute() == "as before"
    sources = [cell.source for cell in nbformat.read(project.notebook, 4).cells if cell.cell_type == "markdown"]
    assert "Other *words*." in "".join(sources) and "## The very end {#sec-end}" in "".join(sources)
    assert project.shown() == [str(json.loads((project.run / "corpus" / "summary.json").read_text())["characters"])]


def test_a_changed_result_is_refused_until_the_manifest_knows_it_and_then_shown(project):
    project.set_characters(123_456)
    with pytest.raises(UserError, match=r"corpus/summary.json is not the file that .*manifest.json was made from"):
        project.execute()
    project.renew_manifest()
    assert project.execute() == "executed"
    assert project.shown() == ["123456"]


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


def test_empty_notes_leave_no_section(project):
    project.write("report/notes.md", "\n")
    project.execute()
    assert "## Words" not in project.notebook.read_text() and "## The end" in project.notebook.read_text()


def test_notes_that_are_no_utf_8_are_refused_by_name_and_place(project):
    project.notes.write_bytes("dvě slova".encode("cp1250"))
    with pytest.raises(UserError, match=r"notes.md is not UTF-8: its byte 2 "):
        project.execute()


def test_a_document_without_metadata_is_refused(project):
    project.write("report/index.qmd", "# A heading")
    with pytest.raises(UserError, match="does not begin with a block of metadata"):
        project.execute()


def test_options_of_a_cell_are_yaml():
    assert cell_options('#| label: a\n#| echo: false\n#| fig-cap: "x: y"\nprint()\n#| label: b') == {
        "label": "a", "echo": False, "fig-cap": "x: y",
    }  # fmt: skip
    assert cell_options("print()") == {}
    with pytest.raises(UserError, match=r"no YAML: #\| label: a: b"):
        cell_options("#| label: a: b\n")


def test_quartos_hook_takes_the_same_execution_and_warns_of_what_is_newer(project, capsys, monkeypatch):
    prepared = project.root / "report" / "report.ipynb"
    monkeypatch.chdir(project.root / "report")
    monkeypatch.delenv("SAMIZDAT_RUN", raising=False)
    refresh()
    assert capsys.readouterr().err == "✓ report.ipynb of the run demo, as executed before\n"
    assert prepared.read_bytes() == project.notebook.read_bytes()
    project.write("report/notes.md", "Other words, which are no input.")
    project.write("data/letters.txt", "Other texts.")
    config = json.loads((project.run / "config.json").read_text())
    project.write("config/config.yaml", json.dumps(config | {"seed": 7}))
    project.write("config/mine.yaml", "{name: mine, seed: 8}")
    refresh()
    said = capsys.readouterr().err.splitlines()
    assert [line.split("are older than ")[1].split(";")[0] for line in said[:-1]] == ["data/letters.txt", "the config"]
    assert said[-1] == "✓ report.ipynb of the run demo, as executed before"
    # One config of the run as it was is enough, be it an overlay.
    project.write("config/same.yaml", f"seed: {config['seed']}")
    project.write("data/letters.txt", "The texts, said to be these.")
    project.set_characters(77)
    project.renew_manifest()
    refresh()
    assert capsys.readouterr().err == "✓ report.ipynb of the run demo, executed\n"
    assert project.shown(prepared) == ["77"]


def test_quartos_hook_refuses_a_run_that_is_not_finished(project, monkeypatch):
    monkeypatch.chdir(project.root / "report")
    monkeypatch.setenv("SAMIZDAT_RUN", "results/other")
    with pytest.raises(SystemExit) as stopped:
        refresh()
    assert "results/other holds no finished run" in stopped.value.code and "make report" in stopped.value.code
    monkeypatch.setenv("SAMIZDAT_RUN", str(project.run))
    project.set_characters(1)
    with pytest.raises(SystemExit, match="is not the file that"):
        refresh()
