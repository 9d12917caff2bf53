"""Run the cells of `docs/colab.ipynb` on a machine that is then lost, and on the next one."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell

from conftest import ROOT, WORKFLOW_FILES
from support.wheels import write_installed, write_wheel

NOTEBOOK = ROOT / "docs" / "colab.ipynb"
GENERATED = {"__pycache__", "samizdat.egg-info"}
TEXTS = "\n".join(
    f"{line} Number {number}." for number in range(60) for line in ("A first sentence.", "It will rain.", "Who knows?")
)
# The only package in the copy's lock. The environment that runs the tests has another version of it.
SHADOWED = "iniconfig"


def notebook() -> nbformat.NotebookNode:
    return nbformat.read(NOTEBOOK, as_version=4)


def cell_with(nb: nbformat.NotebookNode, text: str) -> int:
    (number,) = (number for number, cell in enumerate(nb.cells) if cell.cell_type == "code" and text in cell.source)
    return number


def execute(nb: nbformat.NotebookNode, folder: Path, **environment: str) -> str:
    """Execute in a kernel of this interpreter, without this checkout on its path; return everything printed."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("SAMIZDAT_", "HF_", "PIP_"))}
    for name in ("PYTHONPATH", "MAKEFLAGS", "MAKELEVEL", "PYTHON", "TORCH", "KEEP", "CONFIG"):
        inherited.pop(name, None)
    client = NotebookClient(nb, timeout=None, kernel_name="python3", resources={"metadata": {"path": str(folder)}})
    client.execute(env=inherited | environment)
    outputs = (output for cell in nb.cells for output in cell.get("outputs", ()))
    return "".join(output.text for output in outputs if output.output_type == "stream")


@pytest.fixture(scope="module")
def wheels(tmp_path_factory) -> Path:
    """A folder of wheels, where an installer finds all that it is asked for, and the lock that names them."""
    folder = tmp_path_factory.mktemp("wheels")
    lock = write_wheel(folder, SHADOWED, "99.0") + write_installed(folder, "setuptools")
    (folder / "lock.txt").write_text(lock, encoding="utf-8")
    return folder


def write_zip(target: Path, lock: bytes) -> None:
    """Write the project as a zip, as a browser downloads it: in one folder, with times of a zone that is ahead."""
    with zipfile.ZipFile(target, "w") as archive:
        for name in WORKFLOW_FILES:
            for path in [ROOT / name] if (ROOT / name).is_file() else sorted((ROOT / name).rglob("*")):
                inside = path.relative_to(ROOT)
                if path.is_file() and not GENERATED & set(inside.parts):
                    content = lock if inside.as_posix() == "envs/lock.txt" else path.read_bytes()
                    ahead = zipfile.ZipInfo(f"samizdat-main/{inside.as_posix()}", (2100, 1, 1, 0, 0, 0))
                    archive.writestr(ahead, content)


