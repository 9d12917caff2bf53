"""Decide what the report may claim: whatever it says it has found is asked for here.

A claim needs a p value of at most 1 less the confidence. Where several claims answer one question, one for each
classifier, model, temperature or label, their p values are corrected for their number (Holm). A claim that needs more
documents than there are has no p value and is not made. `benchmarks/inference.py` simulates each of these functions
where nothing is to be found.
"""

import pandas as pd
from scipy.stats import fisher_exact

from samizdat.measures.chance import holm
from samizdat.reporting.frames import Row, rows_of
from samizdat.reporting.label_shares import shares_of_samples
from samizdat.reporting.run import Run
from samizdat.reporting.words import is_null


def off_baseline(run: Run) -> dict[str, int]:
    """Find the classifiers that agree with people more often (1) or less often (−1) than the most frequent label."""
    rows = run.quality[run.quality["metric"] == "accuracy_above_majority"]
    return {row["classifier"]: 1 if row["value"] > 0 else -1 for row in _found(run, rows)}


def miscalibrated(run: Run) -> list[Row]:
    """Find the classifiers whose labels are not right as often as they say: their calibration errors."""
    return _found(run, run.quality[run.quality["metric"] == "calibration_error"])


def overconfident(run: Run, classifier: str) -> int:
    """Find which way the probabilities of a classifier err on average: 1 above accuracy, −1 below, 0 not known."""
    gaps = run.quality[(run.quality["classifier"] == classifier) & (run.quality["metric"] == "confidence_gap")]
    gap = rows_of(gaps)[0]
    return int(gap["low"] > 0) - int(gap["high"] < 0)


def different_groups(run: Run) -> list[Row]:
    """Find the classifiers whose label shares differ between groups."""
    return [row for row in rows_of(run.group_tests) if row["p_holm"] <= 1 - run.confidence]


def associated(run: Run) -> list[Row]:
    """Find the pairs of classifiers whose labels go together.

    Classifiers of the same labels do so where they agree: the test also finds those that contradict each other, so the
    interval of kappa must be above 0, too.
    """
    rows = [row for row in rows_of(run.associations) if row["p_holm"] <= 1 - run.confidence]
    return [row for row in rows if row["measure"] != "cohen_kappa" or row["low"] > 0]


def unlike_texts(run: Run) -> set[tuple[str, str]]:
    """Find the classifiers and models by which the published models' samples have other label shares than texts."""
    return {(row["classifier"], row["model"]) for row in _found(run, published(run.divergences))}


def moved(run: Run) -> list[tuple[Row, bool]]:
    """Find the last checkpoints whose samples are nearer to the texts (True), or farther off, than the first one's."""
    rows = run.divergences[(run.divergences["begun_with"] == "prompts") & run.divergences["temperature"].isna()]
    ordered = [part.sort_values("percent") for _, part in rows.groupby(["classifier", "model"], sort=False)]
    first = {_name(rows_of(part)[0]): rows_of(part)[0] for part in ordered}
    last = pd.concat([part.tail(1) for part in ordered]) if ordered else rows
    found = _found(run, last, "p_since_first")
    return [(row, row["observed_bits"] < first[_name(row)]["observed_bits"]) for row in found]


def changed_labels(run: Run) -> list[tuple[Row, Row]]:
    """Find the labels whose share differs between the samples of the first and of the last checkpoint.

    By Fisher's exact test, which needs no least number of samples. A classifier that gave the samples of one of the two
    no label is not compared.
    """
    samples = shares_of_samples(run, "percent")
    percents = sorted(set(samples["group"]), key=int)
    ends = [samples[samples["group"] == percents[place]] for place in (0, -1)]
    totals = [part.groupby("classifier")["count"].sum() for part in ends]
    first = {(row["classifier"], row["label"]): row for row in rows_of(ends[0])}
    names = [(row, (row["classifier"], row["label"])) for row in rows_of(ends[1])]
    pairs = [(first[name], row) for row, name in names if name in first]
    p_values = [
        fisher_exact(
            [[row["count"], total[row["classifier"]] - row["count"]] for row, total in zip(pair, totals, strict=True)]
        ).pvalue
        for pair in pairs
    ]
    return [pair for pair, p_value in zip(pairs, holm(p_values), strict=True) if p_value <= 1 - run.confidence]


