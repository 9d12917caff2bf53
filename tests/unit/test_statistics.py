"""Statistics: known answers, what is left out, and intervals that hold what they promise."""

import re
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
from samizdat.statistics_records import STATISTICS
from scipy.stats import chi2, chi2_contingency
from sklearn.metrics import cohen_kappa_score, f1_score, precision_recall_fscore_support

SETTINGS = StatisticsSettings(confidence=0.9, bootstrap_resamples=400)


class Study:
    """A corpus, samples and one classifier, written as the earlier steps would."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.texts: list[dict] = []
        self.samples: list[dict] = []
        self.card = {
            "name": "mood", "labels": ["bad", "good"], "label_map": {}, "label_column": "mood", "languages": (),
            "min_words": None, "max_words": None,
        }  # fmt: skip
        self.others: dict[str, dict] = {}

    def text(self, predicted, *, human=None, document=None, group=None, split="validation", seen=False,
             confidence=0.9, text="x", ratings=None, **others):  # fmt: skip
        """A text with what the classifier and, by their names, other classifiers say of it."""
        key = f"{len(self.texts):016d}"
        self.texts.append(
            {"id": key, "document": document or key, "group": group, "split": split, "label_mood": human, "text": text,
             "ratings": ratings, "predicted": predicted, "seen": seen, "confidence": confidence, **others}
        )  # fmt: skip

    def sample(self, predicted, *, kind="unprompted", percent=100, temperature=1.0, model="m"):
        key = f"{model}-{percent}-{len(self.samples)}"
        self.samples.append(
            {"id": key, "model": model, "percent": percent, "prompt_kind": kind, "temperature": temperature,
             "predicted": predicted, "seen": False, "confidence": 0.9}
        )  # fmt: skip

    def compute(self, settings=SETTINGS, seed=1) -> dict[str, pd.DataFrame]:
        texts = pd.DataFrame(self.texts)
        corpus = texts.assign(sha256="0")
        columns = [*records.TEXTS.names, "label_mood"]
        records.write_table(corpus[columns], records.TEXTS, self.folder / "texts.parquet")
        fixed = {"step": 1, "prompt": "", "prompt_text_id": None, "top_k": 0, "top_p": 1.0, "repetition_penalty": 1.0,
                 "no_repeat_ngram": 0, "seed": 0, "text": "x", "new_tokens": 1, "finished": True}  # fmt: skip
        samples = pd.DataFrame(self.samples, columns=["id", "model", "percent", "prompt_kind", "temperature",
                                                      "predicted", "seen", "confidence"]).assign(**fixed)  # fmt: skip
        records.write_table(samples[records.SAMPLES.names], records.SAMPLES, self.folder / "samples.parquet")
        cards = [self.card, *({**self.card, "label_column": None, **card} for card in self.others.values())]
        for card in cards:
            name, labels = card["name"], card["labels"]
            for subset, frame in (("texts", texts), ("samples", samples)):
                said = frame["predicted"] if name == "mood" or subset == "samples" else frame[name]
                said = [label if label in labels else None for label in said]
                records.write_table(
                    self.scores(frame, said, labels), records.SCORES,
                    self.folder / "scores" / name / f"{subset}.parquet",
                )  # fmt: skip
            described = records.ClassifierCard(
                predicts="", made_for="", reference="", origin="", max_length_tokens=8, weights_sha256="",
                training_texts=0, model_type="bert", **card,
            )  # fmt: skip
            records.write_document(described, self.folder / "classifiers" / name / "card.json")
        out = self.folder / "statistics"
        compute_statistics(
            settings, self.folder / "texts.parquet", (self.folder / "samples.parquet",),
            tuple(self.folder / "classifiers" / card["name"] for card in cards), self.folder / "scores", out, seed,
        )  # fmt: skip
        return {name: records.read_table(out / f"{name}.parquet", schema) for name, schema in STATISTICS.items()}

    @staticmethod
    def scores(frame, said, labels) -> pd.DataFrame:
        others = (1 - frame["confidence"]) / (len(labels) - 1)
        return pd.DataFrame(
            {
                "id": frame["id"],
                "label": said,
                "probabilities": pd.Series(
                    [
                        None if label is None else [high if one == label else low for one in labels]
                        for label, high, low in zip(said, frame["confidence"], others, strict=True)
                    ],
                    dtype=object,
                ),
                "windows": [0 if label is None else 1 for label in said],
                "seen_in_training": frame["seen"].astype(bool),
                "reason": None,
            }
        )


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
    found = study.compute()
    assert found.pop("fitness").set_index("check")["texts"].to_dict() == {"no_label": 1, "several_windows": 0}
    assert all(frame.empty for frame in found.values())


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


def test_calibration_compares_probability_with_how_often_it_is_right(study):
    for number in range(10):
        study.text("good", human="good" if number < 6 else "bad", confidence=0.95)
        study.text("bad", human="bad" if number < 5 else "good", confidence=0.55)
    found = study.compute()
    rows = found["calibration"].set_index("from")
    assert list(rows.index) == [0.5, 0.9] and list(rows["texts"]) == [10, 10]
    np.testing.assert_allclose(rows["confidence"], [0.55, 0.95], atol=1e-6)
    np.testing.assert_allclose(rows["accuracy"], [0.5, 0.6])
    assert (rows["low"] < rows["accuracy"]).all() and (rows["accuracy"] < rows["high"]).all()
    error = found["quality"].set_index("metric").loc["calibration_error"]
    assert error["value"] == pytest.approx((0.05 + 0.35) / 2, abs=1e-6)
    assert error["low"] < error["value"] < error["high"]


def test_lexicon_and_one_rater_stand_beside_a_classifier_of_rated_sentiment(study):
    # Three raters each; the label is the cut mean, and the rater who is drawn sees it as the others do or not.
    study.card["labels"] = ["negative", "neutral", "positive"]
    for number in range(30):
        study.text("neutral", human="positive", ratings=[3, 3, 3], text=f"This is wonderful, great and good {number}")
        study.text("neutral", human="negative", ratings=[-4, -4, -4], text=f"This is terrible, awful and bad {number}")
        # One of three disagrees with the others: right in two draws of three.
        study.text("neutral", human="positive", ratings=[4, 4, 0], text=f"The train leaves at {number}")
    quality = study.compute()["quality"].query("metric == 'accuracy'").set_index("method")["value"]
    assert quality["classifier"] == 0
    assert quality["lexicon"] == pytest.approx(2 / 3)
    assert quality["human"] == pytest.approx(8 / 9, abs=0.08)
    assert set(quality.index) == {"classifier", "majority", "lexicon", "human"}


def test_labels_that_are_no_cut_ratings_have_neither(study):
    study.text("good", human="good", ratings=[1, 2])
    study.text("good", human="bad", ratings=[1, 2])
    assert set(study.compute()["quality"]["method"]) == {"classifier", "majority"}


def test_classifiers_with_the_same_labels_are_compared_by_kappa_and_others_by_cramers_v(study):
    random = np.random.default_rng(3)
    study.others["twin"] = {"name": "twin", "labels": ["A", "B"], "label_map": {"A": "good", "B": "bad"}}
    study.others["topic"] = {"name": "topic", "labels": ["rain", "sun", "snow"]}
    for _ in range(300):
        one = random.choice(["good", "bad"])
        twin = {"good": "A", "bad": "B"}[one] if random.random() < 0.8 else random.choice(["A", "B"])
        study.text(one, twin=twin, topic="rain" if one == "good" else random.choice(["sun", "snow"]))
    texts = pd.DataFrame(study.texts)
    rows = study.compute()["associations"].set_index(["left", "right"])
    assert list(rows.index) == [("mood", "twin"), ("mood", "topic"), ("twin", "topic")]
    assert list(rows["measure"]) == ["cohen_kappa", "cramers_v", "cramers_v"]
    expected = cohen_kappa_score(texts["predicted"], texts["twin"].map({"A": "good", "B": "bad"}))
    assert rows.loc[("mood", "twin"), "value"] == pytest.approx(expected)
    assert rows.loc[("mood", "topic"), "value"] == pytest.approx(1, abs=0.005)
    row = rows.loc[("twin", "topic")]
    assert row["low"] < row["value"] < row["high"] and row["texts"] == 300


def test_groups_are_tested_once_for_each_classifier_and_corrected_for_their_number(study):
    random = np.random.default_rng(8)
    study.others["other"] = {"name": "other", "labels": ["bad", "good"]}
    for number in range(600):
        group = "ab"[number % 2]
        study.text(
            random.choice(["good", "bad"], p=[0.65, 0.35] if group == "a" else [0.45, 0.55]), group=group,
            other=random.choice(["good", "bad"]),
        )  # fmt: skip
    texts = pd.DataFrame(study.texts)
    rows = study.compute()["group_tests"].set_index("classifier")
    for name, column in (("mood", "predicted"), ("other", "other")):
        expected = chi2_contingency(pd.crosstab(texts["group"], texts[column]), correction=False)
        row = rows.loc[name]
        assert row["chi_square"] * row["design_effect"] == pytest.approx(expected.statistic)
        assert 1 <= row["design_effect"] < 1.2  # documents of one text each: as good as independent
        assert row["p_value"] == pytest.approx(expected.pvalue, rel=0.4)
    assert rows["p_value"]["mood"] < 0.01 < 0.05 < rows["p_value"]["other"]
    assert rows["p_holm"]["mood"] == pytest.approx(2 * rows["p_value"]["mood"])
    assert rows["p_holm"]["other"] == pytest.approx(rows["p_value"]["other"])


def test_sentences_of_one_document_do_not_count_as_independent_evidence(tmp_path):
    alone, together = Study(tmp_path / "alone"), Study(tmp_path / "together")
    random = np.random.default_rng(4)
    for number in range(80):
        group, predicted = "ab"[number % 2], random.choice(["good", "bad"])
        alone.text(predicted, group=group)
        for _ in range(10):
            together.text(predicted, group=group, document=f"d{number}")
    one, ten = (study.compute()["group_tests"].iloc[0] for study in (alone, together))
    assert ten["design_effect"] == pytest.approx(10, rel=0.2)
    # Saying everything ten times makes nothing ten times as sure.
    assert ten["chi_square"] == pytest.approx(one["chi_square"], rel=0.2, abs=0.1)


def test_group_tests_reject_a_true_null_as_rarely_as_they_say():
    """400 corpora of 120 documents with up to eight sentences that agree, in two groups that do not differ."""
    random = np.random.default_rng(2)
    rejected = 0
    for corpus in range(400):
        sizes = random.integers(1, 9, 120)
        good = np.where(random.random(120) < 0.7, sizes * (random.random(120) < 0.5), random.binomial(sizes, 0.5))
        group = random.integers(0, 2, 120)
        counts = np.zeros((120, 2, 2), int)
        counts[np.arange(120), group] = np.stack([good, sizes - good], axis=1)
        table = counts.sum(axis=0)
        totals = resample_totals(counts.reshape(120, 4), 200, corpus).reshape(-1, 2, 2)
        corrected = measures.chi_square(table) / measures.design_effect(table, totals)
        rejected += chi2.sf(corrected, 1) < 0.05
    assert 0.02 <= rejected / 400 <= 0.09


@settings(deadline=None, max_examples=50)
@given(hnp.arrays(int, (3, 4), elements=st.integers(0, 30)).filter(lambda table: (table.sum(axis=0) > 0).all()
                                                                   and (table.sum(axis=1) > 0).all()))  # fmt: skip
def test_chi_square_is_that_of_scipy_and_cramers_v_its_corrected_root(table):
    statistic = chi2_contingency(table, correction=False).statistic
    assert measures.chi_square(table) == pytest.approx(statistic)
    number = table.sum()
    beyond = max(0, statistic / number - 2 * 3 / (number - 1))
    side = min(3 - 4 / (number - 1), 4 - 9 / (number - 1)) - 1
    assert measures.cramers_v(table) == pytest.approx(np.sqrt(beyond / side))


def test_cramers_v_is_about_zero_by_chance_and_one_where_labels_fix_each_other():
    random = np.random.default_rng(1)
    chance = [measures.cramers_v(random.multinomial(60, [1 / 12] * 12).reshape(3, 4)) for _ in range(200)]
    assert np.mean(chance) < 0.1
    assert measures.cramers_v(np.diag([20, 30, 5])) == pytest.approx(1)
    assert np.isnan(measures.cramers_v(np.array([[3, 4], [0, 0]])))


def test_most_and_least_certain_texts_are_named(study):
    for number in range(8):
        study.text("good", confidence=0.6 + number / 25)
        study.text("bad", confidence=0.51 + number / 25)
    study.text("bad", confidence=0.999, seen=True)
    rows = study.compute()["examples"]
    least = rows[rows["certainty"] == "least"]
    np.testing.assert_allclose(least["probability"], [0.51, 0.55, 0.59, 0.6, 0.63], atol=1e-6)
    most = rows[rows["certainty"] == "most"].groupby("label")["probability"].max()
    np.testing.assert_allclose([most["good"], most["bad"]], [0.88, 0.79], atol=1e-6)
    assert set(least["runner_up"]) == {"good", "bad"} and "0000000000000016" not in set(rows["id"])


def test_texts_outside_of_what_a_classifier_was_made_for_are_counted(study):
    study.card |= {"languages": ("en",), "min_words": 4, "max_words": 12}
    study.text("good", text="This is an ordinary English sentence about the weather.")
    study.text("good", text="Das ist ein ganz gewöhnlicher deutscher Satz über das Wetter.")
    study.text("good", text="short")
    study.text(None, text="The rain in the old houses goes on and on and on and on and on until winter.")
    found = study.compute()
    rows = found["fitness"].set_index("check")
    assert rows["texts"].to_dict() == {
        "no_label": 1, "several_windows": 0, "other_language": 1, "too_short": 1, "too_long": 1,
    }  # fmt: skip
    assert rows.loc["other_language", "of"] == 3  # what is too short has no language that can be told
    assert found["languages"].set_index("language")["texts"].to_dict() == {"de": 1, "en": 2}


def test_the_rules_know_every_table_of_the_statistics():
    rules = (Path(__file__).parents[2] / "workflow" / "rules" / "common.smk").read_text(encoding="utf-8")
    named = re.search(r"^STATISTICS = \[(.*?)\]", rules, re.MULTILINE | re.DOTALL).group(1)
    assert re.findall(r'"(\w+)"', named) == list(STATISTICS)
