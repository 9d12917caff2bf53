"""Compute the scores that a classifier gives to the texts of tables, as far as the store lacks them."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from itertools import compress
from pathlib import Path

import numpy as np

from samizdat.base import stage
from samizdat.base.device import prepare
from samizdat.base.digest import result_digest
from samizdat.base.files import checked_sha256
from samizdat.base.hardware import give_memory_back
from samizdat.base.reuse import fingerprint
from samizdat.checkpoints.sources import CHECKPOINT_FILES
from samizdat.classifiers.few_shot import EXAMPLES_FILE, score_by_examples
from samizdat.classifiers.outputs import number_format
from samizdat.classifiers.score_store import ScoreStore, key_of, score_rows
from samizdat.classifiers.score_table import ScoreTable
from samizdat.classifiers.text_scores import ClassificationSettings, Reading, score
from samizdat.classifiers.zero_shot import score_by_statements
from samizdat.records.classifiers import ClassifierCard
from samizdat.records.io import read_batches, read_document

# Pieces of memory that can't be used again would grow as long as texts are scored. To give them back takes 20 ms.
GIVE_BACK_SECONDS = 10.0


def compute_missing(
    settings: ClassificationSettings,
    classifier: Path,
    tables: tuple[Path, ...],
    store: Path,
    device: str,
    threads: int,
    seed: int,
    *,
    part: int = 0,
    parts: int = 1,
) -> tuple[ScoreTable, ScoreStore, int]:
    """Look for the scores of all texts of the tables in the store; compute and store those that it lacks.

    A text longer than a window is read in several that overlap; its scores are the means of theirs, weighted by their
    lengths in tokens. A text's score depends on the text and the classifier alone.

    Args:
        settings: windows, batches and number format.
        classifier: a folder with checkpoint, tokenizer and `card.json`.
        tables: Parquet files with the column `text`.
        store: the folder of scores that were computed before, shared by all runs.
        device: `auto`, `cpu`, `cuda` or `mps`.
        threads: batches that a CPU computes at once; their number changes no score.
        seed: of the stage; nothing is drawn, but libraries are seeded.
        part: of the texts that the store lacks, those of this part are computed.
        parts: how many parts there are; the hash of a text gives its part.

    Returns:
        a table of the texts, to be filled in; the store, closed; and how many texts were computed.

    Raises:
        UserError: the device is not available or has too little memory, or a file of the classifier or a table is
            missing or damaged.
    """
    chosen = prepare(device, threads=threads, seed=seed)
    reading = Reading.of(settings, chosen, threads)
    card = read_document(ClassifierCard, classifier / "card.json")
    # Of the files that are loaded, whatever the card says of them.
    checkpoint = {name: checked_sha256(classifier / name) for name in CHECKPOINT_FILES}
    dtype = number_format(card, chosen, settings.precision)
    # The store keeps the checkpoint's own scores: `label_map`, `threshold` and `abstain_below` are applied to them
    # afterwards and are no part of the fingerprint.
    fixed = {key: value for key, value in asdict(settings).items() if key != "abstain_below"}
    mark = fingerprint(
        settings=fixed | {"batch_tokens": reading.batch_tokens},
        checkpoint=checkpoint,
        kind=card.kind,
        statements=[card.hypotheses, card.entailment],
        prompt=[card.template, card.words, checked_sha256(classifier / EXAMPLES_FILE)] if card.words else [],
        dtype=str(dtype),
        device=chosen.kind,
        code=result_digest("classifiers.scoring"),
    )
    table, kept = ScoreTable(_keys(tables), card), ScoreStore(store, mark, len(card.checkpoint_labels))
    for rows in kept.known():
        table.mark(rows)
    new = _in_part(table, part, parts)
    if len(new):
        bar, given_back = stage.progress(f"scores {card.name}", len(new), "texts"), time.monotonic()
        compute = score_by_statements if card.hypotheses else score_by_examples if card.words else score
        with reading.enough_memory(chosen, few_shot=bool(card.words)):
            for batch in compute(_texts(tables, new), classifier, card, chosen, dtype, reading):
                if batch:
                    texts, windows, values = zip(*batch, strict=True)
                    computed = score_rows(table.keys(new[[*texts]]), windows, values)
                    kept.add(computed)
                    table.mark(computed)
                    bar.update(len(computed))
                if time.monotonic() - given_back > GIVE_BACK_SECONDS:
                    give_memory_back()
                    given_back = time.monotonic()
        bar.close()
        # Texts without a token: the store keeps that there is nothing to compute.
        empty = table.keys(_in_part(table, part, parts))
        kept.add(score_rows(empty, 0, np.zeros((len(empty), len(card.checkpoint_labels)))))
    kept.close()
    return table, kept, len(new)


def column_of(tables: Iterable[Path], column: str) -> Iterator[str]:
    """Yield a column of all tables, which are read in batches."""
    for table in tables:
        for batch in read_batches(table, column):
            yield from batch[column]


def _keys(tables: Iterable[Path]) -> np.ndarray:
    """Return the key of each text of the tables, as `S16`."""
    keys = bytearray()
    for text in column_of(tables, "text"):
        keys += key_of(text)
    return np.frombuffer(keys, "S16")


def _in_part(table: ScoreTable, part: int, parts: int) -> np.ndarray:
    """Return the first row of each text of a part that has no score so far, in order."""
    missing = table.missing()
    beginnings = np.ascontiguousarray(table.keys(missing)).view(np.uint64)[::2]  # of two numbers the first
    chosen: np.ndarray = missing[beginnings % parts == part]
    return chosen


def _texts(tables: Iterable[Path], rows: np.ndarray) -> Iterator[str]:
    """Yield the texts of these rows of the tables, which are in order."""
    wanted = np.zeros(rows[-1] + 1, bool)
    wanted[rows] = True
    return compress(column_of(tables, "text"), wanted)
