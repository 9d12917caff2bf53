"""The key of sheets for raters, the schema of what the raters said, and that of the statistics of it."""

from dataclasses import dataclass

import pyarrow as pa

from samizdat.records.classifiers import Kind
from samizdat.records.io import table_schema

# The question whether a person wrote a text; no classifier can have a name with dots.
ORIGIN = "person.or.model"
PERSON, MODEL = "person", "model"
# What the name of a question of one's own, for which there is no classifier, begins with.
ASKED = "asked."


def is_own(question: str) -> bool:
    """Whether a question is one's own: nobody but people was asked it."""
    return question.startswith(ASKED)


@dataclass(frozen=True)
class LabelKey:
    """`data/labels/<run>/<question>/key.json`: which row of the sheets is what. Raters must not see it."""

    run: str
    question: str  # a classifier's name, ORIGIN, or ASKED and a name
    words: str  # the question, as the raters read it
    kind: Kind  # of the answers: one label, several labels or a number
    labels: list[str]  # that raters may give; none for a number
    range: list[float]  # the smallest and the largest number that raters may give; empty for labels
    raters: list[str]
    strata: dict[str, int]  # stratum → number of texts or samples that were in it
    # Row of the sheets → its `subset` ("texts" or "samples"), `id`, `stratum`, `sha256` (of the text's UTF-8 bytes) and
    # `shown_sha256` (of the text as a sheet shows it).
    rows: dict[str, dict[str, str]]


# `data/labels/<run>/<question>/labels.parquet`: one row for each row of the sheets and each rater.
HUMAN_LABELS = table_schema(
    question=pa.string(),  # as in LabelKey
    words=pa.string(),  # as in LabelKey
    subset=pa.string(),  # "texts" or "samples"
    id=pa.string(),  # of the text or sample
    sha256=pa.string(),  # of its text; a sample of a later run may have the same id
    stratum=pa.string(),
    stratum_size=pa.int64(),  # how many texts or samples were in the stratum, of which some were drawn
    rater=pa.string(),
    # What the rater said, by the kind of the question; null in all three: nothing.
    label=pa.string(),
    labels=pa.list_(pa.string()),  # empty: none of them fits
    number=pa.float64(),
)

# `statistics/rater_quality.parquet`: raters compared with each other, with classifiers and with the truth.
RATER_QUALITY = table_schema(
    question=pa.string(),  # as in LabelKey
    words=pa.string(),  # "drawn" of a question of one's own: as in LabelKey; else null
    subset=pa.string(),  # "texts" or "samples"; null: both
    # Of a classifier: "accuracy", "precision" and "recall", as people see it, and "share", of what people call so; of a
    # question of one's own the shares alone.
    # Of several labels: "accuracy" (all labels are alike), "f1" and "micro_f1", too. Of numbers: "spearman",
    # "mean_absolute_error", "mean" (of people's numbers) and "above_people" (mean of the classifier's less people's).
    # Of ORIGIN: "accuracy" (mean of the shares of answers about texts and about samples that are right), "difference"
    # (how much more often texts are called a person's). Of the raters: "krippendorff_alpha", "kappa".
    # Counts: "drawn", "undecided" (most raters gave no one label, or nobody answered), "gone" (not in the run now),
    # "seen" (nothing said by the classifier, or trained on), "unestimated" (texts or samples in strata of which no row
    # can be used). "rows_needed": how many rows would give an interval of ±5 points.
    metric=pa.string(),
    label=pa.string(),
    rater=pa.string(),  # one rater, or the first of two; null: all together
    other=pa.string(),  # "kappa": the other rater
    rows=pa.int64(),  # rows that the value is of
    population=pa.int64(),  # texts or samples that it is an estimate for; null: for none
    value=pa.float64(),  # null: "spearman" where all numbers of one side are equal, alpha where all answers are
    low=pa.float64(),  # null with too few rows
    high=pa.float64(),
    p_value=pa.float64(),  # of no difference; null except for "difference", and with too few rows
)
