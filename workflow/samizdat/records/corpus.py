"""The schema of the table of texts, and the summary of a corpus."""

from dataclasses import dataclass

import pyarrow as pa

from samizdat.base.language import message
from samizdat.records.io import table_schema

LABEL_PREFIX = "label_"
# What the summary of the demo has as its source; the report says it in its language.
DEMO_SOURCE = message("sentences rated by people (Hutto and Gilbert, ICWSM 2014)")
# Models are trained on the first, all choices are made on the second, and what is reported is measured on the third.
SPLITS = ("train", "validation", "test")
# What needs no more texts than these, in characters, reads texts of a larger corpus that are drawn at random: words and
# pieces for the statistics. It is more than ten million tokens of English.
DRAWN_CHARACTERS = 40_000_000

# `corpus/texts.parquet`: one row for each text that was kept.
TEXTS = table_schema(
    id=pa.string(),  # the first 16 hexadecimal digits of sha256
    text=pa.string(),
    document=pa.string(),  # texts of one document share a split, unless the corpus brings its own splits
    group=pa.string(),  # null if the corpus has no groups
    split=pa.string(),  # one of SPLITS
    sha256=pa.string(),  # of the text's UTF-8 bytes
    ratings=pa.list_(pa.int8()),  # ratings by single people; null without ratings
    # Label column → the labels that single people gave; null without `corpus.rater_columns`.
    raters=pa.map_(pa.string(), pa.list_(pa.string())),
).with_metadata({"may_add": LABEL_PREFIX})  # one string column for each label column; null if a text has no label

# `corpus/languages.parquet`: the language that each text is in, as far as it could be told.
TEXT_LANGUAGES = table_schema(
    id=pa.string(),  # of a text; of a large corpus only drawn ones are here
    language=pa.string(),  # ISO 639-1; null where the text is too short or too mixed
)


@dataclass(frozen=True)
class CorpusSummary:
    """`corpus/summary.json`: what was read, what was kept, and why the rest was not."""

    source: str  # where the texts came from, in words
    texts: int
    documents: int
    parts: int  # of these, the parts of a .txt file that was cut; 0: none was
    near_duplicates: int  # texts that are nearly the same as another text
    held_out_copies: int  # of these, in validation or test though an earlier split has nearly the same; else 0
    own_splits: list[str]  # those of SPLITS that the corpus brings itself; none: all are divided here
    shared_documents: int  # documents with texts in several splits, which only own splits have
    groups: dict[str, int]  # group → texts
    labels: dict[str, dict[str, int]]  # label column → label → texts
    conflicting: dict[str, int]  # label column → texts whose duplicates have another label; the first one is kept
    undecided: dict[str, int]  # label column → texts without a label, since its raters give none most often
    splits: dict[str, int]  # split → texts
    split_documents: dict[str, int]  # split → documents
    characters: int
    utf8_bytes: int
    length_quantiles_characters: dict[str, float]  # "0", "0.05", "0.25", "0.5", "0.75", "0.95", "1"
    read: int  # texts read, before any was dropped
    dropped: dict[str, int]  # reason → texts
    dropped_examples: dict[str, list[str]]  # reason → places, such as "reviews.csv:17"; at most five
    found: dict[str, str]  # what the readers found out by themselves → files
    unread: dict[str, str]  # reason → files below corpus.paths, or splits of the dataset, that were not read
    inputs: dict[str, str]  # file, as the config names it → SHA-256
