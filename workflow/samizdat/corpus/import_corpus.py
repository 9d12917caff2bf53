"""Import the corpus: texts from files, a Hub dataset or the demo, as one table with documents, labels and splits."""

import hashlib
import re
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from samizdat.base import stage
from samizdat.base.corpus_files import Listing, list_files
from samizdat.base.errors import UserError
from samizdat.base.files import sha256_of
from samizdat.corpus.demo import read_demo
from samizdat.corpus.files import read_files
from samizdat.corpus.hub_dataset import open_dataset
from samizdat.corpus.near_duplicates import near_duplicates
from samizdat.corpus.readers import Manner, Pattern
from samizdat.corpus.rows import Columns, Findings, Number, RawText, kind_in_words
from samizdat.corpus.splits import cut_largest, join_copies, place_of, split
from samizdat.records.corpus import LABEL_PREFIX, SPLITS, TEXTS, CorpusSummary
from samizdat.records.io import write_document, write_table

# A column of more different labels, most of which occur once, is no column of labels.
MANY_LABELS = 20
QUANTILES = (0, 0.05, 0.25, 0.5, 0.75, 0.95, 1)


@dataclass(frozen=True)
class CorpusSettings:
    """The keys of `corpus` in the config, where each is explained."""

    source: str
    paths: tuple[str, ...]
    txt_unit: str
    txt_document: str
    separator: str | None
    encoding: Pattern
    delimiter: Pattern
    quoting: Pattern
    text_column: str
    document_column: str | None
    group_column: str | None
    group: str
    label_columns: tuple[str, ...]
    rater_columns: dict[str, list[str]]
    dataset: str | None
    revision: str | None
    subset: str | None
    dataset_split: str
    max_texts: int | None
    min_characters: int
    validation_share: float
    test_share: float


@dataclass
class _Selection:
    """Which of the texts that were read are kept, and why the others were dropped."""

    read: int = 0
    kept: dict[str, RawText] = field(default_factory=dict)  # SHA-256 → text
    dropped: dict[str, list[str]] = field(default_factory=dict)  # reason → where the texts came from

    def drop(self, raw: RawText, reason: str) -> None:
        self.dropped.setdefault(reason, []).append(raw.where)


def import_corpus(settings: CorpusSettings, archive: Path | None, texts: Path, summary: Path, seed: int) -> str:
    """Read the corpus, drop texts that can't be used, split the others, and write table and summary.

    Line ends become `\\n` and white space at both ends is removed; all other characters remain.

    Args:
        settings: where the texts are and which are kept.
        archive: the demo's source archive; None for another source.
        texts: where to write the table (`records.corpus.TEXTS`).
        summary: where to write `records.corpus.CorpusSummary`.
        seed: draws the texts to keep where `max_texts` limits them.

    Raises:
        UserError: no text is left, there are fewer than three documents, or the source can't be read.
    """
    findings, listing = Findings(), list_files(settings.paths)
    source, raw_texts = _open(settings, archive, listing, findings)
    selection = _select(raw_texts, settings.min_characters)
    if settings.max_texts is not None:
        _draw(selection, settings.max_texts, seed)
    frame = _table(selection.kept)
    frame["document"], parts = cut_largest(frame["document"], listing.files)
    frame, near, copies = _divide(frame, selection, settings.validation_share, settings.test_share)
    write_table(frame, TEXTS, texts)
    found = _summarise(frame, source, selection, listing, settings.rater_columns)
    found = replace(found, parts=parts, near_duplicates=near, held_out_copies=copies, found=findings.in_words())
    write_document(found, summary)
    _tell_labels(found)
    cut = f"; one file was cut into {parts:,} parts, each of them in one split" if parts else ""
    told = f"; {copies:,} validation or test texts are nearly the same as texts of another split" if copies else ""
    shares = ", ".join(f"{found.splits.get(name, 0):,} {name}" for name in SPLITS)
    return f"{len(frame):,} texts of {selection.read:,} ({shares}){cut}{told}"


def _open(
    settings: CorpusSettings, archive: Path | None, listing: Listing, findings: Findings
) -> tuple[str, Iterator[RawText]]:
    """Open the source; return its name for the summary, and its texts."""
    columns = Columns(
        settings.text_column,
        settings.document_column,
        settings.group_column,
        tuple(settings.label_columns),
        settings.rater_columns,
    )
    if settings.source == "demo" and archive is not None:
        return "sentences rated by people (Hutto and Gilbert, ICWSM 2014)", read_demo(archive)
    if settings.source == "hub" and settings.dataset is not None:
        return open_dataset(settings.dataset, settings.revision, settings.subset, settings.dataset_split, columns)
    how = (settings.txt_unit, settings.txt_document, settings.separator)
    manner = Manner(columns, *how, settings.encoding, settings.delimiter, settings.quoting)
    texts = read_files(listing, manner, by_folder=settings.group == "folder", findings=findings)
    return ", ".join(settings.paths), texts


def _select(raw_texts: Iterator[RawText], min_characters: int) -> _Selection:
    """Keep each different text once, cleaned.

    Raises:
        UserError: no text is left.
    """
    selection = _Selection()
    for raw in raw_texts:
        selection.read += 1
        text, reason = _clean(raw.text, min_characters)
        if reason is not None:
            selection.drop(raw, reason)
            continue
        sha256 = hashlib.sha256(text.encode()).hexdigest()
        if sha256 in selection.kept:
            selection.drop(raw, "duplicate of an earlier text")
        else:
            raw.text = text
            selection.kept[sha256] = raw
    if not selection.kept:
        why = "; ".join(f"{len(places)} × {reason}" for reason, places in selection.dropped.items())
        raise UserError(
            f"the corpus is empty: of {selection.read} texts none could be used ({why or 'there was none'})",
            remedy="check corpus.paths, corpus.text_column and corpus.min_characters in the config",
        )
    return selection


