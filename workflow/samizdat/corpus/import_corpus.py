"""Import the corpus: texts from files, a Hub dataset or the demo, as one table with documents, labels and splits."""

import hashlib
import shutil
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from samizdat.base import stage
from samizdat.base.corpus_files import Listing, list_files, named
from samizdat.base.errors import UserError
from samizdat.base.files import sha256_of
from samizdat.base.language import message
from samizdat.corpus.demo import DEMO_LABELS, read_demo
from samizdat.corpus.division import Divided, divide, tell_coarse_splits, tell_own_splits
from samizdat.corpus.documents import Documents
from samizdat.corpus.duplicates import IN_TWO_SPLITS, Different, different_texts
from samizdat.corpus.files import read_files
from samizdat.corpus.gathered import Gathered
from samizdat.corpus.hub_dataset import open_dataset
from samizdat.corpus.label_checks import tell_labels
from samizdat.corpus.near_duplicates import near_duplicates
from samizdat.corpus.readers import Manner
from samizdat.corpus.rows import Columns, Findings, RawText
from samizdat.corpus.splits import place_of
from samizdat.measures.arrays import Counts, sorted_set
from samizdat.records.corpus import DEMO_SOURCE, LABEL_PREFIX, SPLITS, TEXTS, CorpusSummary
from samizdat.records.io import BATCH_ROWS, write_batches, write_document

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


def import_corpus(
    settings: CorpusSettings,
    unread: dict[str, str],
    besides: dict[str, str],
    archive: Path | None,
    texts: Path,
    summary: Path,
    seed: int,
    work: Path,
) -> str:
    """Read the corpus, drop texts that can't be used, split the others, and write table and summary.

    Line ends become `\\n` and white space at both ends is removed; all other characters remain. While the step
    runs, the texts are in a file, and memory has about 150 bytes for each.

    Args:
        settings: where the texts are and which are kept.
        unread: the files in the folders of `corpus.paths` that are not read: reason → names.
        besides: those of them that the run reads for another purpose.
        archive: the demo's source archive; None for another source.
        texts: where to write the table (`records.corpus.TEXTS`).
        summary: where to write `records.corpus.CorpusSummary`.
        seed: draws the texts to keep where `max_texts` limits them.
        work: the step's private folder, for that file.

    Raises:
        UserError: no text is left, there are fewer than three documents, or the source can't be read.
    """
    findings, listing = Findings(), list_files(settings.paths, besides)
    # Before they are read: of a file that is changed meanwhile, the manifest tells that it is no longer what was read.
    inputs = {file: sha256_of(Path(file)) for file in listing.files}
    source, raw_texts, left_out = _open(settings, archive, listing, findings)
    labels = DEMO_LABELS if settings.source == "demo" else {*settings.label_columns, *settings.rater_columns}
    with _empty_folder(work / "reading") as folder, closing(Gathered(folder, labels)) as gathered:
        gathered.add_all(raw_texts, settings.min_characters)
        chosen, documents, divided, parts = _choose(gathered, settings, listing, seed)
        unread = unread | left_out
        write_batches(_batches(gathered, chosen, documents, divided.splits), TEXTS, texts)
        found = _summarise(divided, source, gathered, chosen, documents, inputs, settings.rater_columns)
    found = replace(found, parts=parts, found=findings.in_words(), unread=unread)
    write_document(found, summary)
    for reason, names in unread.items():
        stage.tell(f"not read: {names} ({reason})")
    own = "dataset_split" if settings.split_column is None else "split_column"
    tell_own_splits(divided, found.dropped.get(IN_TWO_SPLITS, 0), own)
    tell_coarse_splits(divided, {"validation": settings.validation_share, "test": settings.test_share})
    tell_labels(found.labels, found.conflicting, settings.rater_columns)
    cut = f"; one file was cut into {parts:,} parts, each of them in one split" if parts else ""
    told = ""
    if divided.held_out_copies and not divided.own_splits:
        told = f"; {divided.held_out_copies:,} validation or test texts are nearly the same as texts of another split"
    shares = ", ".join(f"{found.splits.get(name, 0):,} {name}" for name in SPLITS)
    return f"{found.texts:,} texts of {found.read:,} ({shares}){cut}{told}"


@contextmanager
def _empty_folder(path: Path) -> Iterator[Path]:
    """Make an empty folder, also where a killed process left one with its files, and delete it at the end."""
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    try:
        yield path
    finally:
        shutil.rmtree(path)


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


def _choose(
    gathered: Gathered, settings: CorpusSettings, listing: Listing, seed: int
) -> tuple[Different, Documents, Divided, int]:
    """Choose which texts are kept, and divide them; return them, their documents, their splits and the parts of a file.

    Raises:
        UserError: no text is left, or they can't be divided.
    """
    if not len(gathered):
        raise UserError(
            f"the corpus is empty: of {gathered.read} texts none could be used "
            f"({gathered.dropped.in_words() or 'there was none'})",
            remedy="check corpus.paths, corpus.text_column and corpus.min_characters in the config",
        )
    chosen = different_texts(gathered)
    if settings.max_texts is not None:
        _draw(chosen, gathered, settings.max_texts, seed)
    documents = Documents(gathered, chosen.rows)
    parts = documents.cut_largest(listing.files)
    sets = near_duplicates(gathered.sketches, chosen.rows, gathered.texts.__getitem__)
    shares = settings.validation_share, settings.test_share
    try:
        divided = divide(documents, gathered.split_numbers()[chosen.rows], gathered.splits, sets, *shares)
    except UserError:
        if gathered.dropped.numbers:
            stage.tell(f"of {gathered.read:,} texts these were left out: {gathered.dropped.in_words()}")
        raise
    left = divided.left
    gathered.drop(message("held out, but nearly the same as a text of another split"), chosen.rows[~left])
    chosen.keep(left)
    documents.keep(left)
    return chosen, documents, replace(divided, splits=divided.splits[left]), parts


