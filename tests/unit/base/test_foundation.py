"""What every stage stands on: options, errors, locks, atomic files, seeds, code digests, schemas."""

import json
import subprocess
import sys
import textwrap

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from samizdat.base import digest, files
from samizdat.base.errors import UserError
from samizdat.base.seeds import derive_seed
from samizdat.records.classifiers import SCORES
from samizdat.records.corpus import TEXTS, CorpusSummary
from samizdat.records.io import read_document, read_table, write_document, write_table
from samizdat.records.models import TokenizerSummary
from samizdat.records.samples import SAMPLES

STAGE = '''
from dataclasses import dataclass
from pathlib import Path
from samizdat.base.stage import run
from samizdat.base.errors import UserError

@dataclass(frozen=True)
class Settings:
    share: float
    limit: int | None
    names: tuple[str, ...]
    label: str | None
    on: bool

def stage(settings: Settings, out: Path, files: tuple[Path, ...], work: Path) -> str:
    """A stage for the tests."""
    if settings.label == "refuse":
        raise UserError("the label is refused", remedy="name another")
    if settings.label == "crash":
        raise RuntimeError("unforeseen")
    if settings.label == "full":
        raise OSError(28, "No space left on device", "somewhere")
    out.write_text(repr((settings, files)))
    return "all well"

if __name__ == "__main__":
    run(stage)
'''


@pytest.fixture
def stage(tmp_path):
    """Run the stage above as a program, with some options changed."""
    program = tmp_path / "stage.py"
    program.write_text(STAGE, encoding="utf-8")

    def run(**changes):
        options = {
            "share": "0.5", "limit": "null", "names": '["- a", "b"]', "label": "null", "on": "true", "out": "out.txt",
            "files": '["x", "y"]', "work": "work", "log": "log.txt", "title": "the stage",
        } | changes  # fmt: skip
        command = [sys.executable, "-m", "stage", *(f"--{key}={value}" for key, value in options.items())]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    return run


def test_options_come_from_the_signature(stage, tmp_path):
    done = stage(label="- odd 'label'", limit="3")
    assert done.returncode == 0
    written = (tmp_path / "out.txt").read_text(encoding="utf-8")
    assert "share=0.5, limit=3, names=('- a', 'b'), label=\"- odd 'label'\", on=True" in written
    assert "PosixPath('x'), PosixPath('y')" in written
    assert done.stderr.startswith("✓ the stage (") and done.stderr.endswith(": all well\n")
    usage = json.loads((tmp_path / "work" / "usage.json").read_text(encoding="utf-8"))
    assert usage["elapsed_seconds"] >= 0 and usage["peak_memory_bytes"] > 1e6


@pytest.mark.parametrize(("option", "value"), [("limit", "x"), ("on", "1"), ("names", '"a"'), ("share", '"a"')])
def test_an_option_of_the_wrong_type_is_refused_by_name(stage, option, value):
    done = stage(**{option: value})
    assert done.returncode == 2 and f"argument --{option}" in done.stderr


@pytest.mark.parametrize(
    ("label", "said"),
    [
        ("refuse", "the label is refused.\n  What to do: name another"),
        ("full", "No space left on device (somewhere).\n  What to do: free some disk space"),
        ("crash", "RuntimeError: unforeseen\n  What to do: this is a bug; the log has the traceback"),
    ],
)
def test_a_failure_is_one_message_without_a_traceback(stage, tmp_path, label, said):
    done = stage(label=label)
    assert done.returncode == 1
    assert said in done.stderr and "Traceback" not in done.stderr
    log = (tmp_path / "log.txt").read_text(encoding="utf-8")
    assert said.split("\n")[0].rstrip(".") in log and ("Traceback" in log) == (label == "crash")


