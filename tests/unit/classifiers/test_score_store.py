"""The store of scores: only new texts are computed, also after a kill, after damage, and when it is shared."""

import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from samizdat.base import files
from samizdat.base.errors import UserError
from samizdat.classifiers import score_store
from samizdat.classifiers.score_store import ScoreStore, key_of, score_rows
from samizdat.records.classifiers import SCORES
from samizdat.records.io import read_table
from support import warm_python
from support.small_classifier import make_classifier
from support.small_scoring import probabilities, run, sentences

NAME = "0" * 64


def segments(store: Path) -> list[Path]:
    return sorted(path for path in store.glob("*/*") if path.is_file())


def test_only_new_texts_are_computed(classifier, tmp_path):
    texts = sentences(30)
    first = probabilities(run(classifier, texts, tmp_path)[1])
    # What the store says of a text is believed, so a text that was computed again would show.
    (path,) = segments(tmp_path / "store")
    fake = ScoreStore(tmp_path / "store", path.parent.name, 3)
    path.unlink()
    fake.add(score_rows(keys_of(texts), 1, [[0, 0, 1]] * len(texts)))
    fake.close()
    changed = [*texts[:10], texts[10] + " rain", *texts[12:], "one more"]
    said, path = run(classifier, changed, tmp_path)
    assert said == "30 texts, 2 of them new"
    frame = read_table(path, SCORES)
    kept = frame["id"].isin(first)
    assert kept.sum() == 28
    assert all(list(values) == [0, 0, 1] for values in frame["probabilities"][kept])
    assert not any(list(values) == [0, 0, 1] for values in frame["probabilities"][~kept])


def keys_of(texts: list[str]) -> np.ndarray:
    return np.array([key_of(text) for text in texts], "S16")


def test_another_classifier_or_setting_is_no_old_score(classifier, tmp_path):
    texts = sentences(12)
    run(classifier, texts, tmp_path)
    assert run(classifier, texts, tmp_path)[0] == "12 texts, 0 of them new"
    assert run(classifier, texts, tmp_path, window_overlap_tokens=2)[0] == "12 texts, 12 of them new"
    other = make_classifier(tmp_path / "other", seed=2)
    assert run(other, texts, tmp_path)[0] == "12 texts, 12 of them new"
    assert run(classifier, texts, tmp_path)[0] == "12 texts, 0 of them new"


def test_scores_of_damaged_weights_are_not_those_of_the_whole_ones(tmp_path):
    """The card still has the hash of the whole file; the scores belong to the file that was loaded."""
    mine, texts = make_classifier(tmp_path / "mine"), sentences(12)
    before = run(mine, texts, tmp_path)[1].read_bytes()
    weights = mine / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-3] + bytes([whole[-3] ^ 0x40]) + whole[-2:])
    assert run(mine, texts, tmp_path)[0] == "12 texts, 12 of them new"
    weights.write_bytes(whole)
    assert run(mine, texts, tmp_path)[1].read_bytes() == before
    files.write_text(mine / "config.json", (mine / "config.json").read_text(encoding="utf-8"))
    (mine / "config.json").write_text("{}", encoding="utf-8")
    with pytest.raises(UserError, match=r"config\.json is damaged"):
        run(mine, texts, tmp_path)


@pytest.mark.parametrize("damage", ["deleted", "emptied", "cut", "flipped", "no scores at all"])
def test_what_is_damaged_is_told_and_computed_again(classifier, tmp_path, monkeypatch, capsys, damage):
    monkeypatch.setattr(score_store, "SEGMENT_SECONDS", 0)
    texts = sentences(20)
    before = run(classifier, texts, tmp_path)[1].read_bytes()
    path = segments(tmp_path / "store")[1]
    content = path.read_bytes()
    new = {"emptied": b"", "cut": content[:-28], "flipped": content[:50] + bytes([content[50] ^ 1]) + content[51:]}
    path.unlink()
    if damage != "deleted":
        path.write_bytes(new.get(damage, b"no scores at all" * 40))
    said, scores = run(classifier, texts, tmp_path)
    assert said == f"20 texts, {len(content) // 32} of them new"
    assert scores.read_bytes() == before
    assert (f"{path} is damaged; its scores are computed again" in capsys.readouterr().err) == (damage != "deleted")
    assert run(classifier, texts, tmp_path)[0] == "20 texts, 0 of them new"


SCORING = """
import sys, time
from pathlib import Path
from samizdat.classifiers import score_store
from support.small_scoring import run, sentences
score_store.SEGMENT_SECONDS = 0
added = score_store.ScoreStore.add
def add_and_say(*arguments):
    added(*arguments)
    print("batch", flush=True)
    sys.stdin.readline() or time.sleep(600)  # at the end of the input it is killed
score_store.ScoreStore.add = add_and_say
run(Path({classifier!r}), sentences(60), Path({folder!r}))
"""