def _clean(text: object, min_characters: int) -> tuple[str, str | None]:
    """Return the text as it is kept, and the reason if it is dropped."""
    if text is None:
        return "", "empty cell"
    if not isinstance(text, str) or isinstance(text, Number):
        return "", f"{kind_in_words(text)}, not text"
    text = re.sub(r"^[\s\ufeff]+|[\s\ufeff]+$", "", text.replace("\r\n", "\n").replace("\r", "\n"))
    if len(text) < min_characters:
        return text, f"shorter than {min_characters} characters (corpus.min_characters)"
    try:
        text.encode()
    except UnicodeEncodeError:
        return text, "half of a surrogate pair, which UTF-8 can't encode"
    return text, None


def _draw(selection: _Selection, max_texts: int, seed: int) -> None:
    """Keep `max_texts` texts, drawn at random."""
    # The texts with the smallest hashes are a random sample that hardly changes when a text is added.
    drawn = sorted(selection.kept, key=lambda sha256: place_of(f"{seed}:{sha256}"))
    for sha256 in drawn[max_texts:]:
        selection.drop(selection.kept.pop(sha256), "not among the texts drawn at random (corpus.max_texts)")


def _table(kept: dict[str, RawText]) -> pd.DataFrame:
    """Make the frame of `records.corpus.TEXTS`, in the order in which the texts were read, without splits."""
    labels = sorted({label for raw in kept.values() for label in raw.labels})
    return pd.DataFrame(
        {
            "id": [sha256[:16] for sha256 in kept],
            "text": [raw.text for raw in kept.values()],
            "document": [raw.document or sha256[:16] for sha256, raw in kept.items()],
            "group": [raw.group for raw in kept.values()],
            "split": "",
            "sha256": list(kept),
            "ratings": [raw.ratings for raw in kept.values()],
            "raters": [list(raw.raters.items()) or None for raw in kept.values()],
            **{LABEL_PREFIX + label: [raw.labels.get(label) for raw in kept.values()] for label in labels},
        }
    )


def _divide(
    frame: pd.DataFrame, selection: _Selection, validation_share: float, test_share: float
) -> tuple[pd.DataFrame, int, int]:
    """Give each text its split, near-duplicates the same, and drop texts of which that can't be true.

    Of near-duplicates in several splits those of the first one stay, in the order of `SPLITS`.

    Returns:
        the table, the number of texts that have a near-duplicate, and the number of validation and test texts that
        are nearly the same as a text of an earlier split but were kept, because they belong to documents that had to
        stay apart.
    """
    sets = near_duplicates(frame["text"].tolist())
    joined, apart = join_copies(frame["document"], sets)
    frame["split"] = split(joined, validation_share, test_share)
    order = frame["split"].map(SPLITS.index)
    copies = (order > order.groupby(sets).transform("min")).to_numpy()
    for sha256 in frame.loc[copies & ~apart, "sha256"]:
        selection.drop(selection.kept.pop(sha256), "held out, but nearly the same as a text of another split")
    near = int((np.bincount(sets)[sets] > 1).sum())
    return frame[~copies | apart].reset_index(drop=True), near, int((copies & apart).sum())


def _summarise(
    frame: pd.DataFrame, source: str, selection: _Selection, listing: Listing, raters: Collection[str]
) -> CorpusSummary:
    lengths = frame["text"].str.len()
    labels = [column for column in frame.columns if column.startswith(LABEL_PREFIX)]
    return CorpusSummary(
        source=source,
        texts=len(frame),
        documents=int(frame["document"].nunique()),
        parts=0,
        near_duplicates=0,
        held_out_copies=0,
        groups=_counts(frame["group"]),
        labels={column.removeprefix(LABEL_PREFIX): _counts(frame[column]) for column in labels},
        undecided={
            label: sum(
                bool(dict(given or ()).get(label)) for given in frame.loc[frame[LABEL_PREFIX + label].isna(), "raters"]
            )
            for label in raters
            if LABEL_PREFIX + label in frame
        },
        splits=_counts(frame["split"]),
        split_documents=_counts(frame.drop_duplicates(["document", "split"])["split"]),
        characters=int(lengths.sum()),
        utf8_bytes=sum(len(text.encode()) for text in frame["text"]),
        length_quantiles_characters={str(q): float(lengths.quantile(q)) for q in QUANTILES},
        read=selection.read,
        dropped={reason: len(places) for reason, places in selection.dropped.items()},
        dropped_examples={reason: places[:5] for reason, places in selection.dropped.items()},
        found={},
        unread=listing.unread(),
        inputs={file: sha256_of(Path(file)) for file in listing.files},
    )


def _tell_labels(summary: CorpusSummary) -> None:
    """Tell of columns of labels with so many labels that nothing can be learned from them."""
    for column, texts in summary.labels.items():
        labelled = sum(texts.values())
        if not texts:
            stage.tell(f"no text that was kept has a label in the column {column!r} (corpus.label_columns)")
        elif len(texts) > MANY_LABELS and len(texts) * 2 > labelled:
            stage.tell(
                f"the column {column!r} (corpus.label_columns) has {len(texts):,} different labels in {labelled:,} "
                "texts; a measurement is no label: leave it out, or make classes of it"
            )


def _counts(column: pd.Series) -> dict[str, int]:
    return dict(sorted(Counter(column.dropna()).items()))


if __name__ == "__main__":
    stage.run(import_corpus)
