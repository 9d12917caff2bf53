"""The description of a classifier, and the schema of its scores."""

from dataclasses import dataclass

import pyarrow as pa

from samizdat.records.io import table_schema

SCORES = table_schema(
    id=pa.string(),  # of the text or sample
    label=pa.string(),  # the most probable label; null without a score, or if its probability is below `abstain_below`
    probabilities=pa.list_(pa.float32()),  # in the order of `ClassifierCard.labels`
    windows=pa.int32(),  # number of overlapping windows that the text was read in; 0: no score
    seen_in_training=pa.bool_(),  # whether this classifier was fine-tuned or selected on this text
    reason=pa.string(),  # why there is no label; null if there is one
)


@dataclass(frozen=True)
class ClassifierDescription:
    """What the config says about a classifier."""

    name: str
    label_column: str | None  # the column of human labels that it can be compared with
    label_map: dict[str, str]  # label of the classifier → human label, where the names differ
    predicts: str
    made_for: str
    reference: str  # where its scores were published
    languages: tuple[str, ...]  # ISO 639-1 codes; empty if any language is fine or it is not known
    min_words: int | None  # shortest and longest text that it was made for
    max_words: int | None


@dataclass(frozen=True)
class ClassifierCard(ClassifierDescription):
    """`classifiers/<classifier>/card.json`: what a reader must know about the labels of a classifier."""

    origin: str  # "fine-tuned from …", "owner/name@commit" or a folder
    labels: list[str]  # in the order of the probabilities
    max_length_tokens: int
    weights_sha256: str
    training_texts: int  # 0 if it was not fine-tuned here
    model_type: str
