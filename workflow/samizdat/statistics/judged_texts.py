"""What a classifier says of the texts that it was not trained on: numbers, read from its scores in batches."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from samizdat.base.errors import UserError
from samizdat.base.files import MAKE_AGAIN
from samizdat.records.classifiers import ANSWERS, MULTI_LABEL, NUMBER, SCORES, SINGLE_LABEL, ClassifierCard
from samizdat.records.codes import Codes
from samizdat.records.io import checked_columns, read_batches
from samizdat.statistics import calibration, several_labels

# What examples are chosen from, in the order of the kinds; numbers have no examples.
_CLEAREST = {SINGLE_LABEL: calibration.clearest, MULTI_LABEL: several_labels.clearest}


@dataclass(frozen=True)
class Judged:
    """What a classifier says of texts, or of samples."""

    # Those that it said something of and was not trained on, with their index in the frame of all. New columns:
    # `predicted` and `confidence`; or `labels`; or `number`.
    texts: pd.DataFrame
    clearest: pd.DataFrame  # what `calibration.examples` or `several_labels.examples` choose from
    every: int  # of all texts, also those that it was trained on
    answered: int  # of these, those that it gave a label or a number
    several_windows: int  # of these, those that it read in several windows


def judged_texts(frame: pd.DataFrame, ids: Iterable[str], scores: Path, card: ClassifierCard) -> Judged:
    """Read what a classifier says.

    Args:
        frame: the texts, or the samples.
        ids: of its rows, one after the other: those of ten million texts take too much memory.
        scores: `records.classifiers.SCORES` of the same rows, in the same order.
        card: the classifier.

    Raises:
        UserError: the file is missing or damaged, or has the scores of other texts.
    """
    checked_columns(scores, SCORES)
    answer = ANSWERS[card.kind]
    left, chosen = iter(ids), [np.zeros(0, bool)]
    numbers: dict[str, list[np.ndarray]] = {}
    names: dict[str, Codes] = {}
    clearest: list[pd.DataFrame] = []
    answered = several_windows = 0
    for batch in read_batches(scores, *dict.fromkeys(("id", answer, "probabilities", "windows", "seen_in_training"))):
        if [*islice(left, len(batch))] != batch["id"].tolist():
            raise _of_others(scores)
        given = batch[answer].notna()
        answered += int((batch[answer][given].map(len) > 0 if card.kind == MULTI_LABEL else given).sum())
        several_windows += int((batch["windows"] > 1).sum())
        kept = (given & ~batch["seen_in_training"]).to_numpy()
        chosen.append(kept)
        said = _said(batch[kept], card)
        for name in said.columns.intersection(["confidence", "number"]):
            numbers.setdefault(name, []).append(said[name].to_numpy())
        for name in said.columns.intersection(["predicted", "labels"]):
            names.setdefault(name, Codes()).add(said[name])
        if card.kind in _CLEAREST:
            clearest = [_CLEAREST[card.kind](card, pd.concat([*clearest, said]))]
    rows = np.concatenate(chosen)
    if len(rows) != len(frame):
        raise _of_others(scores)
    found: dict[str, Any] = {name: np.concatenate(parts) for name, parts in numbers.items()}
    found |= {name: codes.categories() for name, codes in names.items()}
    texts = frame[rows].assign(**found)
    return Judged(texts, pd.concat(clearest) if clearest else texts[:0], len(rows), answered, several_windows)


def _of_others(scores: Path) -> UserError:
    return UserError(f"{scores} has the scores of other texts than this run has", remedy=MAKE_AGAIN)


def _said(kept: pd.DataFrame, card: ClassifierCard) -> pd.DataFrame:
    """Make the new columns of a batch, and `id` and what else examples need."""
    if card.kind == NUMBER:
        return kept[["number"]]
    if card.kind == MULTI_LABEL:
        return kept[["id", "probabilities"]].assign(labels=kept["labels"].map(tuple))
    probabilities = np.stack(kept["probabilities"].tolist()) if len(kept) else np.zeros((0, len(card.labels)))
    order = np.argsort(-probabilities, axis=1, kind="stable")
    ranked = np.take_along_axis(probabilities, order, axis=1).astype(float)
    labels = np.array(card.labels, object)[order]
    return pd.DataFrame(
        {
            "id": kept["id"].to_numpy(),
            "predicted": labels[:, 0],
            "confidence": ranked[:, 0],
            "runner_up": labels[:, 1],
            "runner_up_confidence": ranked[:, 1],
        }
    )
