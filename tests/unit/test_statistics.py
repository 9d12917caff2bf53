"""Statistics: known answers, what is left out, and intervals that hold what they promise."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from samizdat import measures, records
from samizdat.bootstrap import interval, resample_totals
from samizdat.statistics import StatisticsSettings, compute_statistics
from sklearn.metrics import f1_score, precision_recall_fscore_support

SETTINGS = StatisticsSettings(confidence=0.9, bootstrap_resamples=400)


class Study:
    """A corpus, samples and one classifier, written as the earlier steps would."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.texts: list[dict] = []
        self.samples: list[dict] = []
        self.card = {"labels": ["bad", "good"], "label_map": {}, "label_column": "mood"}

    def text(self, predicted, *, human=None, document=None, group=None, split="validation", seen=False):
        key = f"{len(self.texts):016d}"
        self.texts.append(
            {"id": key, "document": document or key, "group": group, "split": split, "label_mood": human,
             "predicted": predicted, "seen": seen}
        )  # fmt: skip

    def sample(self, predicted, *, kind="unprompted", percent=100, temperature=1.0, model="m"):
        key = f"{model}-{percent}-{len(self.samples)}"
        self.samples.append(
            {"id": key, "model": model, "percent": percent, "prompt_kind": kind, "temperature": temperature,
             "predicted": predicted, "seen": False}
        )  # fmt: skip

    def compute(self, settings=SETTINGS, seed=1) -> dict[str, pd.DataFrame]:
        texts = pd.DataFrame(self.texts)
        corpus = texts[["id", "document", "group", "split", "label_mood"]].assign(text="x", sha256="0", ratings=None)
        columns = [*records.TEXTS.names, "label_mood"]
        records.write_table(corpus[columns], records.TEXTS, self.folder / "texts.parquet")
        fixed = {"step": 1, "prompt": "", "prompt_text_id": None, "top_k": 0, "top_p": 1.0, "repetition_penalty": 1.0,
                 "no_repeat_ngram": 0, "seed": 0, "text": "x", "new_tokens": 1, "finished": True}  # fmt: skip
        samples = pd.DataFrame(self.samples, columns=["id", "model", "percent", "prompt_kind", "temperature",
                                                      "predicted", "seen"]).assign(**fixed)  # fmt: skip
        records.write_table(samples[records.SAMPLES.names], records.SAMPLES, self.folder / "samples.parquet")
        for name, frame in (("texts", texts), ("samples", samples)):
            scores = pd.DataFrame(
                {"id": frame["id"], "label": frame["predicted"], "probabilities": None, "windows": 1,
                 "seen_in_training": frame["seen"].astype(bool), "reason": None}
            )  # fmt: skip
            records.write_table(scores, records.SCORES, self.folder / "scores" / "mood" / f"{name}.parquet")
        card = records.ClassifierCard(
            name="mood", predicts="", made_for="", reference="", origin="", max_length_tokens=8,
            weights_sha256="", training_texts=0, model_type="bert", **self.card,
        )  # fmt: skip
        records.write_document(card, self.folder / "classifiers" / "mood" / "card.json")
        out = self.folder / "statistics"
        compute_statistics(
            settings, self.folder / "texts.parquet", (self.folder / "samples.parquet",),
            (self.folder / "classifiers" / "mood",), self.folder / "scores", out, seed,
        )  # fmt: skip
        schemas = {
            "label_shares": records.LABEL_SHARES, "divergences": records.DIVERGENCES, "quality": records.QUALITY,
            "confusion": records.CONFUSION,
        }  # fmt: skip
        return {name: records.read_table(out / f"{name}.parquet", schema) for name, schema in schemas.items()}


@pytest.fixture
def study(tmp_path):
    return Study(tmp_path)


def share(frame, label, **where):
    rows = frame[
        (frame["label"] == label) & np.logical_and.reduce([frame[key] == value for key, value in where.items()])
    ]
    assert len(rows) == 1
    return rows.iloc[0]


def test_shares_leave_out_seen_and_unscored_texts(study):
    for predicted in ("good", "good", "good", "bad"):
        study.text(predicted, group="a")
    study.text("bad", group="a", seen=True)
    study.text(None, group="b")
    shares = study.compute()["label_shares"]
    row = share(shares, "good", subset="texts", group_kind="all")
    assert (row["count"], row["share"]) == (3, 0.75)
    assert share(shares, "bad", subset="texts", group_kind="group", group="a")["count"] == 1
    assert "b" not in set(shares["group"])


