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
from samizdat import code, files, records
from samizdat.errors import UserError
from samizdat.manifest import rule_edges
from samizdat.seeds import derive_seed

STAGE = '''
from dataclasses import dataclass
from pathlib import Path
from samizdat import program
from samizdat.errors import UserError

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
    program.run(stage)
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
        from samizdat.files import locked
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
    monkeypatch.setattr(code, "PACKAGE", tmp_path)

    def digest():
        code._tree.cache_clear()
        return code.code_digest("stage")

    first = digest()
    (tmp_path / "leaf.py").write_text('"""Other words."""\n\n# why\nX = 1\n', encoding="utf-8")
    (tmp_path / "stage.py").write_text(
        'from samizdat.leaf import X\n\ndef f():\n    """Why."""\n    return X  # here\n', encoding="utf-8"
    )
    assert digest() == first
    (tmp_path / "leaf.py").write_text("X = 2\n", encoding="utf-8")
    assert digest() != first
    code._tree.cache_clear()


def test_what_is_said_changes_the_digest_of_the_code_and_not_of_the_result(tmp_path, monkeypatch):
    monkeypatch.setattr(code, "PACKAGE", tmp_path)
    stage = (
        "import sys\nfrom samizdat import program\nfrom samizdat.errors import UserError\n"
        "def f(x):\n    log.info('at %d', x)\n    if x:\n        raise UserError(f'{x} is wrong', remedy='mend it')\n"
        "    return [sys.executable, '-m', 'samizdat.started', 'samizdat.nowhere', 'see samizdat.other'], 1\n"
    )
    for name in ("program", "errors", "started", "other"):
        (tmp_path / f"{name}.py").write_text("X = 1\n", encoding="utf-8")

    def digests(**changes: str) -> tuple[str, str]:
        (tmp_path / "stage.py").write_text(stage, encoding="utf-8")
        for name, text in changes.items():
            (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
        code._tree.cache_clear()
        return code.code_digest("stage"), code.result_digest("stage")

    rule, result = digests()
    for changes in (
        {"stage": stage.replace("is wrong", "cannot be")},
        {"stage": stage.replace("'at %d'", "'step %d'")},
        {"program": "X = 2\n"},
    ):
        assert digests(**changes)[0] != rule and digests(**changes)[1] == result
    digests(program="X = 1\n")
    for changes in ({"stage": stage.replace("if x", "if not x")}, {"started": "X = 2\n"}):
        assert digests(**changes)[0] != rule and digests(**changes)[1] != result
    code._tree.cache_clear()
    assert code.imported_siblings("stage") == {"stage", "program", "errors", "started"}
    code._tree.cache_clear()


def test_the_import_of_a_classifier_knows_the_program_that_it_starts():
    assert "unpickle" in code.imported_siblings("checkpoints")


def test_a_table_of_another_schema_is_neither_written_nor_read(tmp_path):
    path = tmp_path / "scores.parquet"
    row = {"id": ["a"], "label": ["x"], "probabilities": [[0.25, 0.75]], "windows": [1]}
    row |= {"seen_in_training": [False], "reason": [None]}
    records.write_table(pd.DataFrame(row), records.SCORES, path)
    assert records.read_table(path, records.SCORES)["probabilities"][0].tolist() == [0.25, 0.75]
    with pytest.raises(ValueError, match="wanted"):
        records.write_table(pd.DataFrame(row | {"more": [1]}), records.SCORES, path)
    with pytest.raises(pa.ArrowInvalid):
        records.write_table(pd.DataFrame(row | {"windows": ["many"]}), records.SCORES, path)
    with pytest.raises(UserError, match="other columns"):
        records.read_table(path, records.SAMPLES)
    path.write_bytes(b"PAR1 broken")
    with pytest.raises(UserError, match="damaged"):
        records.read_table(path, records.SCORES)
    path.unlink()
    with pytest.raises(UserError, match="missing"):
        records.read_table(path, records.SCORES)


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
    records.write_table(pd.DataFrame(row), records.TEXTS, path)
    assert records.read_table(path, records.TEXTS)["label_mood"].tolist() == ["good"]
    with pytest.raises(ValueError, match="wanted"):
        records.write_table(pd.DataFrame(row | {"mood": ["good"]}), records.TEXTS, path)


def test_a_document_with_other_keys_is_refused(tmp_path):
    path = tmp_path / "summary.json"
    summary = records.TokenizerSummary("own", 300, {"train": 1}, {"train": 2}, 2.0, 0, "uint16")
    records.write_document(summary, path)
    assert records.read_document(records.TokenizerSummary, path) == summary
    with pytest.raises(UserError, match="other keys"):
        records.read_document(records.CorpusSummary, path)
    path.write_text("{", encoding="utf-8")
    with pytest.raises(UserError, match="damaged"):
        records.read_document(records.TokenizerSummary, path)


def test_rule_edges_are_read_from_the_rule_graph():
    dot = 'digraph {\n\t0[label = "all", color = "0"];\n\t1[label = "import_corpus", color = "1"];\n\t1 -> 0\n}'
    assert rule_edges(dot) == [["import_corpus", "all"]]


def test_what_a_killed_process_left_is_swept_away_and_nothing_else(tmp_path):
    program = f"""
        import os
        from pathlib import Path
        from samizdat.files import replacing, replacing_folder
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