def test_a_second_process_at_the_same_step_is_refused(tmp_path):
    path = tmp_path / "lock"
    program = f"""
        from pathlib import Path
        from samizdat.base.files import locked
        with locked(Path({str(path)!r})):
            print("held", flush=True)
            input()
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "held\n"
        with (
            pytest.raises(UserError, match="another process is at work"),
            files.locked(path, patience_seconds=0.1),
        ):
            pass
        holder.kill()
    with files.locked(path, patience_seconds=5):
        pass


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path):
    path = tmp_path / "out.txt"
    files.write_text(path, "old")
    with pytest.raises(RuntimeError), files.replacing(path) as temporary:
        temporary.write_text("half", encoding="utf-8")
        raise RuntimeError
    assert path.read_text(encoding="utf-8") == "old"
    assert [child.name for child in tmp_path.iterdir()] == ["out.txt"]


def test_a_folder_takes_its_files_when_all_are_written(tmp_path):
    folder = tmp_path / "model"
    with pytest.raises(RuntimeError), files.replacing_folder(folder) as temporary:
        (temporary / "a").write_text("half", encoding="utf-8")
        raise RuntimeError
    with files.replacing_folder(folder) as temporary:
        (temporary / "steps").mkdir()
        (temporary / "steps" / "a").write_text("whole", encoding="utf-8")
        (temporary / "steps" / "a").chmod(0o600)
    assert (folder / "steps" / "a").read_text(encoding="utf-8") == "whole"
    assert (folder / "steps" / "a").stat().st_mode & 0o777 == 0o644
    assert [child.name for child in tmp_path.iterdir()] == ["model"]


@given(st.integers(0, 2**63), st.lists(st.text()), st.lists(st.text()))
def test_seeds_depend_on_all_names_and_fit_everywhere(master, left, right):
    assert 0 <= derive_seed(master, *left) < 2**63
    assert (derive_seed(master, *left) == derive_seed(master, *right)) == (left == right)


def test_a_seed_is_what_it_always_was():
    assert derive_seed(2014, "training", "gpt2-tiny") == 3878819129766110918


def test_a_comment_changes_no_code_digest_and_an_edit_does(tmp_path, monkeypatch):
    (tmp_path / "leaf.py").write_text('"""Leaf."""\nX = 1\n', encoding="utf-8")
    (tmp_path / "stage.py").write_text("from samizdat.leaf import X\n\ndef f():\n    return X\n", encoding="utf-8")
    monkeypatch.setattr(digest, "PACKAGE", tmp_path)

    def current():
        digest._tree.cache_clear()
        return digest.code_digest("stage")

    first = current()
    (tmp_path / "leaf.py").write_text('"""Other words."""\n\n# why\nX = 1\n', encoding="utf-8")
    (tmp_path / "stage.py").write_text(
        'from samizdat.leaf import X\n\ndef f():\n    """Why."""\n    return X  # here\n', encoding="utf-8"
    )
    assert current() == first
    (tmp_path / "leaf.py").write_text("X = 2\n", encoding="utf-8")
    assert current() != first
    digest._tree.cache_clear()


def write_module(package, name, text):
    path = package / f"{name.replace('.', '/')}.py"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_what_is_said_changes_the_digest_of_the_code_and_not_of_the_result(tmp_path, monkeypatch):
    monkeypatch.setattr(digest, "PACKAGE", tmp_path)
    stage = (
        "import sys\nfrom samizdat.base import stage\nfrom samizdat.base.errors import UserError\n"
        "def f(x):\n    log.info('at %d', x)\n    if x:\n        raise UserError(f'{x} is wrong', remedy='mend it')\n"
        "    return [sys.executable, '-m', 'samizdat.started', 'samizdat.nowhere', 'see samizdat.other'], 1\n"
    )
    for name in ("base.stage", "base.errors", "started", "other"):
        write_module(tmp_path, name, "X = 1\n")

    def digests(changes: dict[str, str]) -> tuple[str, str]:
        (tmp_path / "stage.py").write_text(stage, encoding="utf-8")
        for name, text in changes.items():
            write_module(tmp_path, name, text)
        digest._tree.cache_clear()
        return digest.code_digest("stage"), digest.result_digest("stage")

    rule, result = digests({})
    for changes in (
        {"stage": stage.replace("is wrong", "cannot be")},
        {"stage": stage.replace("'at %d'", "'step %d'")},
        {"base.stage": "X = 2\n"},
    ):
        assert digests(changes)[0] != rule and digests(changes)[1] == result
    digests({"base.stage": "X = 1\n"})
    for changes in ({"stage": stage.replace("if x", "if not x")}, {"started": "X = 2\n"}):
        assert digests(changes)[0] != rule and digests(changes)[1] != result
    digest._tree.cache_clear()
    assert digest.imported_siblings("stage") == {"stage", "base.stage", "base.errors", "started"}
    digest._tree.cache_clear()


def test_the_import_of_a_classifier_knows_the_program_that_it_starts():
    assert "checkpoints.unpickle" in digest.imported_siblings("classifiers.import_classifier")


def test_a_table_of_another_schema_is_neither_written_nor_read(tmp_path):
    path = tmp_path / "scores.parquet"
    row = {"id": ["a"], "label": ["x"], "probabilities": [[0.25, 0.75]], "windows": [1]}
    row |= {"seen_in_training": [False], "reason": [None]}
    write_table(pd.DataFrame(row), SCORES, path)
    assert read_table(path, SCORES)["probabilities"][0].tolist() == [0.25, 0.75]
    with pytest.raises(ValueError, match="wanted"):
        write_table(pd.DataFrame(row | {"more": [1]}), SCORES, path)
    with pytest.raises(pa.ArrowInvalid):
        write_table(pd.DataFrame(row | {"windows": ["many"]}), SCORES, path)
    with pytest.raises(UserError, match="other columns"):
        read_table(path, SAMPLES)
    path.write_bytes(b"PAR1 broken")
    with pytest.raises(UserError, match="damaged"):
        read_table(path, SCORES)
    path.unlink()
    with pytest.raises(UserError, match="missing"):
        read_table(path, SCORES)


def test_texts_may_bring_labels_and_no_other_columns(tmp_path):
    row = {
        "id": ["a"],
        "text": ["t"],
        "document": ["d"],
        "group": [None],
        "split": ["train"],
        "sha256": ["f"],
    }
    row |= {"ratings": [None], "label_mood": ["good"]}
    path = tmp_path / "texts.parquet"
    write_table(pd.DataFrame(row), TEXTS, path)
    assert read_table(path, TEXTS)["label_mood"].tolist() == ["good"]
    with pytest.raises(ValueError, match="wanted"):
        write_table(pd.DataFrame(row | {"mood": ["good"]}), TEXTS, path)


def test_a_document_with_other_keys_is_refused(tmp_path):
    path = tmp_path / "summary.json"
    summary = TokenizerSummary("own", 300, {"train": 1}, {"train": 2}, 2.0, 0, "uint16")
    write_document(summary, path)
    assert read_document(TokenizerSummary, path) == summary
    with pytest.raises(UserError, match="other keys"):
        read_document(CorpusSummary, path)
    path.write_text("{", encoding="utf-8")
    with pytest.raises(UserError, match="damaged"):
        read_document(TokenizerSummary, path)


def test_what_a_killed_process_left_is_swept_away_and_nothing_else(tmp_path):
    program = f"""
        import os
        from pathlib import Path
        from samizdat.base.files import replacing, replacing_folder
        root = Path({str(tmp_path)!r})
        with replacing(root / "out.txt"), replacing_folder(root / "model") as folder:
            (folder / "half").write_text("half")
            os._exit(9)
    """
    assert subprocess.run([sys.executable, "-c", textwrap.dedent(program)]).returncode == 9
    (tmp_path / ".out.txt.keep").write_text("somebody's own", encoding="utf-8")
    assert len(list(tmp_path.glob(".*.part-*"))) == 2
    files.write_text(tmp_path / "out.txt", "whole")
    with files.replacing_folder(tmp_path / "model") as folder:
        (folder / "a").write_text("whole", encoding="utf-8")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".out.txt.keep", "model", "out.txt"]