def _draw(chosen: Different, gathered: Gathered, max_texts: int, seed: int) -> None:
    """Keep `max_texts` texts, drawn at random."""
    # The texts with the smallest hashes are a random sample that hardly changes when a text is added.
    keys = gathered.keys()
    places = [place_of(f"{seed}:{keys[row].tobytes().hex()}") for row in chosen.rows]
    order = np.argsort(places, kind="stable")
    why = message("not among the texts drawn at random (corpus.max_texts)")
    gathered.drop(why, chosen.rows[order[max_texts:]])
    chosen.keep(np.sort(order[:max_texts]))


def _batches(
    gathered: Gathered, chosen: Different, documents: Documents, splits: np.ndarray
) -> Iterator[dict[str, list[Any]]]:
    """Make the columns of `records.corpus.TEXTS` in batches, in the order in which the texts were read."""
    groups = [*gathered.groups.names(), None]
    names_of = {LABEL_PREFIX + label: [*codes.names(), None] for label, codes in gathered.labels.items()}
    group_of = gathered.groups.column()
    for begin in range(0, len(chosen.rows), BATCH_ROWS):
        some = slice(begin, begin + BATCH_ROWS)
        rows = chosen.rows[some]
        texts = gathered.texts.read(rows)
        sha256 = [hashlib.sha256(text.encode()).hexdigest() for text in texts]
        given = [*_given(gathered, chosen, rows)]
        yield {
            "id": [one[:16] for one in sha256],
            "text": texts,
            "document": documents.names(some),
            "group": [groups[code] for code in group_of[rows].tolist()],
            "split": [SPLITS[split] for split in splits[some].tolist()],
            "sha256": sha256,
            "ratings": [ratings for ratings, _ in given],
            "raters": [list(raters.items()) or None for _, raters in given],
        } | {
            name: [names[code] for code in chosen.labels[name.removeprefix(LABEL_PREFIX)][some].tolist()]
            for name, names in names_of.items()
        }


def _given(
    gathered: Gathered, chosen: Different, rows: Counts
) -> Iterator[tuple[list[int] | None, dict[str, list[str]]]]:
    """Return the ratings of kept texts and what single people gave them, of some labels to a duplicate."""
    for row, (ratings, raters) in zip(rows.tolist(), gathered.given(rows), strict=True):
        lenders = {label: lender[row] for label, lender in chosen.lent.items() if row in lender}
        lent = {label: gathered.given(np.array([lender]))[0][1][label] for label, lender in lenders.items()}
        yield ratings, raters | lent


def _summarise(
    divided: Divided,
    source: str,
    gathered: Gathered,
    chosen: Different,
    documents: Documents,
    inputs: dict[str, str],
    raters: Collection[str],
) -> CorpusSummary:
    rows = chosen.rows
    lengths = gathered.characters()[rows]
    document_splits = sorted_set(documents.numbers * len(SPLITS) + divided.splits) % len(SPLITS)
    return CorpusSummary(
        source=source,
        texts=len(rows),
        documents=divided.documents,
        parts=0,
        near_duplicates=divided.near_duplicates,
        held_out_copies=divided.held_out_copies,
        own_splits=divided.own_splits,
        shared_documents=divided.shared_documents,
        groups=_counts(gathered.groups.column()[rows], gathered.groups.names()),
        labels={label: _counts(codes, gathered.labels[label].names()) for label, codes in chosen.labels.items()},
        conflicting={
            label: number for label, several in sorted(chosen.conflicting.items()) if (number := int(several.sum()))
        },
        undecided={label: chosen.undecided(label, gathered) for label in raters},
        splits=_counts(divided.splits, SPLITS),
        split_documents=_counts(document_splits, SPLITS),
        characters=int(lengths.sum(dtype=np.int64)),
        utf8_bytes=int(gathered.utf8_bytes()[rows].sum(dtype=np.int64)),
        length_quantiles_characters={str(q): float(np.quantile(lengths, q)) for q in QUANTILES},
        read=gathered.read,
        dropped=gathered.dropped.numbers,
        dropped_examples=gathered.dropped.examples,
        found={},
        unread={},
        inputs=inputs,
    )


def _counts(codes: Counts, names: Collection[str]) -> dict[str, int]:
    """Count the texts of each name."""
    numbers = np.bincount(codes[codes >= 0], minlength=len(names)).tolist()
    return {name: number for name, number in sorted(zip(names, numbers, strict=True)) if number}


if __name__ == "__main__":
    stage.run(import_corpus)
