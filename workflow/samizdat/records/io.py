"""The schema of every file between steps (statistics: `statistics_records`), and the only way to write and read one."""

import json
import typing
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from samizdat.base.errors import UserError
from samizdat.base.files import replacing, write_text

LABEL_PREFIX = "label_"
SPLITS = ("train", "validation")


def table_schema(**columns: pa.DataType) -> pa.Schema:
    """The schema of a Parquet file with these columns."""
    return pa.schema([pa.field(name, kind) for name, kind in columns.items()])


TEXTS = table_schema(
    id=pa.string(),  # the first 16 hexadecimal digits of sha256
    text=pa.string(),
    document=pa.string(),  # texts of one document share a split
    group=pa.string(),  # null where the corpus names none
    split=pa.string(),  # one of SPLITS
    sha256=pa.string(),  # of the text's UTF-8 bytes
    ratings=pa.list_(pa.int8()),  # what single people said, null where nobody was asked
)  # and one string column `label_<name>` for each label that the corpus brings, null where a text has none

SAMPLES = table_schema(
    id=pa.string(),  # <model>-<percent>-<number>, unique in a run
    model=pa.string(),
    percent=pa.int16(),  # how far through its training the model was; 100 is the published model
    step=pa.int32(),  # optimiser steps that this was
    prompt_kind=pa.string(),  # "config", "held_out", "none" or "unprompted" (the published model's, for statistics)
    prompt=pa.string(),
    prompt_text_id=pa.string(),  # the held-out text that the prompt begins, else null
    temperature=pa.float32(),
    top_k=pa.int32(),  # 0: off
    top_p=pa.float32(),  # 1: off
    repetition_penalty=pa.float32(),  # 1: off
    no_repeat_ngram=pa.int32(),  # 0: off
    seed=pa.int64(),
    text=pa.string(),  # the prompt and its continuation
    new_tokens=pa.int32(),
    finished=pa.bool_(),  # whether the model ended the text itself
)

SCORES = table_schema(
    id=pa.string(),  # of a text or a sample
    label=pa.string(),  # the most probable one; null where no score was possible, or the config says to abstain
    probabilities=pa.list_(pa.float32()),  # in the order of the classifier card's labels
    windows=pa.int32(),  # how many overlapping windows the text was read in; 0: no score
    seen_in_training=pa.bool_(),  # whether this classifier was fine-tuned or selected on this text
    reason=pa.string(),  # why there is no label, else null
)

TRAIN_LOG_COLUMNS = (
    "step",  # optimiser steps so far
    "tokens",  # training tokens seen so far
    "epoch",
    "learning_rate",  # of the AdamW parameters
    "gradient_norm",  # before clipping; empty on the row of step 0
    "train_loss",  # nats a token, mean since the row before; empty on the row of step 0
    "validation_loss",  # nats a token
    "validation_perplexity",  # over this tokenizer's tokens
    "validation_bits_per_byte",
)


@dataclass(frozen=True)
class CorpusSummary:
    """`corpus/summary.json`: what was read, what was kept, and why the rest was not."""

    source: str  # for people: where the texts came from
    texts: int
    documents: int
    groups: dict[str, int]  # texts of each group
    labels: dict[str, dict[str, int]]  # label column → label → texts
    splits: dict[str, int]
    characters: int
    utf8_bytes: int
    length_quantiles_characters: dict[str, float]  # "0", "0.05", "0.25", "0.5", "0.75", "0.95", "1"
    read: int  # texts before anything was dropped
    dropped: dict[str, int]  # reason → texts
    dropped_examples: dict[str, list[str]]  # reason → where, such as "reviews.csv:17"; at most five each
    inputs: dict[str, str]  # file as named by the user → SHA-256


@dataclass(frozen=True)
class TokenizerSummary:
    """`tokenizers/<tokenizer>/summary.json`."""

    name: str
    vocabulary_size: int
    tokens: dict[str, int]  # split → tokens, a boundary token for each text included
    utf8_bytes: dict[str, int]  # split → bytes of the texts themselves
    characters_per_token: float
    boundary_token_id: int
    token_dtype: str  # of tokens/*.bin: "uint16" or "uint32", little-endian


# The kinds of devices in words.
DEVICES = {"cpu": "a CPU", "cuda": "a GPU (cuda)", "mps": "a GPU (mps)"}


