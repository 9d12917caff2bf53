"""A card of a classifier: one that gives several labels at once, if nothing else is said."""

import pandas as pd

from samizdat.records.classifiers import ClassifierCard

LABELS = ["anger", "joy", "fear"]
NO_SAMPLES = pd.DataFrame(
    columns=["document", "labels", "model", "percent", "temperature", "prompt_kind", "prompt"], dtype=object
)


def card_of(**changes) -> ClassifierCard:
    """Make a card of a multi-label classifier, with some values changed."""
    values = {
        "name": "moods", "kind": "multi_label", "threshold": 0.5, "label_column": "mood", "label_separator": ";",
        "label_map": {}, "predicts": "", "made_for": "", "reference": "", "languages": (), "min_words": None,
        "max_words": None, "origin": "", "checkpoint_labels": LABELS, "labels": LABELS, "max_length_tokens": 8,
        "weights_sha256": "", "training_texts": 0, "selection_texts": 0, "unlearned": {}, "unselected": {},
        "hypotheses": [], "entailment": [],
        "model_type": "bert",
    }  # fmt: skip
    return ClassifierCard(**values | changes)
