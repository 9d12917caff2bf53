"""Write a small corpus with samples and classifiers, as the earlier steps do, for tests of the statistics."""

from pathlib import Path

import numpy as np
import pandas as pd

from samizdat.records.classifiers import SCORES, ClassifierCard
from samizdat.records.corpus import TEXTS
from samizdat.records.io import read_table, write_document, write_table
from samizdat.records.samples import SAMPLES
from samizdat.records.statistics import STATISTICS
from samizdat.statistics.compute_statistics import StatisticsSettings, compute_statistics
from samizdat.statistics.detect_languages import detect_languages

SETTINGS = StatisticsSettings(confidence=0.9, bootstrap_resamples=400)


class Study:
    """A corpus, samples and a classifier `mood`, to fill row by row; `compute` writes them and runs the statistics."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.texts: list[dict] = []
        self.samples: list[dict] = []
        self.card = {
            "name": "mood", "labels": ["bad", "good"], "label_map": {}, "label_column": "mood", "languages": (),
            "min_words": None, "max_words": None,
        }  # fmt: skip
        self.others: dict[str, dict] = {}

    def text(self, predicted, *, human=None, document=None, group=None, split="test", seen=False,
             confidence=0.9, text="x", ratings=None, raters=None, **others):  # fmt: skip
        """Add a text with the label that the classifier predicts; `others` are other classifiers' labels by name."""
        key = f"{len(self.texts):016d}"
        self.texts.append(
            {"id": key, "document": document or key, "group": group, "split": split, "label_mood": human, "text": text,
             "ratings": ratings, "raters": raters and [("mood", raters)], "predicted": predicted, "seen": seen,
             "confidence": confidence, **others}
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
        columns = [*TEXTS.names, "label_mood"]
        write_table(corpus[columns], TEXTS, self.folder / "texts.parquet")
        fixed = {"step": 1, "prompt": "", "prompt_text_id": None, "top_k": 0, "top_p": 1.0, "repetition_penalty": 1.0,
                 "no_repeat_ngram": 0, "seed": 0, "text": "x", "new_tokens": 1, "finished": True}  # fmt: skip
        samples = pd.DataFrame(self.samples, columns=["id", "model", "percent", "prompt_kind", "temperature",
                                                      "predicted", "seen", "confidence"]).assign(**fixed)  # fmt: skip
        write_table(samples[SAMPLES.names], SAMPLES, self.folder / "samples.parquet")
        cards = [self.card, *({**self.card, "label_column": None, **card} for card in self.others.values())]
        for card in cards:
            name, labels = card["name"], card["labels"]
            for subset, frame in (("texts", texts), ("samples", samples)):
                said = frame["predicted"] if name == "mood" or subset == "samples" else frame[name]
                said = [label if label in labels else None for label in said]
                write_table(
                    self.scores(frame, said, labels), SCORES,
                    self.folder / "scores" / name / f"{subset}.parquet",
                )  # fmt: skip
            described = ClassifierCard(
                predicts="", made_for="", reference="", origin="", max_length_tokens=8, weights_sha256="",
                training_texts=0, selection_texts=0, unlearned={}, unselected={}, hypotheses=[], entailment=[],
        model_type="bert",
                kind="single_label", threshold=0.5, label_separator=None,
                checkpoint_labels=labels, **card,
            )  # fmt: skip
            write_document(described, self.folder / "classifiers" / name / "card.json")
        out = self.folder / "statistics"
        languages = self.folder / "languages.parquet"
        detect_languages(self.folder / "texts.parquet", languages, self.folder / "work", threads=1, seed=seed)
        compute_statistics(
            settings, self.folder / "texts.parquet", languages, (self.folder / "samples.parquet",), (),
            tuple(self.folder / "classifiers" / card["name"] for card in cards), self.folder / "scores", out, seed,
        )  # fmt: skip
        return {name: read_table(out / f"{name}.parquet", schema) for name, schema in STATISTICS.items()}

    @staticmethod
    def scores(frame, said, labels) -> pd.DataFrame:
        others = (1 - frame["confidence"]) / (len(labels) - 1)
        return pd.DataFrame(
            {
                "id": frame["id"],
                "label": said,
                "labels": None,
                "number": np.nan,
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


def share(frame, label, **where):
    rows = frame[
        (frame["label"] == label) & np.logical_and.reduce([frame[key] == value for key, value in where.items()])
    ]
    assert len(rows) == 1
    return rows.iloc[0]