def own_texts(nb: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Change the notebook's config to small runs of one's own texts."""
    cell = nb.cells[cell_with(nb, "CONFIG = ")]
    assert '"config/tiny.yaml"' in cell.source
    cell.source = cell.source.replace('"config/tiny.yaml"', '"config/tiny.yaml config/mine.yaml"')
    return nb


def test_the_notebook_is_stored_clean():
    nb = notebook()
    nbformat.validate(nb)
    assert not [cell for cell in nb.cells if cell.get("outputs") or cell.get("execution_count")]
    assert "widgets" not in nb.metadata and nb.metadata.accelerator == "GPU"
    for name in ("config/tiny.yaml", "config/gpu.yaml", "config/config.yaml"):
        assert name in NOTEBOOK.read_text(encoding="utf-8") and (ROOT / name).is_file()


@pytest.mark.long
def test_a_lost_machine_costs_nothing_that_was_copied(tmp_path, wheels):
    content = tmp_path / "content"
    content.mkdir()
    offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels), "PIP_CONFIG_FILE": os.devnull}
    write_zip(content / "samizdat-main.zip", (wheels / "lock.txt").read_bytes())

    nb = own_texts(notebook())
    upload = new_code_cell(f"Path('data/texts.txt').write_text({TEXTS!r})")
    nb.cells.insert(cell_with(nb, "UPLOAD = ") + 1, upload)
    said = execute(nb, content, **offline)
    assert "GPU: " in said or "No GPU. Everything works on the CPU too" in said
    assert said.count("Installing into .venv") == 1 and "Ready. PyTorch" in said
    assert "Report:   results/mine/report/report.html" in said and "✗" not in said
    assert "Download it from the file list: " in said
    page = nb.cells[cell_with(nb, "iframe")].outputs[-1].data["text/html"]
    assert "What a small GPT-2 learned from my texts" in page

    ask = f"import samizdat, torch, {SHADOWED} as own; print(samizdat, torch, own, sep='\\n')"
    environment = subprocess.run(
        [".venv/bin/python", "-c", ask],
        cwd=content / "samizdat", env=os.environ | {"PYTHONPATH": ""}, capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    assert str(content / "samizdat" / "workflow") in environment[0]
    assert sys.prefix in environment[1] and str(content) not in environment[1]
    assert str(content / "samizdat" / ".venv") in environment[2]

    results = content / "samizdat" / "results"
    before = {path.relative_to(results): path.read_bytes() for path in results.rglob("*") if path.is_file()}
    shutil.rmtree(content / "samizdat")
    shutil.rmtree(content / "unpacked")

    nb = own_texts(notebook())
    said = execute(nb, content, **offline)
    assert "Restored from" in said and "Nothing to be done" in said
    assert not [mark for mark in ("✓", "✗", "Migrating") if mark in said]
    assert "What a small GPT-2 learned" in nb.cells[cell_with(nb, "iframe")].outputs[-1].data["text/html"]
    assert before == {path.relative_to(results): path.read_bytes() for path in results.rglob("*") if path.is_file()}


COLAB = """
import sys, types
from pathlib import Path

class Files:
    def upload():
        Path("letters.txt").write_text("a letter")
        return {"letters.txt": b"a letter"}

def mount(place):
    if REFUSED:
        raise ValueError("mount failed")
    Path(place, "MyDrive").mkdir(parents=True)

colab = types.ModuleType("google.colab")
colab.files, colab.drive = Files, types.SimpleNamespace(mount=mount)
google = types.ModuleType("google")
google.colab = colab
sys.modules |= {"google": google, "google.colab": colab}
"""


@pytest.mark.parametrize("refused", [False, True])
def test_on_colab_texts_are_uploaded_and_drive_is_used_where_one_agrees(tmp_path, refused):
    project, content = tmp_path / "project", tmp_path / "content"
    content.mkdir()
    (project / "data").mkdir(parents=True)
    for name in ("Makefile", "data/README.md"):
        (project / name).write_text("", encoding="utf-8")
    identity = ("-c", "user.name=a", "-c", "user.email=a@b")
    for arguments in (("init", "--quiet"), ("add", "."), (*identity, "commit", "--quiet", "-m", "first")):
        subprocess.run(["git", *arguments], cwd=project, check=True)

    nb = notebook()
    get, keep, texts = (nb.cells[cell_with(nb, text)] for text in ("PROJECT = ", "KEEP = ", "UPLOAD = "))
    get.source = get.source.replace('PROJECT = ""', f'PROJECT = "{project}"')
    keep.source = keep.source.replace("/content/drive", str(tmp_path / "drive"))
    keep.source = keep.source.replace("!.venv/bin/samizdat keep", "!mkdir")
    texts.source = texts.source.replace("UPLOAD = False", "UPLOAD = True")
    nb.cells = [new_code_cell(f"REFUSED = {refused}\n{COLAB}"), get, keep, texts, get, new_code_cell("print(KEEP)")]
    said = execute(nb, content)
    assert (content / "samizdat/data/letters.txt").read_text(encoding="utf-8") == "a letter"
    kept = content / "samizdat-kept" if refused else tmp_path / "drive/MyDrive/samizdat"
    assert kept.is_dir() and said.endswith(f"{kept}\n")
    assert ("Google Drive is not used (mount failed)" in said) == refused


def test_without_a_project_the_run_stops_with_what_to_do(tmp_path):
    nb = notebook()
    nb.cells = [nb.cells[cell_with(nb, "PROJECT = ")]]
    with pytest.raises(Exception, match=r"Write its address into PROJECT, or upload samizdat\.zip"):
        execute(nb, tmp_path)
