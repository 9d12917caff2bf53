"""The notebook that is handed in, run again: beside its results, elsewhere, and without the package."""

import shutil
import sys

import nbformat
import pytest

from support.plain_notebooks import run_again

COMPLETE = "This notebook is complete as it is. Close it without saving to keep the outputs.\nTo run it again: "


@pytest.fixture(autouse=True)
def no_named_run(monkeypatch):
    """The notebook alone says which run it reads."""
    monkeypatch.delenv("SAMIZDAT_RUN", raising=False)


def test_beside_its_results_it_runs_and_shows_the_same(project, tmp_path):
    again, said = run_again(project.plain, tmp_path / "kernels")
    given = nbformat.read(project.plain, 4)
    assert said == "" and [c.get("outputs") for c in again.cells] == [c.get("outputs") for c in given.cells]
    project.set_characters(77)
    again, _ = run_again(project.plain, tmp_path / "kernels")
    assert [output.text for cell in again.cells for output in cell.get("outputs", ())] == ["77\n"]


def test_elsewhere_its_first_cell_says_where_to_open_it(project, tmp_path):
    (tmp_path / "downloads").mkdir()
    copy = shutil.copy(project.plain, tmp_path / "downloads" / "handed in.ipynb")
    again, said = run_again(copy, tmp_path / "kernels")
    assert said.startswith(f"{COMPLETE}open it in the project's folder results/demo/report/, or set")
    # The message alone, without a traceback, in the first cell of code; no other cell ran.
    first, *others = (cell for cell in again.cells if cell.cell_type == "code")
    assert [output.traceback for output in first.outputs] == [[said]]
    given = [cell.outputs for cell in nbformat.read(project.plain, 4).cells if cell.cell_type == "code"]
    assert [cell.outputs for cell in others] == given[1:]


def test_elsewhere_it_reads_the_run_that_is_named(project, tmp_path, monkeypatch):
    monkeypatch.setenv("SAMIZDAT_RUN", str(project.run))
    assert run_again(shutil.copy(project.plain, tmp_path / "copy.ipynb"), tmp_path / "kernels")[1] == ""


def test_without_the_package_it_names_the_kernel_and_the_command_that_adds_it(project, tmp_path):
    (project.root / "workflow" / "samizdat").mkdir(parents=True)
    said = run_again(project.plain, tmp_path / "kernels", with_package=False)[1].splitlines()
    assert said[1].startswith("To run it again: choose the kernel “Samizdat”. This one is ")
    assert f"{sys.executable}, and says: No module named 'samizdat" in said[1]
    assert said[-1] == (
        f"cd {project.root.resolve()} && make .venv/ready && .venv/bin/python -m ipykernel install --user"
        " --name samizdat --display-name Samizdat"
    )


def test_later_cells_that_are_sent_all_the_same_point_to_the_first(made_up, tmp_path):
    copy = shutil.copy(made_up / "report" / "report.ipynb", tmp_path / "copy.ipynb")
    again, _ = run_again(copy, tmp_path / "kernels", with_package=False, to_the_end=True)
    first, *others = (cell for cell in again.cells if cell.cell_type == "code")
    assert first.outputs[0].evalue.startswith(COMPLETE)
    said = ["".join(output.get("text", output.output_type) for output in cell.outputs) for cell in others]
    assert said == ["This cell needs the first cell of code, which says why it stopped.\n"] * len(others)


def test_without_the_package_and_the_project_it_says_what_it_needs(project, tmp_path):
    (tmp_path / "downloads").mkdir()
    copy = shutil.copy(project.plain, tmp_path / "downloads" / "report.ipynb")
    said = run_again(copy, tmp_path / "kernels", with_package=False)[1]
    assert said.startswith(f"{COMPLETE}you need the project's folder with the run demo. There, open results/demo/")
    assert sys.executable in said
