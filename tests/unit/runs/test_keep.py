"""`samizdat keep`: a new machine gets the last complete snapshot, whatever was cut short."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from samizdat.runs.keep import copy, restore

WORKFLOW = Path(__file__).parents[3] / "workflow"
FILES = {
    "data/texts.txt": "a text",
    "config/mine.yaml": "name: mine",
    "results/mine/models/m/model.safetensors": "weights",
    "results/mine/report/report.html": "page",
    "results/mine/report/.report.html.sha256": "its checksum",
    "work/mine/models/m/state.safetensors": "state",
    ".snakemake/metadata/cmVzdWx0": '{"params": []}',
}
LEFT_OUT = (
    "work/mine/lock",
    "work/mine/compiled/a.so",
    "work/.verify/mine/file",
    "results/mine/.x.part-1",
    "logs/mine/a.log",
    ".snakemake/log/a.log",
    "work/scores/0a/.part-1",
)


def fill(root: Path) -> None:
    for name, text in (FILES | dict.fromkeys(LEFT_OUT, "not kept")).items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    kept = root / "work/mine/models/m/finished/model.safetensors"
    kept.parent.mkdir(parents=True)
    kept.write_text("weights", encoding="utf-8")


def there(root: Path) -> dict[str, str]:
    found = {path.relative_to(root).as_posix(): path for path in root.rglob("*") if path.is_file()}
    return {name: path.read_text(encoding="utf-8") for name, path in found.items() if name != ".snakemake/kept-in"}


def test_a_new_machine_gets_all_files_that_a_run_resumes_from_and_no_temporary_ones(machine, folder):
    first = machine()
    fill(first)
    copy(folder)
    second = machine()
    assert restore(folder) == len(FILES)  # the weights under two names, Snakemake's record not counted
    same = "work/mine/models/m/finished/model.safetensors"
    assert there(second) == FILES | {same: "weights"}
    copies = [path.read_text(encoding="utf-8") for path in (folder / "files").iterdir()]
    assert copies.count("weights") == 1  # what has the same content takes no room twice
    changed = [(root / "data/texts.txt").stat().st_mtime_ns for root in (first, second)]
    assert changed[0] == changed[1]
    assert (folder / "mine-report.html").read_text(encoding="utf-8") == "page"


def test_only_changed_files_are_copied_and_deleted_ones_leave_the_snapshot(machine, folder):
    root = machine()
    fill(root)
    copy(folder)
    before = set((folder / "files").iterdir())
    copy(folder)
    assert set((folder / "files").iterdir()) == before and len(list(folder.glob("index-*"))) == 1
    (root / "data/texts.txt").write_text("another text", encoding="utf-8")
    (root / "work/mine/models/m/state.safetensors").unlink()
    copy(folder)
    assert len(set((folder / "files").iterdir()) - before) == 1
    copy(folder)
    machine()
    restore(folder)
    assert not Path("work/mine/models/m/state.safetensors").exists()
    assert Path("data/texts.txt").read_text(encoding="utf-8") == "another text"


@pytest.mark.parametrize("cut", ["a copy is missing", "a copy is short", "the index is short", "there is no index yet"])
def test_a_snapshot_that_was_cut_short_gives_the_one_before(machine, folder, cut):
    root = machine()
    fill(root)
    copy(folder)
    before = set((folder / "files").iterdir())
    (root / "data/texts.txt").write_text("another text", encoding="utf-8")
    (root / "results/mine/report/report.html").write_text("another page", encoding="utf-8")
    copy(folder)
    (new, *_) = set((folder / "files").iterdir()) - before
    if cut == "a copy is missing":
        new.unlink()
    elif cut == "a copy is short":
        new.write_bytes(b"")
    elif cut == "the index is short":
        index = folder / "index-2.json"
        index.write_text(index.read_text(encoding="utf-8")[:-10], encoding="utf-8")
    else:
        (folder / "index-2.json").unlink()
    second = machine()
    restore(folder)
    assert {name: text for name, text in there(second).items() if name in FILES} == FILES
    (second / "data/texts.txt").write_text("a third text", encoding="utf-8")
    copy(folder)
    machine()
    restore(folder)
    assert Path("data/texts.txt").read_text(encoding="utf-8") == "a third text"


def test_files_here_are_not_overwritten_and_files_deleted_here_stay_deleted(machine, folder):
    fill(machine())
    copy(folder)
    root = machine()
    (root / "data").mkdir()
    (root / "data/texts.txt").write_text("a newer text", encoding="utf-8")
    restore(folder)
    assert (root / "data/texts.txt").read_text(encoding="utf-8") == "a newer text"
    (root / "config/mine.yaml").unlink()
    assert restore(folder) == 0 and not (root / "config/mine.yaml").exists()


def test_a_damaged_copy_is_told_and_not_restored(machine, folder, capsys):
    fill(machine())
    copy(folder)
    entry = json.loads((folder / "index-1.json").read_text(encoding="utf-8"))["files"]["data/texts.txt"]
    (folder / "files" / entry["copy"]).write_bytes(b"a tezt")
    second = machine()
    assert restore(folder) == len(FILES) - 1
    assert "data/texts.txt" not in there(second) and "results/mine/report/report.html" in there(second)
    assert f"! the copy of data/texts.txt in {folder} is damaged" in capsys.readouterr().err


def test_a_name_of_a_file_does_not_control_the_terminal(machine, folder, capsys):
    name = "data/\x1b[2J\n\x9b\u202egnp.txt"
    root = machine()
    (root / "data").mkdir()
    (root / name).write_text("a text", encoding="utf-8")
    copy(folder)
    (copied,) = (folder / "files").iterdir()
    copied.write_bytes(b"a tezt")
    machine()
    restore(folder)
    said = capsys.readouterr().err
    assert "! the copy of data/␛[2J␊⟨U+009B⟩⟨U+202E⟩gnp.txt in" in said and "\x1b" not in said


def test_a_damaged_record_of_snakemake_does_not_end_the_copies(machine, folder):
    root = machine()
    fill(root)
    (root / ".snakemake/metadata/damaged").write_bytes(b"\xff\x00")
    copy(folder)
    second = machine()
    restore(folder)
    assert (second / "data/texts.txt").is_file() and not (second / ".snakemake/metadata/damaged").exists()


def test_an_index_that_names_a_file_outside_is_not_used(machine, folder):
    fill(machine())
    copy(folder)
    index = folder / "index-1.json"
    index.write_text(index.read_text(encoding="utf-8").replace("data/texts.txt", "data/../../x"), encoding="utf-8")
    machine()
    assert restore(folder) == 0 and not Path("../x").exists()


@pytest.mark.parametrize(
    "change",
    [
        {"files": []}, {"files": {"": {}}}, {"files": {"data/x": {}}}, {"files": {"data/x": 7}},
        {"files": {"data": ...}},
        {"files": {"data/x": {"copy": "../../secret"}}}, {"files": {"data/x": {"changed": "x"}}},
        {"files": {"data/x": {"sha256": []}}}, {"files": {"data/x\0": ...}}, {"files": {"workflow/x.txt": ...}},
        {"snakemake": []}, {"snakemake": {".snakemake/metadata/x": 7}}, {"snakemake": {".snakemake/x.py": "evil"}},
        {"snakemake": {"data/x": "evil"}}, "[]", "7", "null", "[" * 100_000, b"\xff",
    ],
    ids=lambda change: str(change)[:60],
)  # fmt: skip
def test_an_index_that_is_none_is_not_used(machine, folder, change):
    fill(machine())
    copy(folder)
    index = folder / "index-1.json"
    values = json.loads(index.read_text(encoding="utf-8"))
    good = values["files"]["data/texts.txt"]
    (folder.parent / "secret").write_bytes(b"x" * good["bytes"])
    if isinstance(change, dict):
        for key, entries in change.items():
            if isinstance(entries, dict):
                entries = {name: good | entry if isinstance(entry, dict) and entry else good if entry is ... else entry
                           for name, entry in entries.items()}  # fmt: skip
            values[key] = entries
        change = json.dumps(values)
    index.write_bytes(change if isinstance(change, bytes) else change.encode())
    here = machine()
    assert restore(folder) == 0 and not [path for path in here.rglob("*x*") if path.is_file()]


def git(*arguments: str) -> None:
    subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b.c", *arguments], check=True, capture_output=True)


CLONED = {"config/config.yaml": "seed: 1", "config/tiny.yaml": "seed: 2", "report/notes.md": "template"}


def clone(machine) -> Path:
    """A new machine with a clone that has a config and the template of the notes."""
    root = machine()
    for name, text in CLONED.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    git("init", "--quiet")
    git("add", "--all")
    git("commit", "--quiet", "--message", "all")
    return root


def test_what_was_edited_takes_the_place_of_what_a_new_clone_brings(machine, folder, capsys):
    first = clone(machine)
    edited = {"config/config.yaml": "seed: 7", "report/notes.md": "my words"}
    for name, text in edited.items():
        (first / name).write_text(text, encoding="utf-8")
    copy(folder)
    second = clone(machine)
    assert restore(folder) == 2
    assert {name: (second / name).read_text(encoding="utf-8") for name in CLONED} == CLONED | edited
    assert "! report/notes.md is your edited copy from" in capsys.readouterr().err
    third = clone(machine)
    (third / "report/notes.md").write_text("newer words", encoding="utf-8")
    restore(folder)
    assert (third / "report/notes.md").read_text(encoding="utf-8") == "newer words"
    assert "! report/notes.md is another one than in" in capsys.readouterr().err


def test_texts_and_states_in_a_folder_that_is_called_like_a_cache_are_kept(machine, folder):
    root = machine()
    names = ["data/jupyter/a.txt", "data/lock/b.txt", "data/__pycache__/c.txt", "results/m/models/compiled/d.json"]
    names += [f"work/m/models/{name}/state.safetensors" for name in ("compiled", "fetch", "jupyter", "lock")]
    for name in [*names, "work/m/report/jupyter/e", "work/m/compiled/f", "work/fetch/x/g"]:
        (root / name).parent.mkdir(parents=True)
        (root / name).write_text("a text", encoding="utf-8")
    copy(folder)
    second = machine()
    restore(folder)
    assert sorted(there(second)) == sorted(names)


def test_a_name_that_is_no_utf_8_is_kept_too(machine, folder, capsys, caplog):
    # Workers of pytest can't send each other such a name, so nothing that is said or logged of it may be left.
    caplog.set_level("CRITICAL", logger="samizdat")
    name = os.fsdecode(b"data/\xdcbung.pdf")
    first = clone(machine)
    for other in (name, os.fsdecode(b"data/\xc4hnlich.pdf")):
        (first / other).parent.mkdir(exist_ok=True)
        (first / other).write_text("a page", encoding="utf-8")
    git("add", "--", name)
    folder = folder.rename(os.fsdecode(os.fsencode(folder) + b"\xdc"))
    copy(folder)
    second = machine()
    assert restore(folder) == 2 and restore(folder) == 0 and (second / name).read_text(encoding="utf-8") == "a page"
    capsys.readouterr()
