"""The store of scores: only new texts are computed, also after a kill, after damage, and when it is shared."""

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np

from samizdat.classifiers import score_store
from samizdat.classifiers.score_store import ScoreStore
from samizdat.records.classifiers import SCORES
from samizdat.records.io import read_table
from support.small_classifier import make_classifier
from support.small_scoring import probabilities, run, sentences

TESTS = Path(__file__).parents[2]


def test_only_new_texts_are_computed(classifier, tmp_path):
    texts = sentences(30)
    first = probabilities(run(classifier, texts, tmp_path)[1])
    connection = sqlite3.connect(tmp_path / "scores.sqlite")
    with connection:
        # What the store says of a text is believed, so a text that was computed again would show.
        connection.execute("UPDATE scores SET probabilities = ?", (np.array([0, 0, 1], "<f4").tobytes(),))
    connection.close()
    changed = [*texts[:10], texts[10] + " rain", *texts[12:], "one more"]
    said, path = run(classifier, changed, tmp_path)
    assert said == "30 texts, 2 of them new"
    frame = read_table(path, SCORES)
    kept = frame["id"].isin(first)
    assert kept.sum() == 28
    assert all(list(values) == [0, 0, 1] for values in frame["probabilities"][kept])
    assert not any(list(values) == [0, 0, 1] for values in frame["probabilities"][~kept])


def test_another_classifier_or_setting_is_no_old_score(classifier, tmp_path):
    texts = sentences(12)
    run(classifier, texts, tmp_path)
    assert run(classifier, texts, tmp_path)[0] == "12 texts, 0 of them new"
    assert run(classifier, texts, tmp_path, window_overlap_tokens=2)[0] == "12 texts, 12 of them new"
    other = make_classifier(tmp_path / "other", seed=2)
    assert run(other, texts, tmp_path)[0] == "12 texts, 12 of them new"
    assert run(classifier, texts, tmp_path)[0] == "12 texts, 0 of them new"


def test_deleting_or_damaging_the_store_changes_nothing_but_time(classifier, tmp_path):
    texts = sentences(20)
    _, path = run(classifier, texts, tmp_path)
    before = path.read_bytes()
    store = tmp_path / "scores.sqlite"
    store.unlink()
    assert run(classifier, texts, tmp_path)[0] == "20 texts, 20 of them new"
    assert path.read_bytes() == before
    store.write_bytes(b"no database at all, but long enough to be taken for one" * 40)
    assert run(classifier, texts, tmp_path)[0] == "20 texts, 20 of them new"
    assert path.read_bytes() == before


SCORING = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from samizdat.classifiers import score_store
from support.small_scoring import run, sentences
added = score_store.ScoreStore.add
def add_and_say(*arguments):
    added(*arguments)
    print("batch", flush=True)
    input()
score_store.ScoreStore.add = add_and_say
run(Path({classifier!r}), sentences(60), Path({folder!r}))
"""


def start(classifier, folder) -> subprocess.Popen:
    program = SCORING.format(tests=str(TESTS), classifier=str(classifier), folder=str(folder))
    return subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ
    )


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
    connection = sqlite3.connect(folder / "scores.sqlite")
    (kept,) = connection.execute("SELECT count(*) FROM scores").fetchone()
    connection.close()
    assert kept >= 5
    said, path = run(classifier, sentences(60), folder)
    assert said == f"60 texts, {60 - kept} of them new"
    assert path.read_bytes() == run(classifier, sentences(60), tmp_path / "whole")[1].read_bytes()


def test_two_runs_at_once_share_a_store(classifier, tmp_path):
    program = f"""
import sys
from pathlib import Path
sys.path.insert(0, {str(TESTS)!r})
from support.small_scoring import run, sentences
folder = Path({str(tmp_path)!r}, sys.argv[1])
folder.mkdir()
(folder / "scores.sqlite").symlink_to("../shared.sqlite")
run(Path({str(classifier)!r}), sentences(300)[int(sys.argv[2]):], folder)
"""
    starts = [
        subprocess.Popen([sys.executable, "-c", program, name, first]) for name, first in (("a", "0"), ("b", "9"))
    ]
    assert [process.wait() for process in starts] == [0, 0]
    alone = probabilities(run(classifier, sentences(300), tmp_path / "alone")[1])
    assert probabilities(tmp_path / "a" / "scores.parquet") == alone
    assert probabilities(tmp_path / "b" / "scores.parquet").items() < alone.items()


def test_the_store_forgets_classifiers_that_nobody_used_for_long(tmp_path):
    key, value = b"k" * 32, np.array([0.25, 0.75], np.float32)
    for number in range(score_store.KEPT_CLASSIFIERS + 5):
        store = ScoreStore(tmp_path / "scores.sqlite", f"classifier {number}")
        store.add([(key, 1, value)])
        store.close()
        store = ScoreStore(tmp_path / "scores.sqlite", "classifier 0")
        assert [(found, list(values)) for found, _, values in store.known([key])] == [(key, [0.25, 0.75])]
        store.close()
    connection = sqlite3.connect(tmp_path / "scores.sqlite")
    assert connection.execute("SELECT count(*) FROM scores").fetchone() == (score_store.KEPT_CLASSIFIERS,)
    connection.close()
    assert not list(ScoreStore(tmp_path / "scores.sqlite", "classifier 1").known([key]))