def start(classifier, folder) -> subprocess.Popen:
    program = SCORING.format(classifier=str(classifier), folder=str(folder))
    return subprocess.Popen(
        [sys.executable, "-c", program], env=warm_python.programs_environment(), text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip


def test_a_kill_costs_no_batch_that_was_done(classifier, tmp_path):
    folder = tmp_path / "killed"
    with start(classifier, folder) as process:
        for _ in range(4):
            assert process.stdout.readline() == "batch\n"
            process.stdin.write("\n")
            process.stdin.flush()
        assert process.stdout.readline() == "batch\n"
        process.send_signal(signal.SIGKILL)
    assert not (folder / "scores.parquet").exists()
    kept = sum(path.stat().st_size for path in segments(folder / "store")) // 32
    assert kept >= 5
    said, path = run(classifier, sentences(60), folder)
    assert said == f"60 texts, {60 - kept} of them new"
    assert path.read_bytes() == run(classifier, sentences(60), tmp_path / "whole")[1].read_bytes()


def test_two_runs_at_once_share_a_store(classifier, tmp_path):
    program = f"""
import sys
from pathlib import Path
from samizdat.classifiers import score_store
from support.small_scoring import run, sentences
folder = Path({str(tmp_path)!r}, sys.argv[1])
folder.mkdir()
score_store.SEGMENT_SECONDS, score_store.MOST_SMALL_SEGMENTS = 0, 3
(folder / "store").symlink_to("../shared")
run(Path({str(classifier)!r}), sentences(300)[int(sys.argv[2]):], folder)
"""
    (tmp_path / "shared").mkdir()
    starts = [
        subprocess.Popen([sys.executable, "-c", program, *arguments], env=warm_python.programs_environment())
        for arguments in (("a", "0"), ("b", "9"))
    ]
    assert [process.wait() for process in starts] == [0, 0]
    alone = probabilities(run(classifier, sentences(300), tmp_path / "alone")[1])
    assert probabilities(tmp_path / "a" / "scores.parquet") == alone
    assert probabilities(tmp_path / "b" / "scores.parquet").items() < alone.items()


def test_many_segments_become_one_and_no_score_is_lost(tmp_path, monkeypatch):
    monkeypatch.setattr(score_store, "SEGMENT_SECONDS", 0)
    scores = score_rows(keys_of(list("abcdefgh")), range(8), [[number, 0.5] for number in range(8)])
    store = ScoreStore(tmp_path, NAME, 2)
    monkeypatch.setattr(score_store, "MOST_SMALL_SEGMENTS", len(scores))
    for place in range(len(scores)):
        store.add(scores[place : place + 1])
    store.close()
    assert len(segments(tmp_path)) == len(scores)
    monkeypatch.setattr(score_store, "MOST_SMALL_SEGMENTS", 7)
    (tmp_path / NAME / ".part-1").write_bytes(b"of a killed process")
    os.utime(tmp_path / NAME / ".part-1", (0, 0))
    ScoreStore(tmp_path, NAME, 2).close()
    (whole,) = segments(tmp_path)
    assert whole.name == hashlib.sha256(whole.read_bytes()).hexdigest()
    (found,) = ScoreStore(tmp_path, NAME, 2).known()
    assert {row.tobytes() for row in found} == {row.tobytes() for row in scores}


def test_what_is_joined_is_never_twice_as_large_as_a_small_segment(tmp_path, monkeypatch):
    """So closing the store takes as much memory for a million scores as for ten million."""
    scores = score_rows(keys_of([str(number) for number in range(200)]), 1, [[number, 0.5] for number in range(200)])
    monkeypatch.setattr(score_store, "SEGMENT_SECONDS", 0)
    monkeypatch.setattr(score_store, "SMALL_BYTES", 50 * scores.itemsize)
    for _ in range(2):
        store = ScoreStore(tmp_path, NAME, 2)
        for start in range(0, 200, 4):
            store.add(scores[start : start + 4])
        store.close()
    sizes = [path.stat().st_size // scores.itemsize for path in segments(tmp_path)]
    assert max(sizes) < 2 * 50 and sum(size < 50 for size in sizes) <= 2
    found = [row.tobytes() for rows in ScoreStore(tmp_path, NAME, 2).known() for row in rows]
    assert set(found) == {row.tobytes() for row in scores}


def test_the_store_forgets_classifiers_that_nobody_used_for_long(tmp_path, monkeypatch):
    monkeypatch.setattr(score_store, "KEPT_CLASSIFIERS", 3)
    (tmp_path / "somebody's own").mkdir()
    names = [hashlib.sha256(str(number).encode()).hexdigest() for number in range(5)]
    for name in names:
        ScoreStore(tmp_path, name, 2)
        ScoreStore(tmp_path, names[0], 2)
    assert {path.name for path in tmp_path.iterdir()} == {"somebody's own", names[0], names[3], names[4]}
