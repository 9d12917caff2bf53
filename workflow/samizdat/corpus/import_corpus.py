"""Import the corpus: texts from files, a Hub dataset or the demo, as one table with documents, labels and splits."""

import hashlib
import re
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd

from samizdat.base import stage
from samizdat.base.corpus_files import Listing, list_files, named
from samizdat.base.errors import UserError
from samizdat.base.files import sha256_of
from samizdat.base.language import message
from samizdat.corpus.demo import read_demo
from samizdat.corpus.division import Divided, divide, tell_coarse_splits, tell_own_splits
from samizdat.corpus.files import read_files
from samizdat.corpus.hub_dataset import open_dataset
from samizdat.corpus.label_checks import fill_labels, tell_labels
from samizdat.corpus.readers import Manner
from samizdat.corpus.rows import Columns, Findings, Number, RawText
from samizdat.corpus.splits import cut_largest, place_of
from samizdat.records.corpus import DEMO_SOURCE, LABEL_PREFIX, SPLITS, TEXTS, CorpusSummary
from samizdat.records.io import write_document, write_table

# Reasons are messages, which the report says in its language.
IN_TWO_SPLITS = message("also in an earlier split")
SHORTER = message("shorter than {min_characters} characters (corpus.min_characters)")
NO_TEXT = {
    bool: message("true or false, not text"),
    int: message("a number, not text"),
    float: message("a number, not text"),
    Number: message("a number, not text"),
    bytes: message("bytes, not text"),
    list: message("a list, not text"),
    dict: message("an object, not text"),
}
OF_A_TYPE = message("a value of type {type}, not text")
QUANTILES = (0, 0.05, 0.25, 0.5, 0.75, 0.95, 1)


@dataclass(frozen=True)
class CorpusSettings(Manner):
    """The keys of `corpus` in the config, where each is explained; `Manner` has those of files."""

    source: str
    paths: tuple[str, ...]
    text_column: str
    document_column: str | None
    group_column: str | None
    group: str
    label_columns: tuple[str, ...]
    rater_columns: dict[str, list[str]]
    split_column: str | None
    dataset: str | None
    revision: str | None
    subset: str | None
    dataset_split: str | None
    max_texts: int | None
    min_characters: int
    validation_share: float
    test_share: float


@dataclass
class _Selection:
    """Which of the texts that were read are kept, and why the others were dropped."""

    read: int = 0
    splits: set[str] = field(default_factory=set)  # those that the corpus itself brings
    kept: dict[str, RawText] = field(default_factory=dict)  # SHA-256 → text
    dropped: dict[str, list[str]] = field(default_factory=dict)  # reason → where the texts came from
    conflicting: dict[str, set[str]] = field(default_factory=dict)  # label column → SHA-256 of texts with several

    def drop(self, raw: RawText, reason: str) -> None:
        self.dropped.setdefault(reason, []).append(raw.where)

    def reasons(self) -> str:
        return "; ".join(f"{len(places):,} × {reason}" for reason, places in self.dropped.items())


def import_corpus(
    settings: CorpusSettings,
    unread: dict[str, str],
    besides: dict[str, str],
    archive: Path | None,
    texts: Path,
    summary: Path,
    seed: int,
) -> str:
    """Read the corpus, drop texts that can't be used, split the others, and write table and summary.

    Line ends become `\\n` and white space at both ends is removed; all other characters remain.

    Args:
        settings: where the texts are and which are kept.
        unread: the files in the folders of `corpus.paths` that are not read: reason → names.
        besides: those of them that the run reads for another purpose.
        archive: the demo's source archive; None for another source.
        texts: where to write the table (`records.corpus.TEXTS`).
        summary: where to write `records.corpus.CorpusSummary`.
        seed: draws the texts to keep where `max_texts` limits them.

    Raises:
        UserError: no text is left, there are fewer than three documents, or the source can't be read.
    """
    findings, listing = Findings(), list_files(settings.paths, besides)
    # Before they are read: of a file that is changed meanwhile, the manifest tells that it is no longer what was read.
    inputs = {file: sha256_of(Path(file)) for file in listing.files}
    source, raw_texts, left_out = _open(settings, archive, listing, findings)
    selection = _select(raw_texts, settings.min_characters)
    if settings.max_texts is not None:
        _draw(selection, settings.max_texts, seed)
    frame = _table(selection.kept)
    for raw in selection.kept.values():
        raw.text = None  # the table has it, and needs less memory
    frame["document"], parts = cut_largest(frame["document"], listing.files)
    try:
        divided = divide(frame, selection.splits, settings.validation_share, settings.test_share)
    except UserError:
        if selection.dropped:
            stage.tell(f"of {selection.read:,} texts these were left out: {selection.reasons()}")
        raise
    for sha256 in divided.dropped:
        why = message("held out, but nearly the same as a text of another split")
        selection.drop(selection.kept.pop(sha256), why)
    frame, unread = divided.texts, unread | left_out
    write_table(frame, TEXTS, texts)
    found = _summarise(divided, source, selection, inputs, settings.rater_columns)
    found = replace(found, parts=parts, found=findings.in_words(), unread=unread)
    write_document(found, summary)
    for reason, names in unread.items():
        stage.tell(f"not read: {names} ({reason})")
    own = "dataset_split" if settings.split_column is None else "split_column"
    tell_own_splits(divided, len(selection.dropped.get(IN_TWO_SPLITS, ())), own)
    tell_coarse_splits(divided, {"validation": settings.validation_share, "test": settings.test_share})
    tell_labels(found.labels, found.conflicting)
    cut = f"; one file was cut into {parts:,} parts, each of them in one split" if parts else ""
    told = ""
    if divided.held_out_copies and not divided.own_splits:
        told = f"; {divided.held_out_copies:,} validation or test texts are nearly the same as texts of another split"
    shares = ", ".join(f"{found.splits.get(name, 0):,} {name}" for name in SPLITS)
    return f"{len(frame):,} texts of {selection.read:,} ({shares}){cut}{told}"


