"""Write the classifiers of a made-up run: their cards, and what they say of its texts and samples."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from samizdat.records.classifiers import MULTI_LABEL, SCORES, Kind
from samizdat.records.io import write_document, write_table
from support.other_kinds import card_of


def write_single_label(
    name: str, labels: tuple[str, ...], corpus: pd.DataFrame, samples: pd.DataFrame, folder: Path,
    random: np.random.Generator,
) -> None:  # fmt: skip
    """Write a classifier that agrees with the people on four of five texts; it was trained on some of them."""
    seen = set(corpus.loc[corpus["split"] == "train", "id"].iloc[:40])
    _write_card(
        folder, name, "single_label", list(labels), label_separator=None, origin="fine-tuned here from nothing",
        checkpoint_labels=list(labels), training_texts=len(seen), selection_texts=20,
    )  # fmt: skip
    people = corpus[f"label_{name}"].to_numpy()
    said = np.where(random.random(len(corpus)) < 0.8, people, random.choice(labels, len(corpus)))
    confidence = 0.8
    others = (1 - confidence) / max(len(labels) - 1, 1)
    for subset, frame, chosen in (
        ("texts", corpus, said),
        ("samples", samples, random.choice(labels, len(samples))),
    ):
        _write_scores(
            folder, name, subset, frame, label=chosen,
            probabilities=[[confidence if label == one else others for label in labels] for one in chosen],
            seen_in_training=[key in seen for key in frame["id"]],
        )  # fmt: skip


def write_other_kind(
    name: str, kind: Kind, corpus: pd.DataFrame, samples: pd.DataFrame, folder: Path, random: np.random.Generator
) -> None:
    """Write a classifier that gives several labels, or a number; it was trained on nothing."""
    labels = ["anger", "joy", "fear"] if kind == MULTI_LABEL else []
    _write_card(
        folder, name, kind, labels, label_separator=";", origin="nowhere", checkpoint_labels=labels or ["size"],
        training_texts=0, selection_texts=0,
    )  # fmt: skip
    for subset, frame in (("texts", corpus), ("samples", samples)):
        # Samples are angrier, and joy brings fear.
        scores = random.random((len(frame), 3))
        scores[:, 0] += 0.4 * (subset == "samples")
        scores[:, 2] = np.where(scores[:, 1] >= 0.5, scores[:, 1], scores[:, 2] / 2)
        scores = scores.clip(max=1)
        if kind == MULTI_LABEL:
            given = [[one for one, score in zip(labels, row, strict=True) if score >= 0.5] for row in scores]
            said: dict[str, Any] = {"labels": given, "probabilities": list(scores)}
            said["reason"] = [None if one else "none" for one in given]
        else:
            said = {"number": 10 * scores[:, 0]}
        _write_scores(folder, name, subset, frame, **said)


def _write_card(folder: Path, name: str, kind: Kind, labels: list[str], **more: Any) -> None:
    card = card_of(
        name=name, kind=kind, label_column=name, labels=labels, predicts="what it was told", made_for="tests",
        reference="nowhere", max_length_tokens=64, weights_sha256="0" * 64, **more,
    )  # fmt: skip
    write_document(card, folder / "classifiers" / name / "card.json")


def _write_scores(folder: Path, name: str, subset: str, frame: pd.DataFrame, **said: Any) -> None:
    """Write what is said of each row; what isn't named is nothing."""
    nothing = {"label": None, "labels": None, "number": np.nan, "probabilities": None, "seen_in_training": False}
    table = pd.DataFrame({"id": list(frame["id"]), "windows": 1, "reason": None} | nothing | said)
    write_table(table[SCORES.names], SCORES, folder / "scores" / name / f"{subset}.parquet")
