"""Labels that `label_map` gives one name: their probabilities are summed before anything is made of them."""

import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from samizdat.base.errors import UserError
from samizdat.classifiers.outputs import UNCERTAIN
from samizdat.classifiers.score_store import score_rows
from samizdat.classifiers.score_table import ScoreTable
from samizdat.records.classifiers import SCORES, ClassifierCard
from samizdat.records.corpus import TEXTS
from samizdat.records.io import read_document, read_table, write_document, write_table
from samizdat.records.samples import SAMPLES
from samizdat.records.statistics import STATISTICS
from samizdat.statistics.compute_statistics import StatisticsSettings, compute_statistics
from samizdat.statistics.detect_languages import detect_languages
from support.small_classifier import LABELS
from support.small_scoring import run, sentences

STARS = ["1 star", "2 stars", "3 stars", "4 stars", "5 stars"]
THREE = {"1 star": "bad", "2 stars": "bad", "4 stars": "good", "5 stars": "good"}  # “3 stars” keeps its name
TEXTS_OF_STARS = 20_000


def card_of(label_map: dict[str, str]) -> ClassifierCard:
    return ClassifierCard(
        name="stars", kind="single_label", threshold=0.5, label_separator=None, 
        label_column="stars", label_map=label_map, predicts="", made_for="", reference="", languages=(),
        min_words=None, max_words=None, origin="", checkpoint_labels=STARS,
        labels=["bad", "3 stars", "good"] if label_map else STARS, max_length_tokens=8, weights_sha256="",
        training_texts=0, selection_texts=0, unlearned={}, unselected={}, hypotheses=[], entailment=[],
        model_type="bert",
    )  # fmt: skip


def table_of(probabilities: np.ndarray, label_map: dict[str, str], abstain_below: float = 0.0) -> pd.DataFrame:
    """Make the frame of scores of texts with these probabilities of the five stars."""
    keys = np.array([number.to_bytes(16, "big") for number in range(len(probabilities))], "S16")
    table = ScoreTable(keys, card_of(label_map))
    table.fill([score_rows(keys, 1, probabilities)])
    ids = [f"{number:016d}" for number in range(len(keys))]
    return pd.concat(table.frames(ids, set(), abstain_below), ignore_index=True)


def statistics(scores: pd.DataFrame, human: np.ndarray, label_map: dict[str, str], folder) -> dict[str, pd.DataFrame]:
    """Compare scores with what people say of held-out texts, each a document of its own."""
    ids = scores["id"]
    fixed = {"text": "x", "group": None, "split": "test", "sha256": "0", "ratings": None, "raters": None}
    corpus = pd.DataFrame({"id": ids, "document": ids}).assign(**fixed, label_stars=human)
    write_table(corpus[[*TEXTS.names, "label_stars"]], TEXTS, folder / "texts.parquet")
    write_table(pd.DataFrame(columns=SAMPLES.names), SAMPLES, folder / "samples.parquet")
    write_table(scores, SCORES, folder / "scores" / "stars" / "texts.parquet")
    write_table(scores[:0], SCORES, folder / "scores" / "stars" / "samples.parquet")
    write_document(card_of(label_map), folder / "classifiers" / "stars" / "card.json")
    detect_languages(folder / "texts.parquet", folder / "languages.parquet", folder / "work", threads=1, seed=1)
    compute_statistics(
        StatisticsSettings(confidence=0.95, bootstrap_resamples=100), folder / "texts.parquet",
        folder / "languages.parquet",
        (folder / "samples.parquet",), (), (folder / "classifiers" / "stars",), folder / "scores", folder / "out",
        seed=1,
    )  # fmt: skip
    return {name: read_table(folder / "out" / f"{name}.parquet", schema) for name, schema in STATISTICS.items()}


