"""Where bits are spent: what tokens cost by their place in a word, and by the kind of word."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from samizdat.measures.bootstrap import MILLION, Bootstrap, sum_by_document
from samizdat.measures.words import word_spans

BETWEEN, ENDING = "between", "ending"
PARTS = {
    "place": ("whole", "beginning", "inside", "end", BETWEEN, ENDING),
    "kind": ("capitalised", "number", "other"),
}


def kinds_of(text: str, pieces: Sequence[bytes]) -> list[tuple[str, str]]:
    """Say of each token of a text where in its word it is, and what kind of word that is (see `PARTS`).

    Blanks before a word belong to neither. A token with parts of several words counts as one of the first of them.

    Args:
        text: the text.
        pieces: the bytes of its tokens, which together are the text.
    """
    sizes = np.array([len(letter.encode()) for letter in text], np.int64)
    begins = np.concatenate([[0], np.cumsum(sizes)])
    spans = word_spans(text)
    word_at = np.full(begins[-1], -1)
    for number, (start, end) in enumerate(spans):
        word_at[begins[start] : begins[end]] = number
    found, begin = [], 0
    for piece in pieces:
        end = begin + len(piece)
        words = word_at[begin:end]
        inside = np.flatnonzero(words >= 0)
        if len(inside):
            number = words[inside[0]]
            start, stop = spans[number]
            found.append((_place(begin <= begins[start], end >= begins[stop]), _kind(text[start:stop])))
        else:
            found.append((BETWEEN, BETWEEN))
        begin = end
    return found


def _place(has_begin: bool, has_end: bool) -> str:
    if has_begin:
        return "whole" if has_end else "beginning"
    return "end" if has_end else "inside"


def _kind(word: str) -> str:
    if any(map(str.isdecimal, word)):
        return "number"
    return "capitalised" if word[0].isupper() else "other"


def token_kinds(
    texts: pd.DataFrame, pieces: Sequence[Sequence[bytes]], nats: Sequence[np.ndarray], bootstrap: Bootstrap
) -> Iterator[dict[str, Any]]:
    """Compute the rows of `records.inside.TOKEN_KINDS`, with intervals over documents.

    Args:
        texts: `text` and `document`.
        pieces: the bytes of the tokens of each text.
        nats: the loss of each token of each text, and of the boundary token that ends it.
        bootstrap: how intervals are made.
    """
    rows = [
        (number, *kind, len(piece), round(float(loss) / np.log(2) * MILLION))
        for number, (text, parts, losses) in enumerate(zip(texts["text"], pieces, nats, strict=True))
        for kind, piece, loss in zip(
            [*kinds_of(text, parts), (ENDING, ENDING)], [*parts, b""], losses, strict=True
        )
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["text", *PARTS, "bytes", "millionths"])
    frame["document"] = texts["document"].to_numpy()[frame["text"]]
    for division, parts in PARTS.items():
        own = frame[frame[division].isin(parts)]
        cells = pd.Index(parts).get_indexer(pd.Index(own[division]))
        counts = {"tokens": np.ones(len(own), np.int64), "bytes": own["bytes"], "millionths": own["millionths"]}
        blocks = {name: sum_by_document(own, cells, np.asarray(one), (len(parts),)) for name, one in counts.items()}
        drawn = bootstrap.together(blocks, "token kinds", division)
        with np.errstate(invalid="ignore", divide="ignore"):
            resampled = drawn["millionths"] / MILLION / drawn["bytes"]
        totals = {name: block.sum(axis=0) for name, block in blocks.items()}
        owners = blocks["tokens"].astype(bool).sum(axis=0)
        for cell, part in enumerate(parts):
            if not totals["tokens"][cell]:
                continue
            sized = bool(totals["bytes"][cell])
            bits = totals["millionths"][cell] / MILLION
            value = bits / totals["bytes"][cell] if sized else np.nan
            values = np.where(drawn["bytes"][:, cell] > 0, resampled[:, cell], np.nan)
            low, high = bootstrap.interval(value, values, int(owners[cell])) if sized else (np.nan, np.nan)
            yield {
                "division": division,
                "part": part,
                "tokens": totals["tokens"][cell],
                "bytes": totals["bytes"][cell],
                "bits": bits,
                "bits_per_byte": value,
                "low": low,
                "high": high,
                "texts": len(texts),
                "documents": owners[cell],
            }