@dataclass(frozen=True)
class ModelSummary:
    """`models/<model>/summary.json`."""

    name: str
    tokenizer: str
    start: str  # "scratch", or the checkpoint that it continues
    parameters: int
    device_kind: str  # one of DEVICES
    compute_dtype: str  # of matrix products: "int8", "bfloat16", "float16" or "float32"; weights are float32
    compiled: bool  # whether torch.compile could be used
    micro_batch_sequences: int  # computed at once by each process
    processes: int  # that shared each batch
    steps_planned: int
    steps_done: int
    best_step: int
    tokens_seen: int
    validation_loss: float  # of the published (best) weights
    validation_perplexity: float
    validation_bits_per_byte: float
    checkpoints: dict[str, int]  # percent → step at which it was taken
    weights_sha256: str  # of the published model.safetensors


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


@dataclass(frozen=True)
class Manifest:
    """`manifest.json`: all that the report depends on and that a second run would repeat."""

    run: str
    config: dict[str, Any]
    inputs: dict[str, str]  # file the user gave → SHA-256
    artefacts: dict[str, str]  # path below results/<run>/ → SHA-256
    versions: dict[str, str]  # package → version
    python: str
    commit: str  # of the workflow, or "unknown"
    clean: bool  # whether the working tree was the commit's
    rules: list[list[str]]  # edges of the rule graph: [from, to]


Document = TypeVar("Document", CorpusSummary, TokenizerSummary, ModelSummary, ClassifierCard, Manifest)


def write_table(frame: pd.DataFrame, schema: pa.Schema, path: Path, metadata: dict[str, str] | None = None) -> None:
    """Write a frame as Parquet in exactly `schema` (texts may add `label_…` columns), atomically.

    Raises:
        ValueError: a column is missing, unknown or of another type: a bug in the stage.
    """
    expected = _expected(schema, frame.columns)
    if list(frame.columns) != expected.names:
        raise ValueError(f"{path.name}: columns {list(frame.columns)}, wanted {expected.names}")
    table = pa.Table.from_pandas(frame, schema=expected, preserve_index=False)
    table = table.replace_schema_metadata(metadata)
    with replacing(path) as temporary:
        pq.write_table(table, temporary, compression="zstd")


def read_table(path: Path, schema: pa.Schema) -> pd.DataFrame:
    """Read a Parquet file and check that it has exactly `schema`.

    Raises:
        UserError: the file is missing, damaged, or of another version's schema.
    """
    try:
        table = pq.read_table(path)
    except FileNotFoundError:
        raise UserError(f"{path} is missing", remedy="run `snakemake --cores all`, which makes it") from None
    except pa.ArrowInvalid as error:
        raise UserError(f"{path} is damaged ({error})", remedy=f"delete {path} and run again") from None
    expected = _expected(schema, table.column_names)
    if not table.schema.equals(expected):
        found = ", ".join(f"{field.name}: {field.type}" for field in table.schema)
        wanted = ", ".join(f"{field.name}: {field.type}" for field in expected)
        raise UserError(
            f"{path} holds other columns than this version writes: {found}; wanted {wanted}",
            remedy=f"delete {path} and run again",
        )
    return table.to_pandas()


def _expected(schema: pa.Schema, names: typing.Iterable[str]) -> pa.Schema:
    if schema is not TEXTS:
        return schema
    labels = [name for name in names if name.startswith(LABEL_PREFIX)]
    return pa.schema([*schema, *(pa.field(name, pa.string()) for name in labels)])


def write_document(document: Document, path: Path) -> None:
    """Write one of the JSON documents above, keys sorted, atomically."""
    text = json.dumps(asdict(document), indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    write_text(path, text + "\n")


def read_document(kind: type[Document], path: Path) -> Document:
    """Read one of the JSON documents above.

    Raises:
        UserError: the file is missing or its keys are not those of `kind`.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path} is missing", remedy="run `snakemake --cores all`, which makes it") from None
    except json.JSONDecodeError as error:
        raise UserError(f"{path} is damaged ({error})", remedy=f"delete {path} and run again") from None
    wanted = {field.name for field in fields(kind)}
    if not isinstance(values, dict) or set(values) != wanted:
        raise UserError(
            f"{path} holds other keys than this version writes ({kind.__name__})",
            remedy=f"delete {path} and run again",
        )
    return kind(**values)
