"""The description of a classifier, and the schema of its scores."""

from dataclasses import dataclass, field
from typing import Literal

import pyarrow as pa

from samizdat.records.io import table_schema

# What a classifier says of a text: one label of several, each label by itself yes or no, or a number.
Kind = Literal["single_label", "multi_label", "number"]
SINGLE_LABEL: Kind = "single_label"
MULTI_LABEL: Kind = "multi_label"
NUMBER: Kind = "number"
# The column of `SCORES` that has what a classifier says.
ANSWERS: dict[Kind, str] = {SINGLE_LABEL: "label", MULTI_LABEL: "labels", NUMBER: "number"}

# `scores/<classifier>/texts.parquet`: what a classifier says of each text; samples.parquet beside it, of each sample.
SCORES = table_schema(
    id=pa.string(),  # of the text or sample
    # Of a single-label classifier: the most probable of `ClassifierCard.labels`; null without a score, or if less
    # probable than `abstain_below`.
    label=pa.string(),
    # Of a multi-label classifier: the labels whose probability reaches `threshold`, in the order of
    # `ClassifierCard.labels`; empty if none does, null without a score.
    labels=pa.list_(pa.string()),
    number=pa.float64(),  # of a classifier that gives numbers; null without a score
    # In the order of `ClassifierCard.labels`; null without a score, and for numbers. Of labels that `label_map` gives
    # one name it is the sum, or of a multi-label classifier the largest.
    probabilities=pa.list_(pa.float32()),
    windows=pa.int32(),  # number of overlapping windows that the text was read in; 0: no score
    seen_in_training=pa.bool_(),  # whether this classifier was fine-tuned or selected on this text
    reason=pa.string(),  # why there is no label and no number; null if there is one
)


@dataclass(frozen=True)
class ClassifierDescription:
    """What the config says about a classifier."""

    name: str
    kind: Kind | None  # None: the checkpoint must say it
    threshold: float | dict[str, float]  # of a multi-label classifier: least probability of a label, or of each
    label_column: str | None  # the column of human labels that it can be compared with
    label_separator: str | None  # between several labels in a cell of that column; None: a cell has one label
    label_map: dict[str, str]  # label of the checkpoint → human label, where the names differ; several may have one
    predicts: str
    made_for: str
    reference: str  # where its scores were published
    languages: tuple[str, ...]  # ISO 639-1 codes; empty if any language is fine or it is not known
    min_words: int | None  # shortest and longest text that it was made for
    max_words: int | None

    def mapped(self, own: str) -> str:
        """Return the name that `label_map` gives a label of the checkpoint; without one its own."""
        return self.label_map.get(own, own)

    def labels_in(self, cell: str) -> list[str]:
        """Cut a cell of `label_column` into its labels, without blanks around them; separators alone are none."""
        parts = [cell] if self.label_separator is None else cell.split(self.label_separator)
        return list(dict.fromkeys(part.strip() for part in parts if part.strip()))


@dataclass(frozen=True)
class ClassifierCard(ClassifierDescription):
    """`classifiers/<classifier>/card.json`: what a reader must know about the labels of a classifier."""

    kind: Kind
    origin: str  # "fine-tuned from …", "owner/name@commit" or a folder
    checkpoint_labels: list[str]  # the checkpoint's own, in the order of its outputs
    # The same after `label_map`, each once, in the order of the probabilities in `SCORES`; empty for a number.
    labels: list[str]
    max_length_tokens: int
    weights_sha256: str
    training_texts: int  # 0 if it was not fine-tuned here
    selection_texts: int  # that its weights were selected on; 0: they are the last, or it was not fine-tuned here
    unlearned: dict[str, int]  # label that too few of the drawn texts have to learn it → their number
    unselected: dict[str, int]  # label that no text to select on has → the texts that it was learned from
    model_type: str
    # Of a zero-shot classifier: the statement of each label, and the outputs that say that it follows from a text, and
    # that it contradicts it; else empty.
    hypotheses: list[str]
    entailment: list[int]
    # Of a few-shot classifier: how a text and its label are written, and the word that stands for each of `labels`.
    template: str = ""
    words: list[str] = field(default_factory=list)

    def threshold_of(self, given: str) -> float:
        """Return the probability that one of `labels` must reach."""
        return self.threshold[given] if isinstance(self.threshold, dict) else self.threshold


@dataclass(frozen=True)
class ShownExamples:
    """`classifiers/<classifier>/examples.json`: what a few-shot classifier reads before each text, in order."""

    texts: list[str]
    words: list[str]  # what stands for the label of each


# `scores/<classifier>/accuracy_by_examples.parquet`: how often a few-shot classifier is right after none, one, two,
# four … of its examples.
ACCURACY_BY_EXAMPLES = table_schema(
    examples=pa.int32(),
    texts=pa.int64(),  # held-out texts with a human label that were scored, the same ones in each row
    value=pa.float64(),  # share of them with the label that people gave
    low=pa.float64(),
    high=pa.float64(),
)
