"""What passages have in common with the training texts: the longest copy, runs of four words, known words."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from samizdat.base import stage
from samizdat.measures.copies import Copies, Match, known_words
from samizdat.measures.words import letters
from samizdat.records.io import read_batches

# Training texts of so many characters are indexed at once: memory doesn't grow with the corpus.
INDEXED_CHARACTERS = 50_000_000


def find_copies(passages: pd.DataFrame, texts: Path) -> pd.DataFrame:
    """Search the training texts for what passages share with them.

    Args:
        passages: `subset`, `id`, `begin`, `own` and its `words`.
        texts: the corpus.

    Returns:
        The columns of `records.sample_quality.COPIES` and `known_words`: how many words of a passage the training
        texts have.
    """
    training = (text for part in _training(texts) for text in part["text"])
    of_words, of_runs = known_words(passages["words"].tolist(), training)
    found: list[tuple[Match, str] | None] = [None] * len(passages)  # the longest copy so far, and of which text
    for ids, index in _indexes(_training(texts), INDEXED_CHARACTERS):
        for place, text in enumerate(stage.progress("copies", len(passages), "texts", items=passages["own"])):
            before = found[place]
            if match := index.longest(text, beyond=before[0].letters if before else 0):
                found[place] = (match, ids.iloc[match.training_text])
        del index  # not in memory together with the next one
    rows = [
        _row(text, begin, *(copy or (None, None)))
        for text, begin, copy in zip(passages["own"], passages["begin"], found, strict=True)
    ]
    columns = [
        "characters",
        "copy_characters",
        "copy_begin",
        "copy_end",
        "text_id",
        "text_begin",
        "text_end",
        "passage",
    ]
    places = dict.fromkeys(("copy_begin", "copy_end", "text_begin", "text_end"), "Int64")
    frame = pd.DataFrame(rows, columns=columns).astype(places)
    return frame.assign(
        subset=passages["subset"], id=passages["id"], begin=passages["begin"], ngrams=of_runs[:, 1],
        copied_ngrams=of_runs[:, 0], known_words=of_words[:, 0],
    )  # fmt: skip


def _row(text: str, begin: int, match: Match | None, text_id: str | None) -> tuple[object, ...]:
    if match is None:
        return (len(letters(text)), 0, *[None] * 6)
    return (
        len(letters(text)), match.letters, begin + match.start, begin + match.end,
        text_id, match.training_start, match.training_end, text[match.start : match.end],
    )  # fmt: skip


def _training(texts: Path) -> Iterator[pd.DataFrame]:
    for batch in read_batches(texts, "id", "text", "split"):
        yield batch[batch["split"] == "train"]


def _indexes(parts: Iterator[pd.DataFrame], characters: int) -> Iterator[tuple[pd.Series, Copies]]:
    """Index training texts of so many characters at once; with their ids."""
    ids: list[pd.Series] = []
    waiting: list[str] = []
    size = 0
    for part in parts:
        ids.append(part["id"])
        waiting.extend(part["text"])
        size += int(part["text"].str.len().sum())
        if size >= characters:
            yield pd.concat(ids), Copies(waiting)
            ids, waiting, size = [], [], 0
    if ids:
        yield pd.concat(ids), Copies(waiting)
