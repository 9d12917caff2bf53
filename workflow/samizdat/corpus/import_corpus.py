"""The corpus: texts from files, a Hub dataset or the demo, as one table with documents, labels and splits."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from samizdat.base import stage
from samizdat.base.configuration import corpus_files
from samizdat.base.errors import UserError
from samizdat.base.files import sha256_of
from samizdat.checkpoints.sources import COMMIT, first_line
from samizdat.corpus.demo import read_demo
from samizdat.corpus.readers import Columns, RawText, read_file
from samizdat.records.corpus import LABEL_PREFIX, TEXTS, CorpusSummary
from samizdat.records.io import write_document, write_table

QUANTILES = (0, 0.05, 0.25, 0.5, 0.75, 0.95, 1)


@dataclass(frozen=True)
class CorpusSettings:
    """The keys of `corpus` in the config, where each is explained."""

    source: str
    paths: tuple[str, ...]
    txt_unit: str
    encoding: str
    text_column: str
    document_column: str | None
    group_column: str | None
    label_columns: tuple[str, ...]
    dataset: str | None
    revision: str | None
    subset: str | None
    dataset_split: str
    max_texts: int | None
    min_characters: int
    validation_share: float


def import_corpus(settings: CorpusSettings, archive: Path | None, texts: Path, summary: Path, seed: int) -> str:
    """Read the corpus, drop what can't be used and say why, split it, and write table and summary.

    Line ends become `\\n` and white space at both ends goes; all other characters stay as they are.

    Args:
        settings: where the texts are and which are kept.
        archive: the demo's source archive, for `source: demo`.
        texts: where the table goes (`records.TEXTS`).
        summary: where `records.CorpusSummary` goes.
        seed: draws the sample where `max_texts` asks for one.

    Raises:
        UserError: no text is left, there is only one document, or a file can't be read.
    """
    source, raw_texts = _open(settings, archive)
    read, dropped, kept = 0, {}, {}
    for raw in raw_texts:
        read += 1
        text, reason = _clean(raw.text, settings.min_characters)
        sha256 = hashlib.sha256(text.encode()).hexdigest() if reason is None else ""
        if reason is None and sha256 in kept:
            reason = "a text that stands in the corpus already"
        if reason is None:
            raw.text = text
            kept[sha256] = raw
        else:
            dropped.setdefault(reason, []).append(raw.where)
    if not kept:
        why = "; ".join(f"{len(places)} × {reason}" for reason, places in dropped.items()) or "there was none"
        raise UserError(
            f"the corpus is empty: of {read} texts none could be used ({why})",
            remedy="look at corpus.paths, corpus.text_column and corpus.min_characters in the config",
        )
    if settings.max_texts is not None and len(kept) > settings.max_texts:
        # The smallest hashes are a random sample that hardly changes when a text is added.
        drawn = sorted(kept, key=lambda sha256: _hash(f"{seed}:{sha256}"))
        for sha256 in drawn[settings.max_texts :]:
            dropped.setdefault("not drawn into the sample (corpus.max_texts)", []).append(kept.pop(sha256).where)
    frame = _table(kept, settings.validation_share)
    write_table(frame, TEXTS, texts)
    write_document(_summarise(frame, settings, source, read, dropped), summary)
    return f"{len(frame):,} texts of {read:,}"


def _open(settings: CorpusSettings, archive: Path | None) -> tuple[str, Iterator[RawText]]:
    """What the summary calls the source, and its texts."""
    columns = Columns(
        settings.text_column, settings.document_column, settings.group_column, tuple(settings.label_columns)
    )
    if settings.source == "demo":
        return "sentences rated by people (Hutto and Gilbert, ICWSM 2014)", read_demo(archive)
    if settings.source == "hub":
        return _open_dataset(settings, columns)
    files = (Path(file) for file in corpus_files(settings.paths))
    texts = (raw for file in files for raw in read_file(file, columns, settings.txt_unit, settings.encoding))
    return ", ".join(settings.paths), texts


def _open_dataset(settings: CorpusSettings, columns: Columns) -> tuple[str, Iterator[RawText]]:
    """A Hub dataset with its commit, and its rows; class labels by their names."""
    import datasets
    from huggingface_hub.errors import HTTPError

    datasets.disable_progress_bars()
    datasets.logging.set_verbosity_error()
    name = settings.dataset
    try:
        builder = datasets.load_dataset_builder(name, settings.subset, revision=settings.revision)
        builder.download_and_prepare()
        table = builder.as_dataset(split=settings.dataset_split)
    except (datasets.exceptions.DatasetsError, HTTPError, OSError, ValueError, RuntimeError) as error:
        if getattr(error, "errno", None) is not None:
            raise  # This machine's own trouble, such as a full disk.
        raise UserError(
            f"the dataset {name} at revision {settings.revision} can't be had: {first_line(error)}",
            remedy="look to the id, revision, subset and dataset_split under corpus in the config; without a "
            "network, set HF_HUB_OFFLINE=1 to use what was fetched before, or save the texts as a file in data/ "
            "and set `source: files`",
        ) from None
    # Where the Hub can't be reached, datasets takes the newest that it has, whatever revision was asked for.
    if COMMIT.fullmatch(settings.revision or "") and builder.hash != settings.revision:
        raise UserError(
            f"of the dataset {name} this machine has revision {builder.hash}, not {settings.revision}",
            remedy="run once where the Hub can be reached, or name the revision that is here",
        )
    columns.check(table.column_names, f"the dataset {name}")
    wanted = {columns.text, columns.document, columns.group, *columns.labels} - {None}
    names = {
        column: feature.names for column, feature in table.features.items() if isinstance(feature, datasets.ClassLabel)
    }
    rows = (
        columns.read(_name_classes(row, names), f"{name}, row {number}")
        for number, row in enumerate(table.select_columns(sorted(wanted)))
    )
    return f"{name}@{builder.hash}", rows


def _name_classes(row: dict[str, Any], names: dict[str, list[str]]) -> dict[str, Any]:
    """The row with class labels by name; they are numbers in a dataset, and -1 where nobody gave one."""
    numbers = {column: row[column] for column in names if column in row}
    spelled = {
        column: None if number is None or number < 0 else names[column][number] for column, number in numbers.items()
    }
    return row | spelled


def _clean(text: object, min_characters: int) -> tuple[str, str | None]:
    """The text as it is kept, and why it is dropped, if it is."""
    if not isinstance(text, str):
        return "", "no text there"
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    if len(text) < min_characters:
        return text, f"shorter than {min_characters} characters (corpus.min_characters)"
    try:
        text.encode()
    except UnicodeEncodeError:
        return text, "half a surrogate pair, which no encoding can hold"
    return text, None


def _table(kept: dict[str, RawText], validation_share: float) -> pd.DataFrame:
    """The kept texts in `records.TEXTS`, in the order in which they were read."""
    labels = sorted({label for raw in kept.values() for label in raw.labels})
    frame = pd.DataFrame(
        {
            "id": [sha256[:16] for sha256 in kept],
            "text": [raw.text for raw in kept.values()],
            "document": [raw.document or sha256[:16] for sha256, raw in kept.items()],
            "group": [raw.group for raw in kept.values()],
            "split": "",
            "sha256": list(kept),
            "ratings": [raw.ratings for raw in kept.values()],
            **{LABEL_PREFIX + label: [raw.labels.get(label) for raw in kept.values()] for label in labels},
        }
    )
    place = {document: _hash(f"split:{document}") for document in frame["document"].unique()}
    if len(place) < 2:
        raise UserError(
            f"the corpus is one single document ({len(frame)} texts), so nothing can be held out",
            remedy="add texts, or name a corpus.document_column (or none) that tells documents apart",
        )
    # Whatever the hashes are, one document is held out and one is not.
    lowest, highest = min(place, key=place.get), max(place, key=place.get)
    held_out = {document for document, value in place.items() if value < validation_share} - {highest} | {lowest}
    frame["split"] = np.where(frame["document"].isin(held_out), "validation", "train")
    return frame


def _hash(name: str) -> float:
    """A number from 0 to 1 that depends on the name alone."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") / 2**64


def _summarise(
    frame: pd.DataFrame, settings: CorpusSettings, source: str, read: int, dropped: dict[str, list[str]]
) -> CorpusSummary:
    lengths = frame["text"].str.len()
    labels = [column for column in frame if column.startswith(LABEL_PREFIX)]
    return CorpusSummary(
        source=source,
        texts=len(frame),
        documents=int(frame["document"].nunique()),
        groups=_counts(frame["group"]),
        labels={column.removeprefix(LABEL_PREFIX): _counts(frame[column]) for column in labels},
        splits=_counts(frame["split"]),
        characters=int(lengths.sum()),
        utf8_bytes=sum(len(text.encode()) for text in frame["text"]),
        length_quantiles_characters={str(q): float(lengths.quantile(q)) for q in QUANTILES},
        read=read,
        dropped={reason: len(places) for reason, places in dropped.items()},
        dropped_examples={reason: places[:5] for reason, places in dropped.items()},
        inputs={file: sha256_of(Path(file)) for file in corpus_files(settings.paths)},
    )


def _counts(column: pd.Series) -> dict[str, int]:
    return dict(sorted(Counter(column.dropna()).items()))


if __name__ == "__main__":
    stage.run(import_corpus)