@pytest.mark.parametrize("label_map", [{}, THREE])
def test_five_stars_that_are_calibrated_stay_so_when_they_are_mapped_to_three_labels(label_map, tmp_path):
    random = np.random.default_rng(5)
    # People give each number of stars as often as the classifier says: it is perfectly calibrated.
    probabilities = random.dirichlet([0.6] * 5, TEXTS_OF_STARS)
    given = (random.random((TEXTS_OF_STARS, 1)) > probabilities.cumsum(axis=1)[:, :-1]).sum(axis=1)
    human = np.array([label_map.get(label, label) for label in STARS], object)[given]
    found = statistics(table_of(probabilities, label_map), human, label_map, tmp_path)
    quality = found["quality"].set_index(["method", "metric"]).loc["classifier"]
    summed = probabilities @ np.eye(3)[[0, 0, 1, 2, 2]] if label_map else probabilities
    assert quality.loc["calibration_error", "value"] < 0.015
    assert quality.loc["accuracy", "value"] == pytest.approx(summed.max(axis=1).mean(), abs=0.01)
    labels = card_of(label_map).labels
    assert found["label_shares"]["label"].tolist() == labels
    chosen = np.bincount(summed.argmax(axis=1), minlength=len(labels))
    assert found["label_shares"]["count"].tolist() == chosen.tolist()
    # The most certain texts and the runner-up are of the mapped labels, too.
    examples = found["examples"]
    assert set(examples["runner_up"]) <= set(labels) and (examples["label"] != examples["runner_up"]).all()
    both = examples["probability"] + examples["runner_up_probability"]
    assert both.max() <= 1 + 1e-6 and (len(labels) == 5 or both.min() > 2 / 3)


def test_the_label_and_abstaining_see_the_sums():
    probabilities = np.array([[0.3, 0.3, 0.4, 0.0, 0.0], [0.2, 0.2, 0.2, 0.2, 0.2], [0.1, 0.1, 0.5, 0.2, 0.1]])
    frame = table_of(probabilities, THREE, abstain_below=0.5)
    assert frame["label"].fillna("none").tolist() == ["bad", "none", "3 stars"]
    assert frame["reason"].fillna("none").tolist() == ["none", UNCERTAIN, "none"]
    np.testing.assert_allclose(np.stack(frame["probabilities"]), [[0.6, 0.4, 0], [0.4, 0.2, 0.4], [0.2, 0.5, 0.3]])
    unmapped = table_of(probabilities, {}, abstain_below=0.5)["label"]
    assert unmapped.fillna("none").tolist() == ["none", "none", "3 stars"]


def test_scores_that_the_store_lost_meanwhile_are_told():
    keys = np.array([bytes([number]) * 16 for number in range(1, 6)], "S16")
    rows = score_rows(keys, 1, np.eye(5))
    table = ScoreTable(keys, card_of({}))
    table.mark(rows)
    assert not len(table.missing())
    with pytest.raises(UserError, match="scores of stars that were in work/scores, 2 are no longer there"):
        table.fill([rows[:2], rows[1:3]])
    table.fill([rows[3:], rows[:3]])
    frame = pd.concat(table.frames("abcde", set(), 0))
    assert frame["label"].tolist() == STARS and frame["id"].tolist() == list("abcde")


def test_an_empty_table_gets_no_scores_of_other_texts():
    table = ScoreTable(np.empty(0, "S16"), card_of({}))
    rows = score_rows(np.array([b"1" * 16], "S16"), 1, np.eye(5)[:1])
    table.mark(rows)
    table.fill([rows])
    assert table.rows == len(table.missing()) == len(list(table.frames([], set(), 0))) == 0


def test_another_label_map_computes_nothing_anew(classifier, tmp_path):
    texts = sentences(60)
    _, path = run(classifier, texts, tmp_path)
    own = np.stack(read_table(path, SCORES)["probabilities"])
    mapped = shutil.copytree(classifier, tmp_path / "mapped")
    card = read_document(ClassifierCard, mapped / "card.json")
    write_document(
        replace(card, label_map={"bad": "poor", "fine": "poor"}, labels=["poor", "good"]), mapped / "card.json"
    )
    said, path = run(mapped, texts, tmp_path)
    assert said == "60 texts, 0 of them new"
    scores = read_table(path, SCORES)
    assert LABELS == ("bad", "fine", "good")
    np.testing.assert_allclose(
        np.stack(scores["probabilities"]), np.stack([own[:, 0] + own[:, 1], own[:, 2]], axis=1), atol=1e-6
    )
    best = np.array(["poor", "good"])[np.stack(scores["probabilities"]).argmax(axis=1)]
    assert scores["label"].tolist() == best.tolist()
    # Back again: the store has the checkpoint's own probabilities.
    said, path = run(classifier, texts, tmp_path)
    assert said == "60 texts, 0 of them new"
    assert np.array_equal(np.stack(read_table(path, SCORES)["probabilities"]), own)