def _open(
    settings: CorpusSettings, archive: Path | None, listing: Listing, findings: Findings
) -> tuple[str, Iterator[RawText], dict[str, str]]:
    """Open the source; return its name for the summary, its texts, and what of it is not read: reason → names."""
    columns = Columns(
        settings.text_column,
        settings.document_column,
        settings.group_column,
        tuple(settings.label_columns),
        settings.rater_columns,
        settings.split_column,
    )
    if settings.source == "demo" and archive is not None:
        return DEMO_SOURCE, read_demo(archive), {}
    if settings.source == "hub" and settings.dataset is not None:
        which = settings.revision, settings.subset, settings.dataset_split
        source, texts, others = open_dataset(settings.dataset, *which, columns)
        reason = message("a split of the dataset that is called neither train nor validation nor test")
        return source, texts, {reason: named(others)} if others else {}
    texts = read_files(listing, settings, columns, by_folder=settings.group == "folder", findings=findings)
    return ", ".join(settings.paths), texts, {}


def _select(raw_texts: Iterator[RawText], min_characters: int) -> _Selection:
    """Keep each different text once, cleaned; one that is in several of the corpus's own splits in the first of them.

    Raises:
        UserError: no text is left.
    """
    selection = _Selection()
    for raw in raw_texts:
        selection.read += 1
        if raw.split is not None:
            selection.splits.add(raw.split)
        text, reason = _clean(raw.text, min_characters)
        if reason is not None:
            selection.drop(raw, reason)
            continue
        sha256 = hashlib.sha256(text.encode()).hexdigest()
        raw.text = text
        first = selection.kept.setdefault(sha256, raw)
        if first is raw:
            continue
        kept, other = sorted((first, raw), key=lambda one: SPLITS.index(one.split or "train"))
        selection.kept[sha256] = kept
        selection.drop(other, message("duplicate of an earlier text") if kept.split == other.split else IN_TWO_SPLITS)
        for column in fill_labels(kept, other):
            selection.conflicting.setdefault(column, set()).add(sha256)
    if not selection.kept:
        raise UserError(
            f"the corpus is empty: of {selection.read} texts none could be used "
            f"({selection.reasons() or 'there was none'})",
            remedy="check corpus.paths, corpus.text_column and corpus.min_characters in the config",
        )
    return selection


def _clean(text: object, min_characters: int) -> tuple[str, str | None]:
    """Return the text as it is kept, and the reason if it is dropped."""
    if text is None:
        return "", message("empty cell")
    if not isinstance(text, str) or isinstance(text, Number):
        return "", (NO_TEXT.get(type(text)) or OF_A_TYPE.format(type=type(text).__name__))
    text = re.sub(r"^[\s\ufeff]+|[\s\ufeff]+$", "", text.replace("\r\n", "\n").replace("\r", "\n"))
    if len(text) < min_characters:
        return text, SHORTER.format(min_characters=min_characters)
    try:
        text.encode()
    except UnicodeEncodeError:
        return text, message("half of a surrogate pair, which UTF-8 can't encode")
    return text, None


def _draw(selection: _Selection, max_texts: int, seed: int) -> None:
    """Keep `max_texts` texts, drawn at random."""
    # The texts with the smallest hashes are a random sample that hardly changes when a text is added.
    drawn = sorted(selection.kept, key=lambda sha256: place_of(f"{seed}:{sha256}"))
    for sha256 in drawn[max_texts:]:
        why = message("not among the texts drawn at random (corpus.max_texts)")
        selection.drop(selection.kept.pop(sha256), why)


def _table(kept: dict[str, RawText]) -> pd.DataFrame:
    """Make the frame of `records.corpus.TEXTS`, in the order in which the texts were read, without splits."""
    labels = sorted({label for raw in kept.values() for label in raw.labels})
    return pd.DataFrame(
        {
            "id": [sha256[:16] for sha256 in kept],
            "text": [raw.text for raw in kept.values()],
            "document": [raw.document or sha256[:16] for sha256, raw in kept.items()],
            "group": [raw.group for raw in kept.values()],
            "split": [raw.split or "" for raw in kept.values()],
            "sha256": list(kept),
            "ratings": [raw.ratings for raw in kept.values()],
            "raters": [list(raw.raters.items()) or None for raw in kept.values()],
            **{LABEL_PREFIX + label: [raw.labels.get(label) for raw in kept.values()] for label in labels},
        }
    )


def _summarise(
    divided: Divided, source: str, selection: _Selection, inputs: dict[str, str], raters: Collection[str]
) -> CorpusSummary:
    frame = divided.texts
    lengths = frame["text"].str.len()
    labels = [column for column in frame.columns if column.startswith(LABEL_PREFIX)]
    return CorpusSummary(
        source=source,
        texts=len(frame),
        documents=int(frame["document"].nunique()),
        parts=0,
        near_duplicates=divided.near_duplicates,
        held_out_copies=divided.held_out_copies,
        own_splits=divided.own_splits,
        shared_documents=divided.shared_documents,
        groups=_counts(frame["group"]),
        labels={column.removeprefix(LABEL_PREFIX): _counts(frame[column]) for column in labels},
        conflicting={
            column: number
            for column, several in sorted(selection.conflicting.items())
            if (number := len(several & selection.kept.keys()))
        },
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
        unread={},
        inputs=inputs,
    )


def _counts(column: pd.Series) -> dict[str, int]:
    return dict(sorted(Counter(column.dropna()).items()))


if __name__ == "__main__":
    stage.run(import_corpus)
