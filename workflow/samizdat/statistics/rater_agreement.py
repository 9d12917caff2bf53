"""Put together what raters said of each drawn text, and measure how far they agree."""

import itertools
from typing import Any

import numpy as np
import pandas as pd

from samizdat.measures.bootstrap import Bootstrap
from samizdat.measures.ratings import most_frequent, of_most
from samizdat.records.classifiers import ANSWERS, MULTI_LABEL, NUMBER, SINGLE_LABEL, Kind
from samizdat.statistics.raters import alpha_of, kappa
from samizdat.statistics.tables import Row


def wide(labels: pd.DataFrame, kind: Kind = SINGLE_LABEL) -> pd.DataFrame:
    """Make one row of each text from `records.labels.HUMAN_LABELS`.

    New columns: `given` (rater → answer, without empty ones) and `human`: the most frequent label (None for a tie), the
    labels that more than half of the raters gave, or the mean of their numbers; null where nobody answered.

    Args:
        labels: what raters said.
        kind: of their answers.
    """
    keys = ["subset", "id", "sha256", "stratum", "stratum_size"]
    texts: dict[tuple[Any, ...], dict[str, Any]] = {}
    said = labels[ANSWERS[kind]]
    places = labels[keys].itertuples(index=False, name=None)
    for place, rater, answer, there in zip(places, labels["rater"], said, said.notna(), strict=True):
        given = texts.setdefault(place, {})
        if there:
            given[rater] = answer
    rows = [(*place, given, _together([*given.values()], kind)) for place, given in texts.items()]
    return pd.DataFrame(rows, columns=[*keys, "given", "human"])


def _together(answers: list[Any], kind: Kind) -> str | tuple[str, ...] | float | None:
    """Make one answer of those of several raters; None of none, and where several labels are as frequent."""
    if kind == SINGLE_LABEL or not answers:
        return most_frequent(answers)
    return float(np.mean(answers)) if kind == NUMBER else of_most(answers)


def between_raters(drawn: pd.DataFrame, bootstrap: Bootstrap, kind: Kind = SINGLE_LABEL) -> list[Row]:
    """Measure how far raters agree: Krippendorff's alpha of all and, of single labels, Cohen's kappa of each two.

    Of several labels there is an alpha for each label: given or not. Numbers are apart by their squared difference.

    Args:
        drawn: as `wide` makes it.
        bootstrap: over rows.
        kind: of the answers.
    """
    frame = drawn.assign(document=drawn.index)
    answers = [list(given.values()) for given in frame["given"]]
    asked: dict[str | None, list[list[Any]]] = {None: answers}
    if kind == MULTI_LABEL:
        names = sorted({label for ones in answers for given in ones for label in given})
        asked = {name: [[name in given for given in ones] for ones in answers] for name in names}
    rows: list[Row] = [
        {"metric": row["metric"], "label": label, "rows": row["texts"], "value": row["value"], "low": row["low"],
         "high": row["high"]}
        for label, given in asked.items()
        for row in alpha_of("krippendorff_alpha", frame, given, bootstrap, numbers=kind == NUMBER)
    ]  # fmt: skip
    return rows + _kappas(frame, bootstrap) if kind == SINGLE_LABEL else rows


def _kappas(frame: pd.DataFrame, bootstrap: Bootstrap) -> list[Row]:
    """Compute Cohen's kappa of each two raters; none where both always give one and the same label."""
    rows: list[Row] = []
    raters = list(dict.fromkeys(itertools.chain.from_iterable(frame["given"])))
    for one, other in itertools.combinations(raters, 2):
        both = frame[[one in given and other in given for given in frame["given"]]]
        pair = both.assign(one=[given[one] for given in both["given"]], other=[given[other] for given in both["given"]])
        names = sorted({*pair["one"], *pair["other"]})
        if len(names) > 1:
            found = kappa(pair, ("one", "other"), names, bootstrap, one, other)
            rows.append({"metric": "kappa", "rater": one, "other": other, "rows": len(pair)} | found)
    return rows
