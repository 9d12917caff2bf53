"""The passages that are judged: what a model wrote itself, and held-out texts cut to the lengths of samples."""

from array import array
from bisect import bisect_left
from collections.abc import Iterator

import numpy as np
import pandas as pd

from samizdat.measures.words import gaps


def own_passages(samples: pd.DataFrame) -> pd.DataFrame:
    """Add to samples what the model itself wrote (`own`), where that begins (`begin`), `subset` and `document`."""
    begins = [
        len(prompt) if text.startswith(prompt) else 0
        for prompt, text in zip(samples["prompt"], samples["text"], strict=True)
    ]
    own = [text[begin:] for text, begin in zip(samples["text"], begins, strict=True)]
    return samples.assign(subset="samples", document=samples["id"], begin=begins, own=own)


def draw_passages(texts: pd.DataFrame, longest: int, number: int, random: np.random.Generator) -> pd.DataFrame:
    """Draw at most `number` passages at random from texts that people wrote.

    Args:
        texts: `id`, `document` and `text`.
        longest: a text of more characters is cut into pieces, between words where it can be.
        number: how many texts or pieces to draw.
        random: what draws them.

    Returns:
        `id`, `document`, `begin` and `own` of each, and `subset`, which is "held_out".
    """
    # A piece is three numbers: of millions of pieces, only those that are drawn are cut.
    places = array("q")
    for row, text in enumerate(texts["text"]):
        for begin, end in _cuts(text, longest):
            places.extend((row, begin, end))
    pieces = np.array(places, np.int64).reshape(-1, 3)
    rows, begins, ends = pieces[random.permutation(len(pieces))[:number]].T
    drawn = texts.iloc[rows]
    own = [text[begin:end] for text, begin, end in zip(drawn["text"], begins, ends, strict=True)]
    frame: pd.DataFrame = drawn[["id", "document"]].reset_index(drop=True)
    return frame.assign(begin=begins, own=own, subset="held_out")


def _cuts(text: str, longest: int) -> Iterator[tuple[int, int]]:
    begin = 0
    places = gaps(text) if len(text) > longest else []
    while len(text) - begin > longest:
        before = bisect_left(places, begin + longest)
        end = places[before - 1] if before and places[before - 1] > begin else begin + longest
        yield begin, end
        begin = end
    yield begin, len(text)