def test_samples_are_counted_by_how_they_began(study):
    study.text("good")
    for _ in range(3):
        study.sample("good", kind="unprompted", temperature=0.7)
    study.sample("bad", kind="none", temperature=1.0)
    study.sample("bad", kind="config", temperature=1.0)
    study.sample("bad", kind="held_out", percent=10)
    study.sample("good", kind="none", percent=10)
    found = study.compute()
    shares = found["label_shares"]
    assert share(shares, "good", subset="samples", group_kind="all")["share"] == 0.75
    assert share(shares, "good", subset="samples", group_kind="temperature", group="0.7")["share"] == 1
    assert share(shares, "good", subset="samples", group_kind="percent", group="10")["share"] == 0.5
    # Unprompted samples exist of the published model only, and must not tilt the comparison of checkpoints.
    assert share(shares, "good", subset="samples", group_kind="percent", group="100")["share"] == 0
    sets = found["divergences"].set_index(["begun_with", "percent"])["samples"]
    assert sets["nothing", 100].max() == 4
    assert sets["prompts", 100].max() == 2
    assert ("nothing", 10) not in sets.index


def test_divergence_of_equal_and_of_disjoint_shares(study):
    for _ in range(50):
        study.text("good")
        study.sample("good", temperature=0.5)
        study.sample("bad", temperature=1.5)
    rows = study.compute()["divergences"]
    rows = rows[rows["begun_with"] == "nothing"].set_index("temperature")
    assert rows.loc[0.5, "jensen_shannon_bits"] == rows.loc[0.5, "chance_bits"] == 0
    assert rows.loc[1.5, "jensen_shannon_bits"] == pytest.approx(1)
    together = rows[rows.index.isna()].iloc[0]
    # Half of the mixture shares nothing: H(3/4, 1/4) − H(1/2, 1/2) / 2.
    assert together["jensen_shannon_bits"] == pytest.approx(0.8112781 - 0.5, abs=1e-6)
    assert together["low"] < together["jensen_shannon_bits"] < together["high"]


def test_chance_explains_a_sample_of_the_texts_themselves_and_no_shifted_one(study):
    random = np.random.default_rng(5)
    for _ in range(2000):
        study.text(random.choice(["good", "bad"]))
    for _ in range(200):
        study.sample(random.choice(["good", "bad"]), temperature=0.5)
        study.sample(random.choice(["good", "bad"], p=[0.9, 0.1]), temperature=1.5)
    rows = study.compute()["divergences"]
    rows = rows[rows["begun_with"] == "nothing"].set_index("temperature")
    assert rows.loc[0.5, "jensen_shannon_bits"] <= rows.loc[0.5, "chance_bits"]
    assert rows.loc[1.5, "jensen_shannon_bits"] > rows.loc[1.5, "chance_bits"]
    # Near equality the divergence of n draws is χ²/(8 n ln 2) with one degree of freedom for two labels.
    assert rows.loc[0.5, "chance_bits"] == pytest.approx(2.706 / (8 * 200 * np.log(2)) * 1.1, rel=0.25)


def test_quality_is_measured_on_unseen_held_out_texts_with_labels(study):
    study.text("good", human="good")
    study.text("good", human="good")
    study.text("good", human="bad")
    study.text("bad", human="bad")
    study.text("bad", human="bad")
    study.text("bad", human="good", split="train")
    study.text("bad", human="good", split="train")
    study.text("bad", human="good", seen=True)
    study.text("good", human=None)
    found = study.compute()
    quality = found["quality"].set_index(["method", "metric"])
    overall = quality[quality["label"].isna()]
    assert overall.loc[("classifier", "accuracy"), "value"] == 0.8
    assert overall.loc[("classifier", "macro_f1"), "value"] == pytest.approx(0.8)
    assert overall.loc[("majority", "accuracy"), "value"] == 0.4  # “good”, as in the train split
    assert overall.loc[("majority", "macro_f1"), "value"] == pytest.approx(2 / 7)
    assert set(quality["texts"]) == {5}
    counts = found["confusion"].set_index(["human", "predicted"])["count"]
    assert counts.to_dict() == {("bad", "bad"): 2, ("bad", "good"): 1, ("good", "bad"): 0, ("good", "good"): 2}


