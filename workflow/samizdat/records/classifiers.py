"""What is known of a classifier, and the schema of its scores."""

from dataclasses import dataclass

import pyarrow as pa

from samizdat.records.io import table_schema

SCORES = table_schema(
    id=pa.string(),  # of a text or a sample
    label=pa.string(),  # the most probable one; null where no score was possible, or the config says to abstain
    probabilities=pa.list_(pa.float32()),  # in the order of the classifier card's labels
    windows=pa.int32(),  # how many overlapping windows the text was read in; 0: no score
    seen_in_training=pa.bool_(),  # whether this classifier was fine-tuned or selected on this text
    reason=pa.string(),  # why there is no label, else null
)


@dataclass(frozen=True)
class ClassifierDescription:
    """What the config says of a classifier."""

    name: str
    label_column: str | None  # the human label that it can be held against
    label_map: dict[str, str]  # its label → the human label, where the names differ
    predicts: str
    made_for: str
    reference: str  # where its published scores stand
    languages: tuple[str, ...]  # ISO 639-1 codes; empty where any will do or nobody knows
    min_words: int | None  # lengths of the texts that it was made for
    max_words: int | None


@dataclass(frozen=True)
class ClassifierCard(ClassifierDescription):
    """`classifiers/<classifier>/card.json`: what a chart must say about where its labels come from."""

    origin: str  # "fine-tuned from …", "owner/name@commit" or a folder
    labels: list[str]  # in the order of the probabilities
    max_length_tokens: int
    weights_sha256: str
    training_texts: int  # 0 for one that was not fine-tuned here
    model_type: str