def off_held_out(run: Run, metric: str) -> dict[tuple[str, float], Row]:
    """Find the models and temperatures whose samples differ from held-out texts in a measure: their rows of it.

    Of copies, neither value may be in the other's interval either: a test may find that 0.1 % is not the chance of
    texts with 0 %, and the interval of these few texts still has 0.1 %.

    Args:
        run: the run.
        metric: "copied_ngram_share", "copy_characters" or "told_apart_area" (`records.sample_quality`).
    """
    rows = run.sample_quality[run.sample_quality["begun_with"] == "nothing"]
    real = run.sample_quality[(run.sample_quality["subset"] == "held_out") & (run.sample_quality["metric"] == metric)]
    return {
        (row["model"], row["temperature"]): row
        for row in _found(run, rows[rows["metric"] == metric])
        if not any(_is_in(one, row) or _is_in(row, one) for one in rows_of(real))
    }


def _is_in(row: Row, other: Row) -> bool:
    """Whether the value of a row is in the interval of another."""
    return not is_null(other["low"]) and bool(other["low"] <= row["value"] <= other["high"])


def better_models(differences: pd.DataFrame, confidence: float) -> set[tuple[str, str]]:
    """Find the pairs of models of which one needs fewer bits per byte, by the test and by its interval.

    Args:
        differences: `records.statistics.MODEL_DIFFERENCES`, of one run or of several.
        confidence: of its intervals.
    """
    rows = [row for row in rows_of(differences) if row["p_holm"] <= 1 - confidence]
    return {(row["model"], row["other"]) for row in rows if row["low"] > 0 or row["high"] < 0}


def told_by_people(run: Run) -> int:
    """Find whether people call texts a person's more often than samples (1) or less often (−1), or neither (0)."""
    rows = run.rater_quality[run.rater_quality["metric"] == "difference"]
    return next((1 if row["value"] > 0 else -1 for row in _found(run, rows)), 0)


def differing_labels(run: Run, between: str) -> list[Row]:
    """Find the labels of multi-label classifiers whose share differs.

    Args:
        run: the run.
        between: "groups" of texts, or "samples" and texts.
    """
    return _found(run, run.label_differences[run.label_differences["between"] == between])


def changing_through_documents(run: Run) -> list[Row]:
    """Find the labels and numbers that change from the beginning of long documents to their end."""
    return [row for row in rows_of(run.position_changes) if row["p_holm"] <= 1 - run.confidence]


def telling_terms(run: Run, between: str) -> list[Row]:
    """Find the terms that a set has more often than others, or less often, clearest first.

    Their p values are corrected already, for the number of terms, of groups and of models.

    Args:
        run: the run.
        between: "groups" of texts, or "samples" and texts.
    """
    rows = run.terms[run.terms["between"] == between]
    return [row for row in rows_of(rows) if row["p_value"] <= 1 - run.confidence]


def published(divergences: pd.DataFrame) -> pd.DataFrame:
    """Choose the rows that compare all unprompted samples of a published model with the texts."""
    return divergences[(divergences["begun_with"] == "nothing") & divergences["temperature"].isna()]


def _name(row: Row) -> tuple[str, str]:
    return row["classifier"], row["model"]


def _found(run: Run, rows: pd.DataFrame, column: str = "p_value") -> list[Row]:
    """Choose the rows whose p value, corrected for the number of rows that have one, is at most the level."""
    tested = [row for row in rows_of(rows) if not is_null(row[column])]
    corrected = holm([row[column] for row in tested])
    return [row for row, p_value in zip(tested, corrected, strict=True) if p_value <= 1 - run.confidence]