def test_label_map_renames_before_comparing(study):
    study.card |= {"labels": ["LABEL_0", "LABEL_1"], "label_map": {"LABEL_0": "bad", "LABEL_1": "good"}}
    study.text("LABEL_1", human="good")
    study.text("LABEL_0", human="bad")
    found = study.compute()
    assert found["quality"].set_index(["method", "metric"]).loc[("classifier", "accuracy"), "value"].max() == 1
    assert set(found["confusion"]["predicted"]) == {"bad", "good"}
    assert set(found["label_shares"]["label"]) == {"LABEL_0", "LABEL_1"}


def test_sentences_of_one_document_widen_the_interval(tmp_path):
    alone, together = Study(tmp_path / "a"), Study(tmp_path / "b")
    for number in range(200):
        predicted = "good" if number // 10 % 2 else "bad"
        alone.text(predicted)
        together.text(predicted, document=f"d{number // 10}")
    widths = [
        (row := share(study.compute()["label_shares"], "good", subset="texts", group_kind="all"))["high"] - row["low"]
        for study in (alone, together)
    ]
    assert widths[1] > 2.5 * widths[0]  # √10 in theory


def test_same_seed_same_bytes_and_another_seed_other_intervals(study):
    for number in range(60):
        study.text("good" if number % 3 else "bad", human="good" if number % 4 else "bad")
        study.sample("good" if number % 2 else "bad")
    tables = study.folder / "statistics"
    study.compute()
    first = {path.name: path.read_bytes() for path in tables.iterdir()}
    study.compute()
    assert {path.name: path.read_bytes() for path in tables.iterdir()} == first
    study.compute(seed=2)
    assert (tables / "label_shares.parquet").read_bytes() != first["label_shares.parquet"]


def test_nothing_to_count_gives_empty_tables(study):
    study.card |= {"label_column": None}
    study.text(None)
    assert all(frame.empty for frame in study.compute().values())


@settings(deadline=None, max_examples=50)
@given(hnp.arrays(int, (4, 4), elements=st.integers(0, 20)).filter(lambda counts: counts.sum() > 0))
def test_scores_are_those_of_scikit_learn(confusion):
    human, predicted = (np.repeat(place.ravel(), confusion.ravel()) for place in np.indices(confusion.shape))
    there = sorted(set(human) | set(predicted))
    precision, recall, f1, _ = precision_recall_fscore_support(human, predicted, labels=there, zero_division=0)
    own = measures.label_scores(confusion)
    for name, expected in (("precision", precision), ("recall", recall), ("f1", f1)):
        np.testing.assert_allclose(own[name][there], expected)
    assert measures.macro_f1(confusion) == pytest.approx(
        f1_score(human, predicted, average="macro", labels=there, zero_division=0)
    )
    assert measures.accuracy(confusion) == pytest.approx((human == predicted).mean())


@settings(deadline=None, max_examples=50)
@given(hnp.arrays(int, (30, 3), elements=st.integers(0, 5)), st.integers(0, 2**62))
def test_resampled_totals_are_those_of_drawn_rows(counts, seed):
    totals = resample_totals(counts, 300, seed)
    assert totals.shape == (300, 3)
    spread = np.sqrt(len(counts)) * counts.std(axis=0) / np.sqrt(300)
    assert (np.abs(totals.mean(axis=0) - counts.sum(axis=0)) <= 6 * spread + 1e-9).all()
    assert (totals.min(axis=0) >= len(counts) * counts.min(axis=0)).all()


def test_intervals_cover_the_truth_as_often_as_they_say():
    """600 corpora of 150 documents with up to five sentences that agree; the true share is known."""
    random = np.random.default_rng(12)
    covered = 0
    for corpus in range(600):
        sizes = random.integers(1, 6, 150)
        good = np.where(random.random(150) < 0.5, random.binomial(sizes, 0.6), sizes * (random.random(150) < 0.6))
        totals = resample_totals(np.stack([good, sizes - good], axis=1), 300, corpus)
        low, high = interval(measures.shares(totals), 0.9)
        covered += low[0] <= 0.6 <= high[0]
    assert 0.86 <= covered / 600 <= 0.94
